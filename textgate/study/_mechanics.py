"""The tables of the mechanics: what the gates of a model do, on average and in the example."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textgate import mechanics
from textgate.models import LanguageModel
from textgate.study._gallery import EXAMPLE, twins
from textgate.study._pairs import first_pairs
from textgate.tracing import nodes_of, one_site, trace

_READ, _GRADIENTS = 300, 64  # sentences
_MOST_UNITS = 4


def mechanics_tables(
    lm: LanguageModel, texts: Sequence[str], pairs: pd.DataFrame, units: Sequence[int], layer: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of the mechanics.

    Args:
        lm: A language model.
        texts: Ordinary sentences.
        pairs: Generated pairs of pronoun agreement; those that the model doesn't know all words of
            are read with `<unk>`.
        units: The units found to hold gender, in `layer`; maybe none.
        layer: The layer that they are in.

    Returns:
        By name: `ledger`, `ledger_sentences`, `saturation`, `half_life`, `retention`,
        `driving_words`, `driver_shares`, `gradients`.
    """
    site = one_site(lm, layer).site
    tables = _averages(lm, texts)
    items = first_pairs(pairs, _READ)
    active = list(units)[:_MOST_UNITS] or _most_active(tables["half_life"], site.path)
    tables |= _ledger(lm, site.path, active)
    tables["retention"] = _retention(lm, items, site.path, units)
    drivers = mechanics.gate_drivers(lm, list(items["good"]), active, layer=site.path)
    tables["driving_words"] = mechanics.driving_words(drivers, 6, at_least=3)
    tables["driver_shares"] = mechanics.driver_shares(drivers)
    tables["gradients"] = _gradients(lm, items.head(_GRADIENTS), site.path, units)
    return tables


def _averages(lm: LanguageModel, texts: Sequence[str]) -> dict[str, pd.DataFrame]:
    traces = trace(lm, list(texts), progress=False)
    saturation, half_life = [], []
    for path, node in nodes_of(traces).items():
        saturation.append(mechanics.saturation(node).assign(layer=path))
        half_life.append(mechanics.half_life(node).assign(layer=path))
    return {
        "saturation": pd.concat(saturation, ignore_index=True),
        "half_life": pd.concat(half_life, ignore_index=True),
    }


def _most_active(half_life: pd.DataFrame, path: str) -> list[int]:
    """Return the units that keep longest, where none is known to hold the gender."""
    rows = half_life[half_life["layer"] == path]
    order = rows["half_life"].replace(np.inf, np.finfo(float).max).sort_values(ascending=False)
    return [int(unit) for unit in rows.loc[order.index[:2], "unit"]]


def _ledger(lm: LanguageModel, path: str, units: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Return the ledger of the example and its twin just before the pronoun."""
    text, twin, good, _ = twins(EXAMPLE)
    words = list(lm.tokenizer.split(text))
    step = len(words) - 1 - words[::-1].index(good)  # the word before, behind <bos>
    node = nodes_of(trace(lm, [text, twin], layers=[path], progress=False))[path]
    ledger = mechanics.ledger(node, step, units=list(units))
    texts = {0: text, 1: twin}
    tables = {
        "ledger": mechanics.ledger_table(ledger),
        "ledger_sentences": mechanics.ledger_sentences(ledger),
    }
    return {name: table.assign(text=table["example"].map(texts)) for name, table in tables.items()}


def _retention(
    lm: LanguageModel, items: pd.DataFrame, path: str, units: Sequence[int]
) -> pd.DataFrame:
    """Return what the keeping gate does at the antecedent, between, and after the pronoun."""
    node = nodes_of(trace(lm, list(items["good"]), layers=[path], progress=False))[path]
    keep = np.asarray(node["retention"].transpose("example", "time", "unit").values)
    mask = np.asarray(node["mask"].values, bool)
    steps = np.arange(keep.shape[1])
    at = items["antecedent_position"].to_numpy(int)[:, None] + 1
    target = items["target"].to_numpy(int)[:, None] + 1
    places = {
        "antecedent": steps == at,
        "between": (steps > at) & (steps < target),
        "after": (steps > target) & mask,
    }
    own = np.isin(node["unit"].values, list(units))
    rows = []
    for group, members in (("found", own), ("other", ~own)):
        for place, chosen in places.items():
            values = keep[chosen & mask][:, members]
            if values.size:
                rows.append(
                    {
                        "units": group,
                        "place": place,
                        "retention": float(values.mean()),
                        "steps": int((chosen & mask).sum()),
                    }
                )
    return pd.DataFrame(rows)


def _gradients(
    lm: LanguageModel, items: pd.DataFrame, path: str, units: Sequence[int]
) -> pd.DataFrame:
    """Return the mean size of the gradient by distance, in full and along the memory alone."""
    target = items["target"].to_numpy(int) + 1
    paths = mechanics.gradient_paths(lm, list(items["good"]), target.tolist(), layer=path)
    table = mechanics.gradient_norms(paths)
    if len(units):
        own = mechanics.gradient_norms(paths.isel(unit=list(units)))
        table["cell_own"] = own["cell"]
    enough = table.groupby("distance")["example"].transform("nunique") >= min(10, len(items))
    grouped = table[enough].groupby("distance")
    columns = ["full", "cell", "passed", *(["cell_own"] if len(units) else [])]
    return grouped[columns].mean().assign(sentences=grouped["example"].nunique()).reset_index()
