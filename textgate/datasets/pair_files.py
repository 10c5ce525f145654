"""Minimal pairs that others wrote, and contexts with a gold pronoun, read into one shape.

Four formats are told apart by what is in the file:

- BLiMP's JSONL: an object a line with `sentence_good` and `sentence_bad` (Warstadt et al. 2020);
- tables of number agreement without a heading (Lakretz et al. 2019): sentence, condition, `correct`
  or `wrong`, and the name of the pair, separated by tabulators, in a `.txt` or `.tsv` file;
- CSV or TSV with the columns `prefix`, `good` and `bad`: the text before the word that differs, and
  that word, right and wrong (or the whole sentences);
- TSV of contexts with the columns `prefix`, `pronoun` and `gender` (m or f): running text up to a
  gendered pronoun, as in LitBank (Bamman et al. 2020). *her* is both a possessive and an object, so
  that such rows are scored by the summed probability of all forms of one gender (`good_forms`)
  against the other's (`bad_forms`), given the prefix.

A pair whose two sentences are the same stays in the table: no model tells them apart, so it is a
tie, and counts as wrong.
"""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._reading import LONGEST_LINE, parse_json, read_lines
from textgate.datasets import _number_tasks
from textgate.datasets.lexicon import PRONOUNS
from textgate.datasets.words import split as split_words

_FORMS = {
    "feminine": ("she", "her", "hers", "herself"),
    "masculine": ("he", "him", "his", "himself"),
}
_GENDERS = {"f": "feminine", "m": "masculine", "feminine": "feminine", "masculine": "masculine"}
_CLASS_OF = {form: name for name, forms in PRONOUNS.items() for form in forms.values()}
_CLASS_OF.update(hers="feminine")
_OTHER = {"she": "he", "her": "him", "hers": "his", "herself": "himself"}
_OTHER |= {"he": "she", "him": "her", "his": "her", "himself": "herself"}
# Characters of all pairs together.
_MOST = 1 << 28
_BLIMP_SENTENCES = ("sentence_good", "sentence_bad")


def forms_of(gender: str) -> tuple[str, ...]:
    """Return all forms of a gender's pronouns, small and capital: `("she", …, "She", …)`."""
    small = _FORMS[gender]
    return (*small, *(form.capitalize() for form in small))


def read(path: str | Path) -> pd.DataFrame:
    """Read a file of minimal pairs or of contexts with a gold pronoun.

    Args:
        path: A `.jsonl`, `.csv`, `.tsv` or `.txt` file, or one of these with `.gz` after it.

    Returns:
        One row a pair, with `item`, `good`, `bad`, `target` and all columns of the file. Where a
        pronoun differs, also `good_class`, `bad_class` and `direction`. Tables of number agreement
        give `condition`, `id`, the subject's number as `good_class`, and a `counterpart_prefix`
        made from the words of the file, empty where these don't have one. Rows of contexts have
        `prefix`, `good_forms`, `bad_forms`, and `distance` and `attractors` where known.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty, not UTF-8 or of no known format.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no file of pairs at this path. Received: {path}")
    name = path.name.removesuffix(".gz")
    if name.endswith((".jsonl", ".json")):
        return blimp(_objects(path), str(path))
    if name.endswith((".csv", ".tsv")):
        return _table(path, "\t" if name.endswith(".tsv") else ",")
    if name.endswith(".txt"):
        lines = list(_cells(path, "\t"))
        if lines and _number_tasks.is_number_task(lines[0][1]):
            return _number_tasks.pairs_of(lines, path)
        raise ValueError(
            "A .txt file of pairs is a table without a heading, its cells separated by tabulators: "
            "sentence, condition, correct or wrong, and the pair's name. "
            f"Received: {lines[0][1] if lines else 'nothing'} in {path}"
        )
    raise ValueError(f"A file of pairs ends in .jsonl, .csv, .tsv or .txt (.gz). Received: {path}")


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file, as long as all of them together fit into memory."""
    length = 0
    for line in read_lines(path):
        length += len(line)
        if length > _MOST:
            raise ValueError(
                f"A file of pairs may have {_MOST:,} characters at most, as all of it stands in "
                f"memory; divide it. Received: {path}"
            )
        yield line
    if not length:
        raise ValueError(f"The file of pairs is empty. Received: {path}")


