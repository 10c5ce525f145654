"""What the ladder lets one conclude, or refute, in words made from its tables.

A difference is spoken of only where its interval over seeds lies on one side of nothing
(`textgate.study.ladder._contrasts`); else the sentence says that the data don't separate the two,
and how large a difference they still leave room for. Each line has its own comparisons, and its
intervals are widened for these. What isn't separated isn't thereby equal.

The questions:

- Does the forget gate carry gender over distance? If it does, a model without it (f ≡ 1, so that
  nothing ever goes) is worse, and the more so the farther.
- Is the reset gate needed for agreement? A model trained without it (r ≡ 1) tells, and two that
  lack more: one whose new values never see the past (r ≡ 0), one that keeps nothing as it was.
- Where do simple models stop being enough? They do where they are worse than the gated one.
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from textgate.study.ladder._contrasts import BITS, differences, groups_of, growth, intervals

if TYPE_CHECKING:
    from textgate.study.ladder._comparison import Ladder

SIMPLE = (
    "constant",
    "kneser_ney",
    "average",
    "last_words",
    "smoothing",
    "gru_reset_0",
    "simple_rnn",
)
_LESS = {  # what is asked of each rung that is a GRU with something taken away
    "gru_reset_1": "Is the reset gate needed for agreement? (gru_reset_1, trained without it)",
    "gru_reset_0": "Must new values see the past? (gru_reset_0, where they never do)",
    "gru_no_leak": "Must the old state be carried over as it is? (gru_no_leak, which can't)",
}
_REFERENTS = "referents to remember"
_CHANCE = 0.5


def conclusions(ladder: "Ladder") -> list[str]:
    """Say what the tables of a ladder show, and what they leave open.

    Args:
        ladder: What `textgate.study.compare` found.

    Returns:
        A line an answer, then one on how the intervals are meant. Questions whose rungs aren't
        there are left out.
    """
    there = list(ladder.table["rung"])
    lines: list[str] = []
    if {"lstm", "lstm_forget_1"} <= set(there):
        lines.append(_forget_gate(ladder))
    if "gru" in there:
        lines += [_without(ladder, rung) for rung in _LESS if rung in there]
    best = next((rung for rung in ("lstm", "gru") if rung in there), None)
    simple = [rung for rung in there if rung in SIMPLE]
    if best and simple:
        lines += _simple(ladder, simple, best)
    stopped = ladder.table[ladder.table["stopped"] > 0]
    if lines and len(stopped):
        who = _listed([f"{row['rung']} ({row['stopped']})" for _, row in stopped.iterrows()])
        lines.append(f"The budget stopped models before they were done, which may be why: {who}.")
    if lines:
        lines.append(
            "Each line's intervals hold together with 95 % (over seeds, compared seed by seed, "
            "widened for the number of comparisons in the line); the lines aren't corrected for "
            "one another, and other items might say other things."
        )
    return lines


def _forget_gate(ladder: "Ladder") -> str:
    question = "Does the forget gate carry gender over distance? (lstm_forget_1 against lstm)"
    gaps, grain = differences(ladder.by_seed, ladder.runs, "lstm_forget_1", "lstm")
    groups = groups_of(ladder.by_seed, "distance")
    change, its_grain = growth(gaps, grain, groups[0], groups[-1])
    rise, left = ("growth", "distance"), ("left", groups[-1][1])
    grain = pd.concat([grain, its_grain, pd.Series({left: grain[groups[-1]]})])
    gaps = gaps.join(change)
    gaps[left] = _accuracies(ladder, "lstm_forget_1", groups[-1]).reindex(gaps.index) - _CHANCE
    table = intervals(gaps, grain, [*groups, rise, left])
    if len(gaps) < 2:
        return f"{question}: {_too_few(len(gaps))}"
    near, far = (_row(table, group) for group in (groups[0], groups[-1]))
    lower, higher = _where(table, "lower"), _where(table, "higher")
    steeper = _row(table, rise)
    change_text = (
        f"from {_points(near['difference'])} at {_words(groups[0])} to "
        f"{_points(far['difference'])} at {_words(groups[-1])}, a change of {_interval(steeper)}"
    )
    if lower and not higher and steeper["verdict"] == "lower":
        answer = (
            f"yes: without it fewer items are right at {_in_words(lower, groups)}, "
            f"and more is lost far away than near, {change_text} points."
        )
    elif lower and not higher:
        answer = (
            f"it helps, at {_in_words(lower, groups)}, but that it helps more far away than near "
            f"isn't shown: {change_text} points."
        )
    elif higher and not lower:
        answer = f"no: without it more items are right, at {_in_words(higher, groups)}."
    elif lower:
        answer = (
            f"not by itself: without it fewer items are right at {_in_words(lower, groups)}, more "
            f"at {_in_words(higher, groups)}."
        )
    elif steeper["verdict"]:
        way = "falls behind" if steeper["verdict"] == "lower" else "gains"
        answer = (
            "the data don't separate the two at any one distance, but without it the model "
            f"{way} with distance: {change_text} points."
        )
    else:
        answer = (
            "the data don't separate the two at any distance, nor the change over distance: "
            f"{change_text} points."
        )
    is_above = _row(table, left)["verdict"] == "higher"
    return f"{question}: {answer} {_left(ladder, groups[-1], is_above)}"


def _left(ladder: "Ladder", group: tuple[str, str], is_above: bool) -> str:
    """Say what is right far away with and without forget gate, and if that is above chance."""
    with_it, without = (_mean(ladder, rung, group) for rung in ("lstm", "lstm_forget_1"))
    said = f"At {_words(group)} {_percent(with_it)} are right with it and {_percent(without)} "
    said += "without, where guessing gives 50 %"
    if is_above:
        return f"{said}: something else carries it there, too."
    return f"{said}: that anything else carries it there isn't shown."


def _without(ladder: "Ladder", rung: str) -> str:
    gaps, grain = differences(ladder.by_seed, ladder.runs, rung, "gru")
    near, far = ("split", "test"), ("split", "far")
    held = groups_of(ladder.by_seed, _REFERENTS)
    table = intervals(gaps, grain, [near, far, BITS, *held])
    if len(gaps) < 2:
        return f"{_LESS[rung]}: {_too_few(len(gaps))}"
    both = table.loc[[near, far]]
    verdicts = set(both["verdict"]) - {""}
    numbers = (
        f"against gru {_interval(both.iloc[0])} points up to 40 words, "
        f"{_interval(both.iloc[1])} beyond"
    )
    if verdicts == {"lower"}:
        answer = f"yes, fewer items are right: {numbers}."
    elif verdicts == {"higher"}:
        answer = f"no, more items are right: {numbers}."
    elif verdicts:
        answer = f"it depends on the distance: {numbers}."
    else:
        room = 100 * both[["low", "high"]].abs().to_numpy().max()
        answer = (
            f"the data don't separate the two: {numbers}. They leave room for up to "
            f"{room:.1f} points either way."
        )
    for which, word in (("lower", "Fewer"), ("higher", "More")):
        groups = [group for group in _where(table, which) if group in held]
        if groups:
            several = _in_words(groups, held)
            answer += f" {word} are right at {several}, of whom one is asked for."
    bits = _row(table, BITS)
    gap_in_bits, low, high = (_signed(bits[name], 3) for name in ("difference", "low", "high"))
    change = f"{gap_in_bits} ({low} to {high})"
    answer += {
        "higher": f" Words are predicted worse, by {change} bits.",
        "lower": f" Words are predicted better, by {change} bits.",
        "": f" In bits a word the two aren't separated: {change}.",
    }[bits["verdict"]]
    return f"{_LESS[rung]}: {answer}"


def _simple(ladder: "Ladder", simple: Sequence[str], best: str) -> list[str]:
    """Return a line for each simple model, and one for all of them."""
    by_distance, by_held = (groups_of(ladder.by_seed, by) for by in ("distance", _REFERENTS))
    lines, behind = [], {}
    for rung in simple:
        gaps, grain = differences(ladder.by_seed, ladder.runs, rung, best)
        question = f"Is {rung} enough, against {best}?"
        if len(gaps) < 2:
            lines.append(f"{question} {_too_few(len(gaps))}")
            continue
        table = intervals(gaps, grain, [*by_distance, *by_held])
        behind[rung] = _where(table, "lower")
        answers = []
        for groups, nowhere in ((by_distance, "distance"), (by_held, "number of referents")):
            mine = [group for group in groups if group in behind[rung]]
            if mine:
                numbers = _against(ladder, rung, best, mine[0])
                first = f"; {numbers} at the first of these" if len(mine) > 1 else f"; {numbers}"
                answers.append(f"behind at {_in_words(mine, groups)}{first}")
            else:
                answers.append(f"at no {nowhere} is it shown to be behind")
        ahead = _where(table, "higher")
        if ahead:
            answers.append(f"ahead at {_listed([_words(group) for group in ahead])}")
        lines.append(f"{question} {_capital('. '.join(map(_capital, answers)))}.")
    if len(behind) == len(simple):
        for groups in (by_distance, by_held):
            lines.append(_all_behind(ladder, behind, groups, best))
    return lines


def _all_behind(
    ladder: "Ladder", behind: dict[str, list[tuple[str, str]]], groups: list, best: str
) -> str:
    """Say from which group on none of the simple models keeps up."""
    keeps_up = {
        group: [rung for rung, where in behind.items() if group not in where] for group in groups
    }
    gone = list(itertools.takewhile(lambda group: not keeps_up[group], reversed(groups)))
    by = "By distance" if groups[0][0] == "distance" else "By referents to remember"
    if not gone:
        who = max(keeps_up[groups[-1]], key=lambda rung: _mean(ladder, rung, groups[-1]))
        return (
            f"{by}: the data don't show where simple models stop being enough: even at "
            f"{_words(groups[-1])} {who} isn't shown to be behind {best} "
            f"({_against(ladder, who, best, groups[-1])})."
        )
    first = gone[-1]
    who = max(behind, key=lambda rung: _mean(ladder, rung, first))
    said = (
        f"{by}: simple models stop being enough at {_words(first)}, from where on each of them is "
        f"behind {best} ({who} least: {_against(ladder, who, best, first)})"
    )
    if len(gone) == len(groups):
        return f"{said}; there is nothing shorter or easier here."
    before = groups[groups.index(first) - 1]
    return f"{said}; at {_words(before)} {_listed(keeps_up[before])} can't be told from it."


def _against(ladder: "Ladder", rung: str, best: str, group: tuple[str, str]) -> str:
    return " against ".join(_percent(_mean(ladder, name, group)) for name in (rung, best))


def _mean(ladder: "Ladder", rung: str, group: tuple[str, str]) -> float:
    return float(_accuracies(ladder, rung, group).mean())


def _accuracies(ladder: "Ladder", rung: str, group: tuple[str, str]) -> pd.Series:
    """Return a rung's accuracy in a group, by seed."""
    table = ladder.by_seed
    mine = (table["rung"] == rung) & (table["by"] == group[0]) & (table["group"] == group[1])
    return table.loc[mine].set_index("seed")["accuracy"]


