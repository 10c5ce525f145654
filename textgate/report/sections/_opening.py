"""The opening: the question, and the answer in short."""

import pandas as pd

from textgate.report._blocks import Points, Section, Text, plain
from textgate.report._findings import Findings, ModelFindings
from textgate.report._words import counted, listed, number, percent, share_with, units
from textgate.report.sections._rule import outcome, row_of
from textgate.report.status import (
    NOT,
    PARTLY,
    UNKNOWN,
    Learned,
    beside,
    found,
    intervention,
    learned,
)

_SIDE = 2.0  # points that another task may lose
TITLE = "Which units remember that it was *she*?"


def title(findings: Findings) -> str:
    """Return the title of the page."""
    return TITLE


def opening(findings: Findings) -> Section:
    """Return the section that asks the question."""
    many = len(findings.models) > 1
    models = listed(_article(model.cell) for model in findings.models)
    return Section(
        "question",
        "The question",
        (
            Text(
                "*She came out and played with … dog.* Any reader of English fills the gap with "
                "*her*, because of a word six words back. A recurrent network reads one word at a "
                "time and keeps nothing but a vector of numbers, its state. If it fills the gap as "
                "we do, something in that vector has to carry *she* over *came out and played "
                "with*, and gates have to let it in, keep it and let it out.",
                "lead",
            ),
            Text(
                f"This page takes {models}, trained from nothing on {_data(findings)}, and asks "
                "which of the units carry the gender, how one can know, and what the gates do "
                f"about it. Everything on it is about {'these models' if many else 'this model'}."
                f"{_how(findings)}"
            ),
        ),
    )


def _article(cell: str) -> str:
    return f"{'an' if cell[:1] in 'LAEIO' else 'a'} {cell}"


def _data(findings: Findings) -> str:
    sources = {str(model.config.get("data", "")) for model in findings.models}
    if sources == {"pronoun_agreement"}:
        return "sentences generated for the purpose"
    if "" in sources or "pronoun_agreement" in sources:
        return "text"
    return "running English text" if findings.models[0].config.get("running") else "English text"


def _how(findings: Findings) -> str:
    """Say how a model of text is asked, since text has no minimal pairs."""
    told = [model for model in findings.models if model.on_text]
    given = {name for model in told for name in model.rule}
    if not told:
        return ""
    asked = (
        "How well it agrees is asked on contexts of real text whose next word is a pronoun of "
        "known gender. "
        if given
        else ""
    )
    one = len(told) == 1
    return (
        f" {asked}Which units do it, and what the gates do, is asked with sentences generated for "
        f"the purpose: each has a twin, the same words about somebody of the other gender, which "
        f"text hasn’t. {'The model was' if one else 'The models were'} not trained on these."
    )


def in_short(findings: Findings) -> Section:
    """Return the answer in short: a point for each model, chosen by what was found."""
    points = tuple(f"**{model.title}.** {headline(model)}" for model in findings.models)
    return Section("short", "In short", (Points(points),))


def headline(model: ModelFindings) -> str:
    """Return what was found about a model, in two or three sentences."""
    known = learned(model)
    return f"{_agreement(model, known)} {_units(model, known)}".strip()


def _agreement(model: ModelFindings, known: Learned) -> str:
    if known.level == UNKNOWN:
        return "Whether it agrees in gender was not measured."
    sides = listed(_direction(row["group"]) + share_with(row) for row in known.rows)
    if known.level == NOT:
        return (
            f"It has not learned the agreement: right in {sides}, where a coin would be right in "
            f"{percent(0.5)}."
        )
    if known.pairs in model.rule:
        return f"{_on_contexts(model, known)}"
    verb = "has learned the agreement only in part" if known.level == PARTLY else "agrees in gender"
    return f"It {verb}: right in {sides} of held-out cases."


def _on_contexts(model: ModelFindings, known: Learned) -> str:
    """Return how a model does on contexts of text, beside the rule."""
    sides = {
        "feminine": "where *she* or *her* follows",
        "masculine": "where *he*, *his* or *him* does",
    }
    said = " and ".join(
        f"in {share_with(row)} {sides.get(str(row['group']), plain(row['group']))}"
        for row in known.rows
    )
    verb = "Before pronouns in text it expects the right gender"
    rule = row_of(model, known.pairs, "all")
    between = row_of(model, known.pairs, "with attractors")
    if rule is None:
        return f"{verb} {said}."
    more = (
        f" Over all, it {outcome(rule)} the rule “the gender of the last gendered word” "
        f"({percent(rule['accuracy'])} against {percent(rule['rule'])}"
        f"{_but(model, known.pairs, rule)})"
    )
    if between is not None and outcome(between) == outcome(rule):
        more += (
            ", also where other people stand between "
            f"({percent(between['accuracy'])} against {percent(between['rule'])})"
        )
    elif between is not None:
        more += (
            f"; where other people stand between, it {outcome(between)} it "
            f"({percent(between['accuracy'])} against {percent(between['rule'])})"
        )
    return f"{verb} {said}.{more}."


def _but(model: ModelFindings, pairs: str, whole: pd.Series) -> str:
    """Say where a model does not do in one direction what it does over all."""
    words = {"feminine": "*she*", "masculine": "*he*"}
    sides = {side: row_of(model, pairs, "all", side) for side in words}
    other = [
        f"it {outcome(row)} it where {words[side]} is right"
        for side, row in sides.items()
        if row is not None and outcome(row) != outcome(whole)
    ]
    return f"; but {' and '.join(other)}" if other else ""


def _direction(group: object) -> str:
    good = str(group).split(" ")[0]
    return {"feminine": "*she* → *her* ", "masculine": "*he* → *his* "}.get(good, f"{plain(good)} ")


