"""What a study measures about a model besides its units: probes, and the mechanics of its gates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate import mechanics
from textgate.datasets.features import contrasting
from textgate.study._gallery import EXAMPLE, twins
from textgate.tracing import find_sites, nodes_of, trace

_POSITIONS = (0, 1, 2, 3, 4, 6, 8, 10)
_PROBED, _READ, _GRADIENTS, _HELD = 400, 300, 64, 150
_MOST_UNITS = 4


def gender_items(pairs: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return the first pairs of feminine against masculine that have a counterpart."""
    return contrasting(pairs).drop_duplicates("item").head(size).reset_index(drop=True)


def probes(lm: Any, pairs: pd.DataFrame, layer: str | None, seed: int = 0) -> pd.DataFrame:
    """Return how well the gender can be read off the memory, at each word after the antecedent.

    Args:
        lm: A language model.
        pairs: Generated pairs of pronoun agreement.
        layer: The layer; `None` for the last.
        seed: Seed.

    Returns:
        As `textgate.probing.probe_over_positions`.
    """
    from textgate.interchange import contrasts
    from textgate.probing import probe_over_positions, word_embeddings

    items = contrasts(lm, gender_items(pairs, _PROBED), "gender")
    site = _site(lm, layer)
    signal = site.spec.cell.memory
    table = items.table
    prefixes = table["prefix"].tolist()
    found = trace(lm, prefixes, layers=[site.path], signals=[signal], progress=False)
    anchor = table["antecedent_position"].to_numpy(int) + 1  # behind <bos>
    return probe_over_positions(
        found,
        table["good_class"].to_numpy(),
        table["lexeme"].to_numpy(),
        signal,
        anchor,
        _POSITIONS,
        embedding=word_embeddings(lm, prefixes),
        controls=1,
        resamples=300,
        seed=seed,
    )


def gates(
    lm: Any, texts: Sequence[str], pairs: pd.DataFrame, units: Sequence[int], layer: str | None
) -> dict[str, pd.DataFrame]:
    """Return the tables of the mechanics.

    Args:
        lm: A language model.
        texts: Ordinary sentences.
        pairs: Generated pairs of pronoun agreement; those that the model doesn't know all words of
            are read with `<unk>`.
        units: The units found to hold gender, in `layer`; maybe none.
        layer: The layer that they are in; `None` for the last.

    Returns:
        By name: `ledger`, `ledger_sentences`, `saturation`, `half_life`, `retention`,
        `driving_words`, `driver_shares`, `gradients`.
    """
    site = _site(lm, layer)
    tables = _averages(lm, texts)
    items = gender_items(pairs, _READ)
    active = list(units)[:_MOST_UNITS] or _most_active(tables["half_life"], site.path)
    tables |= _ledger(lm, site.path, active)
    tables["retention"] = _retention(lm, items, site.path, units)
    drivers = mechanics.gate_drivers(lm, list(items["good"]), active, layer=site.path)
    tables["driving_words"] = mechanics.driving_words(drivers, 6, at_least=3)
    tables["driver_shares"] = mechanics.driver_shares(drivers)
    tables["gradients"] = _gradients(lm, items.head(_GRADIENTS), site.path, units)
    return tables


def held(
    lm: Any, pairs: pd.DataFrame, units: Sequence[int], layer: str | None, seed: int
) -> pd.DataFrame:
    """Return what breaks when gates are held, as `textgate.study._gates.hold_gates`."""
    from textgate.study._gates import hold_gates

    site = _site(lm, layer)
    sets = {"found": list(units)} if units else {}
    chosen = gender_items(pairs, _HELD)
    return hold_gates(lm, chosen, layer=site.path, units=sets, controls=1 if sets else 0, seed=seed)


def _site(lm: Any, layer: str | None) -> Any:
    sites = find_sites(lm)[0]
    if layer is None:
        return sites[-1]
    return next(site for site in sites if site.path == layer or site.path.endswith(f"/{layer}"))


def _averages(lm: Any, texts: Sequence[str]) -> dict[str, pd.DataFrame]:
    found = trace(lm, list(texts), progress=False)
    saturation, half_life = [], []
    for path, node in nodes_of(found).items():
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


def _ledger(lm: Any, path: str, units: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Return the ledger of the example and its twin just before the pronoun."""
    text, twin, good, _ = twins(EXAMPLE)
    words = list(lm.tokenizer.split(text))
    step = len(words) - 1 - words[::-1].index(good)  # the word before, behind <bos>
    node = nodes_of(trace(lm, [text, twin], layers=[path], progress=False))[path]
    found = mechanics.ledger(node, step, units=list(units))
    table = mechanics.ledger_table(found)
    said = mechanics.ledger_sentences(found)
    names = {0: text, 1: twin}
    return {
        "ledger": table.assign(text=table["example"].map(names)),
        "ledger_sentences": said.assign(text=said["example"].map(names)),
    }


def _retention(lm: Any, items: pd.DataFrame, path: str, units: Sequence[int]) -> pd.DataFrame:
    """Return what the keeping gate does at the antecedent, between, and after the pronoun."""
    found = nodes_of(trace(lm, list(items["good"]), layers=[path], progress=False))[path]
    keep = np.asarray(found["retention"].transpose("example", "time", "unit").values)
    mask = np.asarray(found["mask"].values, bool)
    steps = np.arange(keep.shape[1])
    at = items["antecedent_position"].to_numpy(int)[:, None] + 1
    target = items["target"].to_numpy(int)[:, None] + 1
    places = {
        "antecedent": steps == at,
        "between": (steps > at) & (steps < target),
        "after": (steps > target) & mask,
    }
    own = np.isin(found["unit"].values, list(units))
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


def _gradients(lm: Any, items: pd.DataFrame, path: str, units: Sequence[int]) -> pd.DataFrame:
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
