"""The sentences of the gate view: ours, and generated ones that are longer or have attractors.

Each has a twin, the same sentence about somebody of the other gender, word for word as long. They
are traced together, so that a unit's curve can be drawn beside its twin's.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textgate._files import beside, write_table
from textgate.datasets.features import contrasting
from textgate.models import LanguageModel

EXAMPLE = "{She|He} came out and played with {her|his} dog."
# A sentence and its twin; the last choice is the pronoun that the first one decides.
OWN = {
    "The example": (EXAMPLE,),
    "Who it was": (
        "{Mary|John} came out and played with {her|his} dog.",
        "The {actress|actor} came out and played with {her|his} dog.",
        "The {queen|king} lost {her|his} way.",
        "My {aunt|uncle} lost {her|his} temper.",
        "That {waitress|waiter} hurt {herself|himself}.",
        "The {widow|widower} stood up and cleared {her|his} throat.",
        "{Anna|Thomas} said nothing and shook {her|his} head.",
    ),
    "Further back": (
        "{Emma|William} came back slowly, sat down, and held {her|his} breath.",
        "The {princess|prince} stood still, grew old, and changed {her|his} mind.",
        "{Sarah|Peter} went out because {she|he} had lost the book.",
        "The {nun|monk} went home, and nothing ever surprised {her|him}.",
        "My {grandmother|grandfather} got lost, came back, worked hard, and hurt "
        "{herself|himself}.",
    ),
    "Somebody else between": (
        "The {girl|boy} saw the king and lost {her|his} temper.",
        "{She|He} met a boy and hurt {herself|himself}.",
        "The {actress|actor} that the king had visited hurt {herself|himself}.",
        "{Linda|James} knew the queen and the prince, and lost {her|his} way.",
        "The {woman|man} near the waiter cleared {her|his} throat.",
    ),
    "Not the first": (
        "The king said that {Mary|John} hurt {herself|himself}.",
        "The queen came in. There was no hurry. The {girl|boy} hurt {herself|himself}.",
        "After the doctor had left, {Sarah|Thomas} lost {her|his} temper.",
    ),
    "Only the pronoun tells": (
        "The doctor said that {she|he} had hurt {herself|himself}.",
        "The teacher lost the way, and {she|he} hurt {herself|himself}.",
    ),
}
_GENERATED = {  # group: which of the generated pairs
    "Generated, near": lambda rows: rows["distance"].between(3, 8),
    "Generated, far": lambda rows: rows["distance"].between(12, 22),
    "Generated, with attractors": lambda rows: (
        (rows["incongruent_attractors"] > 0) & (rows["distance"] < 16)
    ),
}
_EACH = 5
_CHOICE = re.compile(r"\{([^|}]*)\|([^}]*)\}")


def twins(pattern: str) -> tuple[str, str, str, str]:
    """Return a sentence, its twin, and the pronoun of each.

    Example:

    >>> twins("{She|He} lost {her|his} way.")
    ('She lost her way.', 'He lost his way.', 'her', 'his')
    """
    one, other = (_CHOICE.sub(rf"\{side}", pattern) for side in (1, 2))
    good, bad = _CHOICE.findall(pattern)[-1]
    return one, other, good, bad


def sentences(lm: LanguageModel, seed: int = 0, example_only: bool = False) -> pd.DataFrame:
    """Return the gallery, as far as a model knows the words that count.

    Args:
        lm: A language model.
        seed: Seed of the generated sentences.
        example_only: Whether to return the example alone, whatever the model knows.

    Returns:
        A row a sentence: `text`, `twin`, `target` (the pronoun's number among the tokens, `<bos>`
        being 0), `good`, `bad`, `group`, `distance`, `attractors`, and `unknown` (words that the
        model doesn't know). Left out are sentences whose pronouns or whose deciding words the
        model doesn't know, and such as aren't word for word as long as their twins.
    """
    rows = []
    for group, patterns in OWN.items():
        for pattern in patterns:
            text, twin, good, bad = twins(pattern)
            row = _row(lm, text, twin, good, bad, group)
            if row is not None or pattern == EXAMPLE:
                rows.append(row or _row(lm, text, twin, good, bad, group, strict=False))
            if example_only:
                return pd.DataFrame(rows)
    return pd.DataFrame([*rows, *_generated(lm, seed)])


def _row(
    lm: LanguageModel, text: str, twin: str, good: str, bad: str, group: str, strict: bool = True
) -> dict[str, Any] | None:
    here, there = (list(lm.tokenizer.split(one)) for one in (text, twin))
    if len(here) != len(there) or good not in here:
        return None
    target = len(here) - 1 - here[::-1].index(good)
    vocabulary = set(lm.tokenizer.vocabulary)
    unknown = [
        word for word in dict.fromkeys([*here, *there]) if not {word, word.lower()} & vocabulary
    ]
    differing = {w for pair in zip(here, there, strict=True) if len(set(pair)) > 1 for w in pair}
    if strict and (differing & set(unknown) or there[target] != bad):
        return None
    return {
        "text": text,
        "twin": twin,
        "target": target + 1,
        "good": good,
        "bad": bad,
        "group": group,
        "unknown": ", ".join(unknown),
    }


def _generated(lm: LanguageModel, seed: int) -> list[dict[str, Any]]:
    from textgate.datasets import minimal_pairs

    pairs = contrasting(minimal_pairs("pronoun_agreement", split="test", size=800, seed=seed))
    rows: list[dict[str, Any]] = []
    used: set[str] = set()
    for group, choose in _GENERATED.items():
        count = 0
        for pair in pairs[choose(pairs)].to_dict("records"):
            if count == _EACH:
                break
            good = lm.tokenizer.split(pair["good"])[int(pair["target"])]
            bad = lm.tokenizer.split(pair["bad"])[int(pair["target"])]
            row = _row(lm, pair["good"], pair["counterpart"], good, bad, group)
            if row is None or row["unknown"] or pair["template"] in used:
                continue
            used.add(pair["template"])
            rows.append(
                row
                | {
                    # Where the form occurs again, the pair knows which one is meant.
                    "target": int(pair["target"]) + 1,
                    "distance": int(pair["distance"]),
                    "attractors": int(pair["incongruent_attractors"]),
                }
            )
            count += 1
    return rows


def preferences(lm: LanguageModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the gallery with what the model gives the right pronoun, of both together.

    Args:
        lm: A language model.
        rows: As `sentences` returns them.

    Returns:
        The rows with `p_good` (in the sentence) and `p_twin` (in the twin, its own pronoun).
    """
    vocabulary = {word: number for number, word in enumerate(lm.tokenizer.vocabulary)}
    result = rows.copy()
    for column, text, right, wrong in (
        ("p_good", "text", "good", "bad"),
        ("p_twin", "twin", "bad", "good"),
    ):
        prefixes = [
            " ".join(lm.tokenizer.split(row[text])[: int(row["target"]) - 1])
            for row in rows.to_dict("records")
        ]
        logs = lm.next_logprobs(prefixes)
        shares = []
        for scores, row in zip(logs, rows.to_dict("records"), strict=True):
            ids = [vocabulary.get(row[name]) for name in (right, wrong)]
            if None in ids:
                shares.append(float("nan"))
                continue
            difference = float(scores[ids[0]]) - float(scores[ids[1]])
            shares.append(1 / (1 + np.exp(-difference)))
        result[column] = shares
    return result


def exchanged(
    lm: LanguageModel, rows: pd.DataFrame, layer: str, signal: str, units: Any
) -> pd.Series:
    """Return what the right pronoun gets while units have the values of the twin.

    Args:
        lm: A language model.
        rows: As `sentences` returns them.
        layer: The layer.
        signal: The signal.
        units: Numbers of the units.

    Returns:
        For each row the probability of its pronoun, of both together; NaN where a prefix is no
        contrast, since the model doesn't know the words.
    """
    from textgate.interchange import contrasts, runner_for

    split = lm.tokenizer.split
    result = pd.Series(np.nan, rows.index, name="p_exchanged")
    pairs = pd.DataFrame(
        {
            "row": rows.index,
            "good": rows["text"],
            "bad": [
                " ".join([*split(r["text"])[: int(r["target"]) - 1], r["bad"]])
                for r in rows.to_dict("records")
            ],
            "target": rows["target"] - 1,
            "counterpart_prefix": [
                " ".join(split(r["twin"])[: int(r["target"]) - 1]) for r in rows.to_dict("records")
            ],
        }
    )
    items = contrasts(lm, pairs, "gender")
    runner = runner_for(lm, items, layer, signal)
    chosen = np.zeros((1, runner.units), bool)
    chosen[0, list(units)] = True
    readings = np.asarray(runner.run(chosen, "interchange"), np.float64)[0]
    result[items.table["row"].to_numpy()] = 1 / (1 + np.exp(-readings))
    return result


def write_gallery(lm: LanguageModel, rows: pd.DataFrame, directory: Path) -> None:
    """Trace the gallery and write it: `sentences.csv`, and `traces.zarr` of sentences and twins.

    Raises:
        CannotWriteError: If the disk is full.
    """
    from textgate.tracing import trace

    with beside(directory, "the traces") as partial:
        texts = [*rows["text"], *rows["twin"]]
        trace(lm, texts, to=partial / "traces.zarr", progress=False)
        write_table(partial / "sentences.csv", rows)