def _row(table: Any, key: tuple[str, ...]) -> Any:
    return table.loc[key]


def _where(table: pd.DataFrame, verdict: str) -> list[tuple[str, str]]:
    return [
        name
        for name in table.index[table["verdict"] == verdict]
        if name[0] not in ("growth", "left")
    ]


def _too_few(seeds: int) -> str:
    return f"nothing can be said with {seeds} seed{'s' * (seeds != 1)} of both; it takes more."


def _in_words(some: list[tuple[str, str]], groups: list[tuple[str, str]]) -> str:
    """Say which groups, shortly where they are all or all from one on."""
    what = "distance" if groups[0][0] == "distance" else "number of referents"
    if len(some) == len(groups):
        return f"every {what}"
    if some == groups[-len(some) :] and len(some) > 1:
        return f"{_words(some[0])} and all beyond"
    return _listed([_words(group) for group in some])


def _words(group: tuple[str, str]) -> str:
    by, name = group
    unit = "words" if by == "distance" else "referent" if name == "1" else "referents"
    return f"{name.replace('-', '–')} {unit}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(difference: float) -> str:
    return _signed(100 * difference, 1)


def _signed(number: float, digits: int) -> str:
    rounded = round(number, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def _interval(row: pd.Series) -> str:
    low, high = _points(row["low"]), _points(row["high"])
    return f"{_points(row['difference'])} ({low} to {high})"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
