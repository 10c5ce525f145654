"""The evidence: interchange, ablations, controls, a probe with its control task."""

import pandas as pd

from textgate.interchange import Units
from textgate.report._blocks import Block, Figure, Heading, Row, Section, Table, Text, plain
from textgate.report._figures import Series, cloud, curves, dots, split_by_units
from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import (
    control,
    directions,
    intervention,
    side_tasks,
    unit_claim,
    why_missing,
)
from textgate.report._words import count, is_number, number, percent, share_with, slug, units

_KINDS = {"zero": "set to 0", "mean": "set to the mean", "resample": "from other sentences"}
_METHOD = (
    "A heat map persuades nobody. The claim that some units *hold* the gender is tested by "
    "intervening: take the sentence *She came out and played with*, and let only these units have "
    "the values that they have at the same words of *He came out and played with*. If the model "
    "changes over to *his*, and back in the other direction, the units are **sufficient**. Then "
    "take the units out, in three ways. If the model falls near chance without them in all three, "
    "they are **necessary**. The units were chosen on one half of the sentences; everything below "
    "was measured on the other, which has no template, name, noun or verb in common with the first."
)


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[Block] = [Text(_METHOD)]
    several = len(findings.models) > 1
    for model in findings.models:
        if several:
            blocks.append(Heading(model.title))
        blocks += [*_eligible(model), *_of_model(model)]
    return Section("How one can know", tuple(blocks))


def _eligible(model: ModelFindings) -> list[Block]:
    """Say which sentences a model of text is asked, if that is known."""
    table = model.table("asked", "units")
    if table is None or not model.on_text:
        return []
    row = table.iloc[0]
    if not bool(row.get("chosen", True)):
        return [
            Text(
                f"The {model.title} has read other sentences than these generated ones: of "
                f"{count(row['sentences'])}, it knows the deciding words of {count(row['known'])}, "
                f"but gets only {count(row['both'])} right on both sides, for the sentence and its "
                "twin."
            )
        ]
    return [
        Text(
            f"The {model.title} has read other sentences than these generated ones: of "
            f"{count(row['sentences'])}, it knows the deciding words of {count(row['known'])} and "
            f"gets {count(row['right'])} right, and {count(row['both'])} on both sides, for the "
            "sentence and its twin. Only these are used in this section and for gates held still "
            "below, since where a model has no opinion, nothing can change it. So what "
            "follows is about sentences in which it agrees, and the whole model is right on them "
            "by choice."
        )
    ]


def _of_model(model: ModelFindings) -> list[Block]:
    if model.finding is None:
        why = why_missing(model, "units")
        return [Text(f"Units were not looked for in this model{why}", "note"), *_probes(model)]
    blocks: list[Block] = [Text(plain(model.finding.get("verdict", "")), "key")]
    if unit_claim(model).kind != "unknowing":
        figures = [f for f in (_interchange(model), _ablation(model)) if f is not None]
        blocks += [Row(tuple(figures))] if figures else []
        blocks += [*_each_unit(model), *_controls(model), *_table(model)]
    return [*blocks, *_probes(model)]


def _side(direction: str) -> str:
    return plain(direction.replace("→", " → "))


def _interchange(model: ModelFindings) -> Figure | None:
    """Return what exchanging the units, and all others, does."""
    table = model.table("interventions", "units")
    if table is None or not (table["set"] == "sufficient").any():
        return None
    sides = directions(model)
    series = [Series(_side(side)) for side in sides]
    row = intervention(model, "sufficient", "interchange")
    assert row is not None
    members = Units.parse(row["units"])
    names = {"interchange": _many(members), "interchange others": "all other units"}
    for kind, name in names.items():
        for one, side in zip(series, sides, strict=True):
            row = intervention(model, "sufficient", kind, side)
            if row is not None and is_number(row["flipped"]):
                one.add(name, row["flipped"], row["flipped_low"], row["flipped_high"])
    chance = Series("control sets (worse direction)")
    for kind, name in (("random", "random units"), ("norm-matched", "units as active")):
        row = control(model, "sufficient", "interchange", kind)
        if row is not None and is_number(row["control_mean"]):
            label = f"{name}, {count(row['sets'])} sets"
            chance.add(label, row["control_mean"], row["control_mean"], row["control_largest"])
    every = [one for one in (*series, chance) if len(one.at)]
    if not every:
        return None
    figure = dots(every, "pronoun changed, in %")
    figure["layout"]["xaxis"]["range"] = [-3, 103]
    enough = bool(unit_claim(model).sufficient)
    caveat = "" if enough else " (the best set that was tried; it is not enough)"
    return Figure(
        f"interchange-{slug(model.name)}",
        figure,
        f"**Is it enough?** How often the model changes its pronoun when {units(members)}{caveat} "
        f"{'has' if len(members) == 1 else 'have'} the values of the gender-swapped sentence; "
        "the same for all other units, and for as many units drawn at random or of like activity "
        "(mean, with a bar to the largest). Intervals: 95 %, by template and lexeme.",
        height=300,
    )


