"""Number agreement tasks as Lakretz et al. published them: tables without a heading.

    The boys near the car greet     plural_singular   correct   id7
    The boys near the car greets    plural_singular   wrong     id7

The cells are separated by tabulators: the sentence, one or more cells with its condition (the
number of the subject, then that of the noun between), `correct` or `wrong`, and a name that the
two sentences of a pair share.

The files don't say what the same sentence with a subject of the other number is, which contrasts
need. It is made from the words of the file: where the subject stands, *boys* becomes *boy*, if
sentences of the other class have that there. What else goes with the number of the subject (a verb
of a relative clause) is exchanged, too; what stands there in both classes (the noun between) is
not.

Reference: Lakretz et al. 2019, The emergence of number and syntax units in LSTM language models.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textgate.datasets.lexicon import NUMBERS
from textgate.datasets.words import split as split_words

VERDICTS = ("correct", "wrong")
_OTHER = dict(zip(NUMBERS, NUMBERS[::-1], strict=True))
_IRREGULAR = {"child": "children", "person": "people", "foot": "feet", "tooth": "teeth"}
_IRREGULAR |= {"is": "are", "was": "were", "has": "have", "does": "do"}
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()}


def is_number_task(cells: Sequence[str]) -> bool:
    """Whether a line's cells are those of such a table."""
    return len(cells) >= 4 and cells[-2].strip() in VERDICTS


def pairs_of(lines: Sequence[tuple[int, list[str]]], path: Path) -> pd.DataFrame:
    """Return the pairs of a table, in the order of their first sentences.

    Args:
        lines: The cells of each line, with its number.
        path: Where they come from, for the messages.

    Raises:
        ValueError: If a line has other cells than the first, or a pair isn't one correct and one
            wrong sentence that differ in one word.
    """
    width = len(lines[0][1])
    grouped: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for number, cells in lines:
        *_, verdict, name = cells = [cell.strip() for cell in cells]
        if len(cells) != width or not is_number_task(cells):
            raise ValueError(
                f"Line {number} should have {width} cells: a sentence, its condition, correct or "
                f"wrong, and a name. Received: {cells} in {path}"
            )
        pair = grouped[(*cells[1:-2], name)]
        if verdict in pair:
            raise ValueError(
                f"Line {number} is the second {verdict} sentence of its pair. "
                f"Received: {cells} in {path}"
            )
        pair[verdict] = cells[0]
    rows = []
    for item, (key, pair) in enumerate(grouped.items()):
        if len(pair) < 2:
            raise ValueError(
                "A pair needs a correct and a wrong sentence. "
                f"Received: only {next(iter(pair.values()))!r} of {key[-1]!r} in {path}"
            )
        rows.append(_row(item, pair["correct"], pair["wrong"], key))
    _add_counterparts(rows)
    return pd.DataFrame(rows)


def _row(item: int, good: str, bad: str, key: tuple[str, ...]) -> dict[str, Any]:
    words, others = good.split(), bad.split()
    differing = [i for i, pair in enumerate(zip(words, others, strict=False)) if len({*pair}) > 1]
    at = differing[0] if differing and len(words) == len(others) else -1
    row: dict[str, Any] = {"item": item, "good": good, "bad": bad, "target": -1}
    row |= {"id": key[-1], "condition": "_".join(key[:-1])}
    numbers = row["condition"].split("_")
    if numbers[0] in NUMBERS:
        row["good_class"], row["bad_class"] = numbers[0], _OTHER[numbers[0]]
        row["direction"] = f"{numbers[0]}→{numbers[0]}"
        between = [number for number in numbers[1:] if number in NUMBERS]
        row["attractors"] = len(between)
        row["incongruent_attractors"] = between.count(_OTHER[numbers[0]])
    if at >= 0:
        row["prefix"] = " ".join(words[:at])
        row["target"] = len(split_words(row["prefix"]))
        row["verbs"] = min(words[at], others[at], key=lambda word: (len(word), word))
    return row


def _add_counterparts(rows: Sequence[dict[str, Any]]) -> None:
    """Give each row the prefix with a subject of the other number, empty if there is none."""
    there: Mapping[tuple[str, int], set[str]] = defaultdict(set)
    for row in rows:
        for place, word in enumerate(row.get("prefix", "").split()):
            there[row.get("good_class", ""), place].add(word)
    for row in rows:
        own = row.get("good_class", "")
        words = row.get("prefix", "").split()
        swapped = list(words)
        for place, word in enumerate(words):
            forms = _other_forms(word) & there[_OTHER.get(own, ""), place]
            forms -= there[own, place]
            if len(forms) == 1 and word not in there[_OTHER.get(own, ""), place]:
                [swapped[place]] = forms
        changed = [
            place for place, pair in enumerate(zip(words, swapped, strict=True)) if len({*pair}) > 1
        ]
        row["counterpart_prefix"] = " ".join(swapped) if changed else ""
        if changed:
            both = words[changed[0]], swapped[changed[0]]
            row["antecedent"], row["lexeme"] = both[0], both[0 if own == NUMBERS[0] else 1]
            row["counterpart_lexeme"] = row["lexeme"]


def _other_forms(word: str) -> set[str]:
    """Return what the form of the other number may be, of a noun or a verb."""
    forms = {f"{word}s", f"{word}es", word.removesuffix("y") + "ies"}
    if word.endswith("s"):
        forms |= {word[:-1], word.removesuffix("es"), word.removesuffix("ies") + "y"}
    for singular, plural in (("man", "men"), ("fe", "ves"), ("f", "ves")):
        if word.endswith(singular):
            forms.add(word.removesuffix(singular) + plural)
        if word.endswith(plural):
            forms.add(word.removesuffix(plural) + singular)
    forms |= {table[word] for table in (_IRREGULAR, _SINGULAR) if word in table}
    return forms - {word}
