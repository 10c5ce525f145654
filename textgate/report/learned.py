"""What the models learned: agreement by direction, distance and attractors, and perplexity."""

import pandas as pd

from textgate.report.blocks import Figure, Row, Section, Table, Text, plain
from textgate.report.figures import Series, dots
from textgate.report.findings import Findings, ModelFindings
from textgate.report.status import NOT, PARTLY, WELL, learned, main_pairs
from textgate.report.words import count, interval, listed, number, percent, share_with

# Grouping -> title of the figure, and what its caption adds.
_PANELS = {
    "direction": (
        "by direction",
        "Directions stand apart, so that always saying *her* is no skill.",
    ),
    "distance": (
        "by distance",
        "The distance counts words from the antecedent (*she*) to the pronoun.",
    ),
    "incongruent attractors": (
        "by attractors",
        "Attractors are other people of another gender between the two, as in *She met a boy "
        "and …*",
    ),
    "attractors": (
        "by people between",
        "Other people who stand between the antecedent and the pronoun.",
    ),
}
_ORDER = ("she", "he", "they", "it", "feminine", "masculine")
_SETS = {
    "test": "held-out sentences",
    "test_distances": "farther than in training",
    "test_lexemes": "names and nouns never seen",
    "test_templates": "constructions never seen",
}


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[object] = []
    measured = [model for model in findings.models if model.agreement]
    if not measured:
        blocks.append(Text("Agreement was not measured in this run.", "note"))
    for model in findings.models:
        blocks += [Text(sentence) for sentence in _said(model)]
    names = list(dict.fromkeys(name for model in measured for name in model.agreement))
    main = main_pairs(measured[0]) if measured else None
    given = [name for name in names if not name.startswith(("pronoun_", "number_"))]
    for name in dict.fromkeys([*([main] if main else []), *given]):
        blocks += _panels(measured, name, whole=name == main)
    blocks += _elsewhere(measured, [name for name in names if name != main])
    for model in findings.models:
        blocks += _default(model)
    return Section("learned", "What the models learned", tuple(blocks))


def _said(model: ModelFindings) -> list[str]:
    known = learned(model)
    said = []
    if known.all is not None:
        said.append(
            f"The {model.title} prefers the right form to every wrong one in "
            f"{share_with(known.all)} of {count(known.all['items'])} held-out items."
        )
    if known.rows:
        sides = listed(f"{plain(row['group'])} {share_with(row)}" for row in known.rows)
        verdict = {
            WELL: "Between the genders it is right in both directions",
            PARTLY: "Between the genders it is often wrong",
            NOT: "**It has not learned agreement in gender**: in one direction it is not surely "
            "better than a coin",
        }.get(known.level, "Between the genders")
        said.append(f"{verdict}: {sides}.")
    if model.perplexity is not None:
        row = model.perplexity
        said.append(
            f"Its perplexity on text that it has not seen is {number(row['perplexity'], 1)} a word "
            f"({count(row['words'])} words, of which it doesn't know {percent(row['unknown'])})."
        )
    return [" ".join(said)] if said else []


