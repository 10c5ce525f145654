"""Models beside the rule "the gender of the last gendered word", on contexts of running text."""

import pandas as pd

from textgate.report._blocks import Block, Figure, Table, Text, plain
from textgate.report._figures import Series, dots
from textgate.report._findings import ModelFindings
from textgate.report._status import beside_rule, outcome
from textgate.report._words import count, interval, number, percent, sentence, share_with, slug

RULE = "the rule"
_SIDES = {"all": "", "feminine": ", she", "masculine": ", he"}
_MANY = 30  # contexts, below which a group is not worth a sentence


def rows_of(model: ModelFindings, name: str, by: str) -> pd.DataFrame | None:
    """Return the rows of a comparison with one grouping, if there is one."""
    table = model.rule.get(name)
    rows = None if table is None else table[table["by"] == by]
    return rows if rows is not None and len(rows) else None


def points(row: pd.Series) -> str:
    """Return the difference of model and rule, such as "+2.8 points (1.5 to 4.1)"."""
    value, low, high = (
        _signed(row[name]) for name in ("difference", "difference_low", "difference_high")
    )
    return f"{value} points ({low} to {high})"


def _signed(share: float) -> str:
    points = number(100 * float(share), 1)
    return points if points.startswith("−") or points == "0.0" else f"+{points}"


def comparison(models: list[ModelFindings], name: str) -> list[Block]:
    """Return words, figure and table of the models beside the rule; nothing without a rule."""
    compared = [model for model in models if name in model.rule and len(model.rule[name])]
    if not compared:
        return []
    explained = (
        "**Is it more than the last gendered word?** In running text most pronouns take the gender "
        "of whatever gendered word came last. So a rule that needs no model stands beside: the "
        "gender of the last pronoun, title (*Mrs*) or gendered noun (*queen*), and *he* where "
        "there is none. It knows no first names."
    )
    return [
        Text(" ".join([explained, *(_compared(model, name) for model in compared)])),
        _figure(compared, name),
    ]


def _compared(model: ModelFindings, name: str) -> str:
    """Say how a model does beside the rule: over all, with others between, and near."""
    overall = beside_rule(model, name, "all")
    if overall is None:
        return ""
    text = (
        f"On {count(overall['items'])} contexts the rule is right in "
        f"{share_with(overall, 'rule', ('rule_low', 'rule_high'))}, the {model.title} in "
        f"{share_with(overall)}: {points(overall)}. So it {outcome(overall)} the rule"
        f"{_by_gender(model, name, 'all')}"
    )
    between = beside_rule(model, name, "with attractors")
    if between is not None and between["items"] >= _MANY:
        text += (
            f". Where other people stand between ({count(between['items'])} contexts) it "
            f"{outcome(between)} it: {percent(between['accuracy'])} against "
            f"{percent(between['rule'])}, {points(between)}"
            f"{_by_gender(model, name, 'with attractors')}"
        )
    for by in dict.fromkeys(map(str, model.rule[name]["by"])):
        she, he = (beside_rule(model, name, by, side) for side in ("feminine", "masculine"))
        if by.startswith("within") and she is not None and he is not None:
            text += (
                f". {sentence(_place(by))}, it is right in {share_with(she)} where *she* (or "
                f"*her*) follows and in {share_with(he)} where *he* (*his*, *him*) does; the rule "
                f"in {percent(she['rule'])} and {percent(he['rule'])}"
            )
    return f"{text}."


def _by_gender(model: ModelFindings, name: str, by: str) -> str:
    """Return the differences in each direction."""
    differences = [
        f"{points(row)} where {word} is right"
        for side, word in (("feminine", "*she*"), ("masculine", "*he*"))
        if (row := beside_rule(model, name, by, side)) is not None
    ]
    return f" ({'; '.join(differences)})" if differences else ""


def _place(by: str) -> str:
    """Return the name of a grouping as words."""
    return plain(by).replace(", no attractors", " of its antecedent and with nobody else between")


def _figure(models: list[ModelFindings], name: str) -> Figure:
    series = [Series(model.title) for model in models]
    rule = Series(RULE)
    heads = [by for by in dict.fromkeys(models[0].rule[name]["by"]) if _is_head(str(by))]
    for by in heads:
        for side, words in _SIDES.items():
            label = f"{_label(str(by))}{words}"
            for model, one in zip(models, series, strict=True):
                row = beside_rule(model, name, str(by), side)
                if row is None:
                    continue
                one.add(label, row["accuracy"], row["low"], row["high"])
                one.hover.append(f"{model.title}, {count(row['items'])} contexts: {points(row)}")
                if label not in rule.at:
                    rule.add(label, row["rule"], row["rule_low"], row["rule_high"])
                    rule.hover.append(f"rule, {count(row['items'])} contexts")
    return Figure(
        f"rule-{slug(name)}",
        dots([*series, rule], "right, in %", chance=0.5),
        "**Model and rule** on the same contexts, with 95 % intervals: all of them; *near*, "
        f"{_near(models[0], name)}; and *others between*, where other people (attractors) stand "
        "between antecedent and pronoun. Each also by the gender that is right. Differences, with "
        "intervals of their own (paired), are in the numbers.",
        height=130 + 44 * len(rule.at),
        table=Table(
            pd.concat([_table(model, model.rule[name]) for model in models]),
            "Model and rule; the difference is in points, with its 95 % interval.",
            folded=True,
        ),
    )


def _near(model: ModelFindings, name: str) -> str:
    """Say what counts as near, if it was counted."""
    near = [str(by) for by in model.rule[name]["by"] if str(by).startswith("within")]
    return _place(near[0]) if near else "the antecedent is near"


def _is_head(by: str) -> bool:
    return by not in ("distance", "attractors")


def _label(by: str) -> str:
    """Return the name of a grouping, short enough for a phone."""
    if by.startswith("within"):
        return "near"
    return "others between" if by == "with attractors" else by


def _table(model: ModelFindings, table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": model.title,
            "contexts of": [_label(str(by)) for by in table["by"]],
            "group": table["group"].astype(str),
            "number": [count(n) for n in table["items"]],
            "right": [percent(a) for a in table["accuracy"]],
            "95 %": [interval(a, b) for a, b in zip(table["low"], table["high"], strict=True)],
            "rule": [percent(a) for a in table["rule"]],
            "difference": [points(row).replace(" points", "") for _, row in table.iterrows()],
        }
    )