def _units(model: ModelFindings, known: Learned) -> str:
    what = found(model)
    if what.kind == "missing":
        if known.level == NOT:
            return "So there is nothing to look for in its units."
        return "Which of its units hold the gender was not looked for."
    finding = model.finding or {}
    total = int(finding.get("units", 0))
    place = (
        f"{plain(finding.get('layer', ''))}’s {str(finding.get('signal', '')).replace('_', ' ')}"
    )
    if what.kind == "unknowing":
        where = " in sentences that have a twin of the other gender" if model.on_text else ""
        return f"It does not agree well enough{where} for asking which units hold the gender."
    if what.kind in ("none", "direction"):
        said = f"No small set of units that holds the gender was found in {place}"
        if what.kind == "direction":
            rank = int(finding.get("direction_rank", 0))
            kind = "a direction over many units" if rank == 1 else f"a subspace of rank {rank}"
            return f"{said}; {kind} does."
        return f"{said}, nor a direction."
    said = ""
    if what.sufficient:
        size = counted(len(what.sufficient), "unit")
        flips = intervention(model, "sufficient", "interchange")
        done = f" in {percent(flips['flipped'])} of new sentences" if flips is not None else ""
        them = "it has" if len(what.sufficient) == 1 else "they have"
        verb = "decides" if len(what.sufficient) == 1 else "decide"
        said = (
            f"**{size.capitalize()} of {total:,}** ({units(what.sufficient)} of {place}) {verb} "
            "it: "
            f"given the values that {them} in the sentence about the other gender, the model "
            f"changes its pronoun{done}."
        )
    else:
        said = "No small set of units is enough to change its pronoun."
    one = len(what.sufficient) == 1
    if what.in_one:
        said += f" The same {'unit is' if one else 'units are'} necessary: without "
        said += f"{'it' if one else 'them'}, {_fall(model, 'sufficient')}."
    elif what.necessary:
        said += f" {_without(model, 'necessary', what.necessary)}"
    elif what.kind == "sufficient":
        said += f" {'It is' if one else 'They are'} enough, but not necessary"
        if what.specific:
            said += f". {_without(model, 'specific', what.specific)}"
        else:
            said += ": the gender is stored elsewhere, too."
    return said


def _without(model: ModelFindings, name: str, members: tuple[int, ...]) -> str:
    return f"Without {units(members)}, {_fall(model, name)}."


def _fall(model: ModelFindings, name: str) -> str:
    """Say what is left without a set, and what else is lost."""
    left = _left(model, name)
    fall = "falls" if left is None else f"falls to {percent(left)} at most"
    return f"agreement {fall}{_cost(model, name)}"


def _left(model: ModelFindings, name: str) -> float | None:
    """Return the agreement that is left without a set, however it is taken out, if known."""
    rows = [intervention(model, name, kind) for kind in ("zero", "mean", "resample")]
    return max((float(row["accuracy"]) for row in rows if row is not None), default=None)


def _cost(model: ModelFindings, name: str) -> str:
    """Say what else is lost without the units: do they hold gender only?"""
    costs = [
        f"{number(lost, 1)} points of {plain(task)}" if lost >= _SIDE else f"{plain(task)} stays"
        for task, lost in beside(model, name)
    ]
    if not costs:
        return ""
    lost = any("points" in cost for cost in costs)
    return f"; {'it also costs ' if lost else ''}{listed(costs)}{' at most' if lost else ''}"


def three_lines(findings: Findings) -> list[str]:
    """Return what a study found, as three lines for a terminal."""
    agreement = "; ".join(f"{model.title}: {_plain_agreement(model)}" for model in findings.models)
    holds = "; ".join(f"{model.title}: {_plain_units(model)}" for model in findings.models)
    effects = "; ".join(f"{model.title}: {_plain_effect(model)}" for model in findings.models)
    return [f"Agreement. {agreement}.", f"Units. {holds}.", f"Evidence. {effects}."]


def _plain_agreement(model: ModelFindings) -> str:
    known = learned(model)
    if known.level == UNKNOWN:
        return "not measured"
    sides = ", ".join(
        f"{str(r['group']).split(' ')[0]} {percent(r['accuracy'])}" for r in known.rows
    )
    rule = row_of(model, known.pairs, "all")
    beside = "" if rule is None else f", {outcome(rule)} the rule ({percent(rule['rule'])})"
    return ("not learned, " if known.level == NOT else "") + sides + beside


def _plain_units(model: ModelFindings) -> str:
    what = found(model)
    if what.kind == "missing":
        return "not looked for"
    if what.kind == "unknowing":
        return "the model doesn't agree well enough to ask"
    if what.kind == "none":
        return "no small set found, nor a direction"
    if what.kind == "direction":
        return "no small set found, but a direction"
    parts = []
    if what.sufficient:
        too = " and necessary" if what.in_one else ""
        parts.append(f"{units(what.sufficient)} sufficient{too}")
    if what.necessary and not what.in_one:
        parts.append(f"{units(what.necessary)} necessary")
    total = int((model.finding or {}).get("units", 0))
    return f"{' and '.join(parts)}, of {total:,}"


def _plain_effect(model: ModelFindings) -> str:
    what = found(model)
    parts = []
    row = intervention(model, "sufficient", "interchange")
    if what.sufficient and row is not None:
        parts.append(f"exchanging them flips {percent(row['flipped'])} of new sentences")
    left = _left(model, "sufficient" if what.in_one else "necessary")
    if (what.necessary or what.in_one) and left is not None:
        which = "them" if what.in_one else "the necessary ones"
        parts.append(f"without {which} {percent(left)} agree at most")
    return ", ".join(parts) or "nothing that holds on new sentences"