def _objects(path: Path) -> Iterable[Mapping[str, Any]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
            if not isinstance(row, dict):
                raise ValueError(f"it is {type(row).__name__}")
        except ValueError as error:
            raise ValueError(
                f"Line {number} is no JSON object ({error}). Received: {path}"
            ) from None
        yield row


def blimp(objects: Iterable[Mapping[str, Any]], source: str) -> pd.DataFrame:
    """Return pairs from objects in BLiMP's format.

    Args:
        objects: Each with `sentence_good` and `sentence_bad`; all other fields become columns.
        source: Where they come from, for the messages.

    Raises:
        ValueError: If there is none, or a sentence is missing.
    """
    rows = []
    for number, known in enumerate(objects):
        for column in _BLIMP_SENTENCES:
            if not isinstance(known.get(column), str):
                raise ValueError(f"Pair {number} lacks {column!r}. Received: {source}")
        pair = _pair(number, known["sentence_good"], known["sentence_bad"])
        others = {c: v for c, v in known.items() if c not in (*_BLIMP_SENTENCES, *pair)}
        rows.append(pair | others)
    if not rows:
        raise ValueError(f"There are no pairs. Received: {source}")
    return pd.DataFrame(rows)


def _pair(number: int, good: str, bad: str) -> dict[str, Any]:
    good_words, bad_words = split_words(good), split_words(bad)
    differ = [
        index
        for index, (one, other) in enumerate(zip(good_words, bad_words, strict=False))
        if one != other
    ]
    single = len(good_words) == len(bad_words) and len(differ) == 1
    row: dict[str, Any] = {
        "item": number,
        "good": good,
        "bad": bad,
        "target": differ[0] if single else -1,
    }
    if single:
        right, wrong = good_words[differ[0]].lower(), bad_words[differ[0]].lower()
        if right in _CLASS_OF and wrong in _CLASS_OF:
            row["good_class"], row["bad_class"] = _CLASS_OF[right], _CLASS_OF[wrong]
            row["direction"] = f"{PRONOUNS[row['good_class']]['subject']}→{right}"
    return row


def _cells(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table that have cells, each with the number of its last line."""
    # Running text holds single quotation marks: a TSV has no quoting.
    if separator == "\t":
        reader = csv.reader(_lines(path), delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(_lines(path))
    usual = csv.field_size_limit(LONGEST_LINE)  # of the whole process
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(
            f"Line {reader.line_num} is no line of a table ({error}). Received: {path}"
        ) from None
    finally:
        csv.field_size_limit(usual)


def _table(path: Path, separator: str) -> pd.DataFrame:
    lines = _cells(path, separator)
    begin, columns = next(lines, (0, []))
    if separator == "\t" and _number_tasks.is_number_task(columns):
        return _number_tasks.pairs_of([(begin, columns), *lines], path)
    rows = []
    for number, line in lines:
        if len(line) != len(columns):
            raise ValueError(
                f"Line {number} has {len(line)} cells, the heading {len(columns)}. Received: {path}"
            )
        rows.append(dict(zip(columns, line, strict=True)))
    if not rows:
        raise ValueError(f"The file of pairs has a heading and no rows. Received: {path}")
    if {"prefix", "pronoun", "gender"} <= set(columns):
        return _contexts(rows, path)
    missing = [column for column in ("prefix", "good", "bad") if column not in columns]
    if missing:
        raise ValueError(
            f"A table of pairs has the columns prefix, good and bad (or prefix, pronoun and "
            f"gender); {', '.join(missing)} missing. Received: {path} with {columns!r:.200}"
        )
    return pd.DataFrame([_row_of_table(number, row) for number, row in enumerate(rows)])


def _row_of_table(number: int, row: dict[str, str]) -> dict[str, Any]:
    prefix, good, bad = row["prefix"].strip(), row["good"].strip(), row["bad"].strip()
    if prefix and not (good.startswith(prefix) and bad.startswith(prefix)):
        good, bad = f"{prefix} {good}", f"{prefix} {bad}"
    extra = {column: value for column, value in row.items() if column not in ("good", "bad")}
    return extra | _pair(number, good, bad)


def _contexts(rows: list[dict[str, str]], path: Path) -> pd.DataFrame:
    made = []
    for number, row in enumerate(rows):
        pronoun = row["pronoun"].lower()
        gender = _GENDERS.get(row["gender"])
        if gender is None or pronoun not in _OTHER or pronoun not in _FORMS[gender]:
            raise ValueError(
                f"Row {number} must have a form of she with gender f or of he with m. "
                f"Received: {row['pronoun']!r} with {row['gender']!r} in {path}"
            )
        other = "masculine" if gender == "feminine" else "feminine"
        prefix = row["prefix"].strip()
        wrong = _OTHER[pronoun]
        if row["pronoun"][0].isupper():
            wrong = wrong.capitalize()
        made.append(
            row
            | {
                "item": number,
                "good": f"{prefix} {row['pronoun']}",
                "bad": f"{prefix} {wrong}",
                "target": len(split_words(prefix)),
                "good_class": gender,
                "bad_class": other,
                "direction": f"{PRONOUNS[gender]['subject']}→{pronoun}",
                "good_forms": forms_of(gender),
                "bad_forms": forms_of(other),
            }
            | _numbers(row)
        )
    return pd.DataFrame(made)


def _numbers(row: dict[str, str]) -> dict[str, int]:
    numbers = {}
    if row.get("nominal_tok_dist", "").lstrip("-").isdigit():
        numbers["distance"] = int(row["nominal_tok_dist"])
    if row.get("attractors", "").isdigit():
        numbers["attractors"] = int(row["attractors"])
    return numbers