def _panels(models: list[ModelFindings], name: str, whole: bool) -> list[object]:
    tables = {m.title: m.agreement[name] for m in models if name in m.agreement}
    groupings = [by for by in _PANELS if any(_varies(t, by) for t in tables.values())]
    if "incongruent attractors" in groupings and "attractors" in groupings:
        groupings.remove("attractors")
    figures = []
    for by in groupings:
        title, more = _PANELS[by]
        series = []
        for model, table in tables.items():
            rows = _sorted(table[table["by"] == by])
            series.append(
                Series(
                    model,
                    [_group(by, group) for group in rows["group"]],
                    rows["accuracy"].tolist(),
                    rows["low"].tolist(),
                    rows["high"].tolist(),
                    [f"{model}, {count(n)} items" for n in rows["items"]],
                )
            )
        lines = len({group for one in series for group in one.at})
        shown = pd.concat([_rows(m, t[t["by"] == by]) for m, t in tables.items()])
        caption = f"Accuracy {title}, with 95 % intervals. {more}"
        figures.append(
            Figure(
                f"agreement-{_id(name)}-{_id(by)}",
                dots(series, "right, in %"),
                caption,
                height=130 + 34 * lines,
                table=Table(shown, f"Accuracy {title}.", folded=True),
            )
        )
    if not figures:
        return []
    intro = Text(f"On *{plain(_pairs(name))}*:") if not whole else None
    return [*([intro] if intro else []), Row(tuple(figures))]


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return groups with those of she first, and of he; the rest as it was."""
    heads = [str(group).split("→")[0] for group in rows["group"]]
    place = [_ORDER.index(head) if head in _ORDER else len(_ORDER) for head in heads]
    order = sorted(range(len(rows)), key=lambda at: place[at])
    return rows.iloc[order]


def _elsewhere(models: list[ModelFindings], names: list[str]) -> list[object]:
    """Return one figure for all other pairs, a line for each."""
    if not names:
        return []
    series = []
    for model in models:
        one = Series(model.title)
        for name in names:
            table = model.agreement.get(name)
            rows = None if table is None else table[table["by"] == "all"]
            if rows is not None and len(rows):
                row = rows.iloc[0]
                one.add(_pairs(name), row["accuracy"], row["low"], row["high"])
                one.told.append(f"{model.title}, {count(row['items'])} items")
        series.append(one)
    return [
        Figure(
            "agreement-elsewhere",
            dots([one for one in series if one.at], "right, in %"),
            "Accuracy on other pairs, with 95 % intervals: agreement of the verb with its subject "
            "in number, which has nothing to do with gender, and whatever else was given.",
            height=120 + 34 * len(names),
        )
    ]


def _pairs(name: str) -> str:
    source, _, split = name.partition("-")
    if source == "pronoun_agreement" and split in _SETS:
        return _SETS[split]
    if source == "number_agreement":
        return "number agreement"
    return name.replace("_", " ")


def _id(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def _varies(table: pd.DataFrame, by: str) -> bool:
    groups = set(table[table["by"] == by]["group"].astype(str))
    return len(groups) > 1


def _group(by: str, group: object) -> str:
    text = str(group)
    if by == "distance":
        return f"{text.replace('-', '–')} words"
    if by in ("attractors", "incongruent attractors"):
        return {"0": "none", "1": "one", "2+": "two or more"}.get(text, text)
    return text


def _rows(model: str, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": model,
            "group": rows["group"].astype(str),
            "items": [count(n) for n in rows["items"]],
            "accuracy": [percent(a) for a in rows["accuracy"]],
            "95 %": [interval(a, b) for a, b in zip(rows["low"], rows["high"], strict=True)],
        }
    )


def _default(model: ModelFindings) -> list[object]:
    """Say whether the model takes *he* as the default, where that was measured."""
    table = model.default
    if table is None or not len(table):
        return []
    rows = table.set_index("cue")["masculine"]
    if "none" not in rows:
        return []
    none = float(rows["none"])
    parts = [f"{percent(none)} where nothing says the gender (*The doctor lost …*)"]
    for cue, words in (
        ("feminine", "after a woman (*The actress lost …*)"),
        ("masculine", "after a man"),
    ):
        if cue in rows:
            parts.append(f"{percent(rows[cue])} {words}")
    leaning = (
        "leans to *he*" if none > 0.55 else "leans to *she*" if none < 0.45 else "is undecided"
    )
    middle = ""
    if {"feminine", "masculine"} <= set(rows.index):
        woman, man = float(rows["feminine"]), float(rows["masculine"])
        far = abs(none - woman) > abs(man - none)
        middle = (
            " A woman’s name moves it further from there than a man’s, as if *he* were its default "
            "(compare Jumelet, Zuidema & Hupkes 2019)."
            if far and none > 0.55
            else " Its default is not clearly *he*."
        )
    return [
        Text(
            f"**Is *he* the default?** Of the probability that the {model.title} gives to *he* and "
            f"*she* together, *he* gets {listed(parts)}. Without a cue it {leaning}."
            f"{middle}"
        )
    ]
