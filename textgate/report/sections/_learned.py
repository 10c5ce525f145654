"""What the models learned: agreement by direction, distance and attractors, and perplexity."""

from typing import Any

import pandas as pd

from textgate.report._blocks import Block, Figure, Row, Section, Table, Text, plain
from textgate.report._figures import Series, dots
from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import learned, main_pairs
from textgate.report._words import (
    count,
    interval,
    is_number,
    listed,
    number,
    percent,
    share_with,
    slug,
)
from textgate.report.sections._rule import RULE, comparison, rows_of

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
_OF_CONTEXTS = {
    "direction": "The pronoun is scored by its gender: all forms of *she* together against all of "
    "*he*. Genders stand apart, so that always expecting *he* is no skill.",
    "distance": "The distance counts words from the last name or noun for that person to the "
    "pronoun; far antecedents were often called by a pronoun since.",
    "attractors": "Other people who stand between that name or noun and the pronoun.",
}
_ORDER = ("she", "he", "they", "it", "feminine", "masculine")
_SETS = {
    "test": "held-out sentences",
    "test_distances": "farther than in training",
    "test_lexemes": "names and nouns never seen",
    "test_templates": "constructions never seen",
}
_SETS_OF_OTHERS = {  # for a model that was trained on other sentences
    "test": "generated sentences",
    "test_distances": "generated, far antecedents",
    "test_lexemes": "generated, rarer names and nouns",
    "test_templates": "generated, other constructions",
}


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[Block] = []
    measured = [model for model in findings.models if model.agreement]
    if not measured:
        blocks.append(Text("Agreement was not measured in this run.", "note"))
    for model in findings.models:
        blocks += _agreement(model)
    names = list(dict.fromkeys(name for model in measured for name in model.agreement))
    main = main_pairs(measured[0]) if measured else None
    own = [name for name in names if not name.startswith(("pronoun_", "number_"))]
    for name in dict.fromkeys([*([main] if main else []), *own]):
        blocks += comparison(measured, name)
        blocks += _panels(measured, name, is_main=name == main)
    blocks += _elsewhere(measured, [name for name in names if name != main])
    for model in findings.models:
        blocks += _default(model)
    title = f"What the model{'' if len(findings.models) == 1 else 's'} learned"
    return Section(title, tuple(blocks))


def _agreement(model: ModelFindings) -> list[Block]:
    """Say how well a model agrees, over all and by direction, and its perplexity."""
    agreement = learned(model)
    sentences = []
    on_contexts = agreement.pairs in model.rule
    if agreement.all is not None and on_contexts:
        sentences.append(
            f"Asked for the next word in {count(agreement.all['items'])} contexts of English text "
            f"before a pronoun, the {model.title} gives the right gender’s forms (*she*, *her*, … "
            f"or *he*, *his*, …) more than the other’s in {share_with(agreement.all)}."
        )
    elif agreement.all is not None:
        sentences.append(
            f"The {model.title} prefers the right form to every wrong one in "
            f"{share_with(agreement.all)} of {count(agreement.all['items'])} held-out items."
        )
    if agreement.rows:
        sides = listed(f"{plain(row['group'])} {share_with(row)}" for row in agreement.rows)
        verdict = {
            "well": "Between the genders it is right in both directions",
            "partly": "Between the genders it is often wrong",
            "not": "**It has not learned agreement in gender**: in one direction it is not surely "
            "better than a coin",
        }.get(agreement.level, "Between the genders")
        if on_contexts and agreement.level != "not":
            verdict = "By the gender that is right"
        sentences.append(f"{verdict}: {sides}.")
    if model.perplexity is not None:
        row = model.perplexity
        sentences.append(
            f"Its perplexity on text that it has not seen is {number(row['perplexity'], 1)} a word "
            f"({count(row['words'])} words, of which it doesn't know {percent(row['unknown'])})."
        )
    return [Text(" ".join(sentences))] if sentences else []


def _panels(models: list[ModelFindings], name: str, is_main: bool) -> list[Block]:
    tables = {m.title: m.agreement[name] for m in models if name in m.agreement}
    groupings = [by for by in _PANELS if any(_varies(t, by) for t in tables.values())]
    if "incongruent attractors" in groupings and "attractors" in groupings:
        groupings.remove("attractors")
    contexts = any(name in model.rule for model in models)
    figures = []
    for by in groupings:
        title, more = _PANELS[by]
        more = _OF_CONTEXTS.get(by, more) if contexts else more
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
        series += _rule_series(models, name, by)
        lines = len({group for one in series for group in one.at})
        shown = pd.concat([_rows(m, t[t["by"] == by]) for m, t in tables.items()])
        caption = f"Accuracy {title}, with 95 % intervals. {more}"
        figures.append(
            Figure(
                f"agreement-{slug(name)}-{slug(by)}",
                dots(series, "right, in %"),
                caption,
                height=130 + (34 if len(series) < 3 else 44) * lines,
                table=Table(shown, f"Accuracy {title}.", folded=True),
            )
        )
    if not figures:
        return []
    intro = Text(f"On *{plain(_pairs(name))}*:") if not is_main else None
    return [*([intro] if intro else []), Row(tuple(figures))]