def _many(members: Units) -> str:
    return units(members) if len(members) <= 3 else f"these {len(members)} units"


def _ablation(model: ModelFindings) -> Figure | None:
    """Return what is left of agreement without the units."""
    tried = (intervention(model, name, "zero") for name in ("necessary", "sufficient"))
    ablated = next((row for row in tried if row is not None), None)
    if ablated is None:
        return None
    name, members = str(ablated["set"]), Units.parse(ablated["units"])
    sides = directions(model)
    series = [Series(_side(side)) for side in sides]
    for one, side in zip(series, sides, strict=True):
        row = intervention(model, "none", "none", side)
        if row is not None:
            one.add("whole model", row["accuracy"], row["accuracy_low"], row["accuracy_high"])
    intact = intervention(model, "none", "none")
    chance = Series("as many random units")
    for kind, words in _KINDS.items():
        label = f"units {words}"
        for one, side in zip(series, sides, strict=True):
            row = intervention(model, name, kind, side)
            if row is not None:
                one.add(label, row["accuracy"], row["accuracy_low"], row["accuracy_high"])
        row = control(model, name, kind, "random")
        if row is not None and intact is not None:
            mean = float(intact["accuracy"]) - float(row["control_mean"])
            worst = float(intact["accuracy"]) - float(row["control_largest"])
            chance.add(label, mean, worst, mean)
    every = [one for one in (*series, chance, *_side_tasks(model, name)) if len(one.at)]
    figure = dots(every, "right, in %", chance=0.5)
    figure["layout"]["xaxis"]["range"] = [-3, 103]
    return Figure(
        f"ablation-{slug(model.name)}",
        figure,
        f"**Can it do without?** Agreement in gender without {units(members)}, taken out in three "
        "ways, by direction. An ablated model tends to say one pronoun always, right in one "
        "direction and wrong in the other; the dotted line is what that comes to on average. "
        "Beside it: as many random units (mean, with a bar to the worst), and a task that has "
        "nothing to do with gender.",
        height=380,
    )


def _side_tasks(model: ModelFindings, name: str) -> list[Series]:
    table = side_tasks(model)
    if table is None:
        return []
    series = []
    for task, rows in table.groupby("task", sort=False):
        one = Series(str(task))
        for _, row in rows.iterrows():
            if row["set"] == "none":
                label = "whole model"
            elif row["set"] == name and row["intervention"] in _KINDS:
                label = f"units {_KINDS[str(row['intervention'])]}"
            else:
                continue
            one.add(label, row["accuracy"], row["accuracy_low"], row["accuracy_high"])
        series.append(one)
    return series


def _each_unit(model: ModelFindings) -> list[Block]:
    """Return what each unit does alone: its share of the logit difference, by direction."""
    table = model.table("units", "units")
    columns = [] if table is None else [str(c) for c in table if str(c).startswith("share ")]
    if table is None or len(columns) != 2:
        return []
    shares = table[columns].astype(float).to_numpy()
    series = split_by_units(
        table["unit"],
        unit_claim(model).units,
        shares[:, 0].tolist(),
        shares[:, 1].tolist(),
        [f"{percent(first)} and {percent(second)}" for first, second in shares],
    )
    names = [_side(column.removeprefix("share ")) for column in columns]
    figure = cloud(series, f"share moved, {names[0]}", f"share moved, {names[1]}")
    low, high = float(shares.min()), float(shares.max())
    reach = [min(-0.05, low * 1.1), max(0.3, high * 1.15)]
    figure["layout"]["xaxis"]["range"] = figure["layout"]["yaxis"]["range"] = reach
    figure["layout"]["xaxis"]["zeroline"] = figure["layout"]["yaxis"]["zeroline"] = True
    return [
        Figure(
            f"units-{slug(model.name)}",
            figure,
            f"**One unit at a time.** Each point is one of the {len(table):,} units: which share "
            "of the difference between *her* and *his* moves over to the other pronoun when this "
            "unit alone has the value of the gender-swapped sentence, in both directions. Units at "
            "0 do nothing.",
            height=420,
        )
    ]


def _controls(model: ModelFindings) -> list[Block]:
    sentences = []
    table = model.table("untrained", "units")
    if table is not None:
        rows = table[table["set"].isin(["sufficient", "own"])]
        if len(rows):
            most = float(rows["flipped_of_all"].astype(float).max())
            sentences.append(
                f"In models of the same shape with fresh weights, the same exchange changes "
                f"{percent(most)} of the answers at most, whether with these units or with those "
                "that the search finds there."
            )
    text = model.table("perplexity", "units")
    if text is not None and "ratio_others" in text:
        rows = text[text["set"].isin(["sufficient", "necessary"])]
        if len(rows):
            most = float(rows["ratio_others"].astype(float).max())
            sentences.append(
                "On ordinary sentences, words other than pronouns become "
                f"{percent(max(0.0, most - 1))} more perplexing at most without the units."
            )
    tests = model.table("units", "units")
    if tests is not None and "p_adjusted" in tests:
        clear = int((tests["p_adjusted"].astype(float) <= 0.05).sum())
        sentences.append(
            f"Of all {len(tests):,} units, {clear or 'none'} move{'s' if clear < 2 else ''} the "
            "pronoun by more than chance would on the confirmation half (sign flips by cluster, "
            "corrected over all units, 5\u00a0%)."
        )
    return [Text(" ".join(sentences))] if sentences else []


def _table(model: ModelFindings) -> list[Block]:
    table = model.table("interventions", "units")
    if table is None:
        return []
    shown = pd.DataFrame(
        {
            "set": table["set"],
            "units": table["units"].fillna("").astype(str) if "units" in table else "",
            "intervention": table["intervention"],
            "direction": [str(d).replace("→", " → ") for d in table["direction"]],
            "items": [count(n) for n in table["items"]],
            "right": [share_with(row, "accuracy") for _, row in table.iterrows()],
            "changed": [share_with(row, "flipped") for _, row in table.iterrows()],
        }
    )
    return [
        Table(
            shown,
            "Each intervention on the confirmation half, by direction. *Right*: the pronoun that "
            "the sentence asks for is the likelier. *Changed*: of the items where the model is "
            "right on both sentences. With 95 % intervals.",
            folded=True,
            heading=f"All interventions on the {model.title}",
        )
    ]


def _probes(model: ModelFindings) -> list[Block]:
    """Return the probe with its control task, which shows what is encoded, not what is used."""
    table = model.table("positions", "probes")
    if table is None:
        return []
    rows = table[pd.to_numeric(table["accuracy"], errors="coerce").notna()]
    if not len(rows):
        return []
    x = rows["position"].astype(float).tolist()
    lines = {"accuracy": "probe, unseen names", "majority": "always the same answer"}
    lines |= {"embedding": "probe on the word vectors alone", "control": "control task"}
    series = [
        Series(label, x, (100 * rows[column].astype(float)).tolist())
        for column, label in lines.items()
        if column in rows and pd.to_numeric(rows[column], errors="coerce").notna().any()
    ]
    figure = curves(series, "words after the antecedent", "right, in %")
    last = rows.iloc[-1]
    best = rows.iloc[rows["accuracy"].astype(float).argmax()]
    text = (
        f"A linear probe reads the gender from the {plain(last['signal']).replace('_', ' ')} of "
        f"the {model.title} with up to {share_with(best)} for names and nouns that it was not "
        f"trained on; {count(last['position'])} words after the antecedent it still gets "
        f"{percent(last['accuracy'])}."
    )
    if "selectivity" in rows and is_number(best["selectivity"]):
        text += (
            f" Its selectivity there is {number(100 * float(best['selectivity']), 1)} points: so "
            "much better it does than on a control task, in which each word was given a gender by "
            "lot (Hewitt & Liang 2019)."
        )
    text += " This shows that the gender is *encoded*; that it is *used* only interventions show."
    return [
        Text(text),
        Figure(
            f"probe-{slug(model.name)}",
            figure,
            "**What can be read off.** Accuracy of linear probes trained anew at each word after "
            "the antecedent, on names and nouns that were kept from them, beside three baselines.",
            height=320,
        ),
    ]