def _rule_series(models: list[ModelFindings], name: str, by: str) -> list[Series]:
    """Return what the rule of the last gendered word gets, if it was measured."""
    for model in models:
        rows = rows_of(model, name, by)
        if rows is not None:
            groups = [_group(by, group) for group in rows["group"]]
            value, low, high = (rows[c].tolist() for c in ("rule", "rule_low", "rule_high"))
            hover = [f"rule, {count(n)} contexts" for n in rows["items"]]
            return [Series(RULE, groups, value, low, high, hover)]
    return []


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return groups with those of she first, and of he; the rest as it was."""
    heads = [str(group).split("→")[0] for group in rows["group"]]
    place = [_ORDER.index(head) if head in _ORDER else len(_ORDER) for head in heads]
    order = sorted(range(len(rows)), key=lambda at: place[at])
    return rows.iloc[order]


def _elsewhere(models: list[ModelFindings], names: list[str]) -> list[Block]:
    """Return one figure for all other pairs, a line for each."""
    if not names:
        return []
    on_text = any(model.on_text for model in models)
    series = []
    for model in models:
        one = Series(model.title)
        for name in names:
            table = model.agreement.get(name)
            rows = None if table is None else table[table["by"] == "all"]
            if rows is not None and len(rows):
                row = rows.iloc[0]
                one.add(_pairs(name, on_text), row["accuracy"], row["low"], row["high"])
                one.hover.append(f"{model.title}, {count(row['items'])} items")
        series.append(one)
    generated = " ".join(filter(None, map(_on_generated, models)))
    return [
        *([Text(generated)] if generated else []),
        Figure(
            "agreement-elsewhere",
            dots([one for one in series if one.at], "right, in %"),
            "Accuracy on other pairs, with 95 % intervals: agreement of the verb with its subject "
            "in number, which has nothing to do with gender, "
            + (
                "and pronouns in sentences generated for the purpose, each read by itself, where "
                "the right one has to beat each wrong one (*her*, *his*, *its*, *their*) and a "
                "word that the model doesn’t know counts as wrong."
                if on_text
                else "and whatever else was given."
            ),
            height=120 + 34 * len(names),
        ),
    ]


def _on_generated(model: ModelFindings) -> str:
    """Say how a model of text does on generated sentences, gender against gender."""
    table = model.agreement.get("pronoun_agreement-test")
    if table is None or not model.on_text:
        return ""
    rows = table[table["by"] == "against"].set_index("group")
    sides = "feminine against masculine", "masculine against feminine"
    if not {*sides} <= set(rows.index):
        return ""
    she: Any = rows.loc[sides[0]]
    he: Any = rows.loc[sides[1]]
    text = (
        "**On generated sentences,** which are not like those that it has read, have nothing "
        "before them, and hold names and nouns that it may not know, the "
        f"{model.title} prefers the forms of *she* to those of *he* in {share_with(she)} where "
        f"they are right, and those of *he* in {share_with(he)}."
    )
    if float(she["high"]) < float(he["low"]):
        text += " So where it is unsure, it says *he*."
    elif float(he["high"]) < float(she["low"]):
        text += " So where it is unsure, it says *she*."
    return text


def _pairs(name: str, on_text: bool = False) -> str:
    source, _, split = name.partition("-")
    if source == "pronoun_agreement" and on_text and split in _SETS_OF_OTHERS:
        return _SETS_OF_OTHERS[split]
    if source == "pronoun_agreement" and split in _SETS:
        return _SETS[split]
    if source == "number_agreement":
        return "number agreement"
    return name.replace("_", " ")


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


def _default(model: ModelFindings) -> list[Block]:
    """Say whether the model takes *he* as the default, where that was measured."""
    table = model.default
    if table is None or not len(table):
        return []
    rows = {str(row["cue"]): row for _, row in table.iterrows()}
    none = rows.get("none")
    if none is None:
        return []
    parts = [f"{_he(none)} where nothing says the gender (*The doctor lost …*)"]
    for cue, words in (
        ("feminine", "after a woman (*The actress lost …*)"),
        ("masculine", "after a man (*The actor lost …*)"),
    ):
        if cue in rows:
            parts.append(f"{_he(rows[cue])} {words}")
    low, high = (
        float(none[end]) if is_number(none.get(end)) else float(none["masculine"])
        for end in ("low", "high")
    )
    leaning = "leans to *he*" if low > 0.5 else "leans to *she*" if high < 0.5 else "is undecided"
    return [
        Text(
            f"**Is *he* the default?** Of the probability that the {model.title} gives to *he* and "
            f"*she* together (all forms), *he* gets {listed(parts)}. Without a cue it {leaning}."
            f"{_middle(none, leaning)}"
        )
    ]


def _he(row: pd.Series) -> str:
    return share_with(row, "masculine", ("low", "high"))


def _middle(none: pd.Series, leaning: str) -> str:
    """Say whether a woman's word moves the model further than a man's, if that was measured."""
    low: Any = none.get("asymmetry_low")
    high: Any = none.get("asymmetry_high")
    if not (is_number(low) and is_number(high)):
        return ""
    text = (
        f" A woman’s word moves the log-odds by {number(none['moved_feminine'])} from there, a "
        f"man’s by {number(none['moved_masculine'])}; the difference is "
        f"{number(none['asymmetry'])} ({number(low)} to {number(high)})."
    )
    if float(low) > 0 and leaning == "leans to *he*":
        text += (
            " So *he* is its default, which a woman’s word has to overcome (compare Jumelet, "
            "Zuidema & Hupkes 2019)."
        )
    elif float(high) < 0 and leaning == "leans to *she*":
        text += " So *she* is its default, which a man’s word has to overcome."
    else:
        text += " Its default is not clearly *he*."
    return text
