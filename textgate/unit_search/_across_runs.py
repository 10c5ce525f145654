"""The protocol over many runs: does some small set hold the feature in each, and how small is it?

One model is one throw of the dice. Training it again with another seed may put gender into one
unit, into two, or spread it; only several seeds say what "LSTMs do". Each run is put through the
whole protocol by itself, and what is compared is what was confirmed in each.

Whether the set's size goes with accuracy or with dropout is asked by rank (Spearman's ρ, Spearman
1904), with a permutation test. A run without a small set counts as larger than all others, not as
missing: to leave it out would leave out just the runs in which gender is spread widest. A run that
doesn't have the feature at all (`claim` is "absent") says nothing about where it is kept, and is
left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textgate._shown import as_html
from textgate.datasets.features import Feature
from textgate.interchange.effects import INTERCHANGE
from textgate.unit_search._confirmation import BOTH
from textgate.unit_search._finding import UnitFinding
from textgate.unit_search._goals import Goals
from textgate.unit_search._protocol import find_units

_LEAST = 4  # runs that a correlation takes
_PERMUTATIONS = 9999


@dataclass(frozen=True)
class UnitsOverRuns:
    """What the protocol found in several runs.

    Attributes:
        table: A row for each run and signal; see `find_units_over_runs`.
        associations: A row for each kind of set and quantity: Spearman's `rho`, `p` and `n`.
        findings: The findings, in the order of the table.
    """

    table: pd.DataFrame
    associations: pd.DataFrame
    findings: tuple[UnitFinding, ...]

    def _repr_html_(self) -> str:
        tables = {"The runs": self.table, "Associations of the sets' sizes": self.associations}
        title = f"Units over {self.table['run'].nunique()} runs"
        return as_html(title, self.summary().split("\n"), tables, "The runs")

    def summary(self) -> str:
        """Return what the runs have in common, in a few sentences."""
        lines = []
        for signal, rows in self.table.groupby("signal", sort=False):
            sufficient = rows["sufficient_size"].dropna()
            line = f"{signal}: a small sufficient set in {len(sufficient)} of {len(rows)} runs"
            line += f", of {_range(sufficient)}" if len(sufficient) else ""
            necessary = rows["necessary_size"].dropna()
            line += f"; a small necessary one in {len(necessary)}"
            line += f", of {_range(necessary)}." if len(necessary) else "."
            lines.append(line)
        for row in self.associations.to_dict("records"):
            correlation = (
                f"ρ = {row['rho']:.2f}, p = {row['p']:.2f}"
                if np.isfinite(row["rho"])
                else "nothing to correlate"
            )
            lines.append(f"{row['size']} and {row['with']}: {correlation} ({row['n']} runs).")
        return "\n".join(lines)

    def to_csv(self, directory: str | Path) -> list[Path]:
        """Write `runs.csv` and `associations.csv`, and the tables of each run in `run-…`."""
        from textgate._files import write_table

        place = Path(directory)
        paths = [place / "runs.csv", place / "associations.csv"]
        write_table(paths[0], self.table)
        write_table(paths[1], self.associations)
        for number, finding in enumerate(self.findings):
            paths += finding.to_csv(place / f"run-{number}")
        return paths


def find_units_over_runs(
    runs: Sequence[str | Path],
    pairs: pd.DataFrame | None = None,
    feature: str | Feature = "gender",
    layer: str | None = None,
    signals: Sequence[str] = (),
    seed: int = 0,
    goals: Goals | None = None,
    progress: bool | None = None,
    **options: Any,
) -> UnitsOverRuns:
    """Put several runs through the protocol.

    Args:
        runs: Run directories or `.keras` files.
        pairs: As for `find_units`.
        feature: As for `find_units`.
        layer: As for `find_units`.
        signals: The signals to try in each run; by default what the cell remembers with.
        seed: Seed of the protocol, the same for all runs.
        goals: As for `find_units`.
        progress: As for `find_units`.
        **options: Further arguments of `find_units`.

    Returns:
        The table has a row for each run and signal: `run`, `cell`, `units`, `dropout`,
        `training_seed` (where the run says so), `accuracy` (of the clean model, confirmation half),
        `layer`, `signal`, `claim`, `sufficient_size` and `necessary_size` (missing where there is
        no small set), the units themselves, and `flipped`, the smaller of both directions.

    Raises:
        ValueError: If there are no runs, or as `find_units` does.
        FileNotFoundError: If one is not there.
    """
    from textgate.models import load_language_model

    if not runs:
        raise ValueError("give at least one run. Received: none")
    goals = goals or Goals()
    options = {"side_tasks": {}, "texts": [], **options}
    rows, findings = [], []
    for run in runs:
        lm = load_language_model(run)
        training = _training(run)
        for signal in signals or (None,):
            finding = find_units(
                lm, pairs, feature, layer, signal, seed, goals=goals, progress=progress, **options
            )
            findings.append(finding)
            rows.append({"run": str(run), **training, **_row(finding), "seed": seed})
    table = pd.DataFrame(rows)
    return UnitsOverRuns(table, _associations(table, goals, seed), tuple(findings))


def _training(run: str | Path) -> dict[str, Any]:
    """Return what a run's configuration says, as far as there is one."""
    from textgate.models import load_run

    try:
        config = load_run(run)
    except FileNotFoundError:
        config = {}
    return {"dropout": config.get("dropout", np.nan), "training_seed": config.get("seed", np.nan)}


def _row(finding: UnitFinding) -> dict[str, Any]:
    rows = finding.tables["interventions"]
    clean = rows[(rows["intervention"] == "none") & (rows["direction"] == BOTH)]
    exchanged = rows[(rows["set"] == "sufficient") & (rows["intervention"] == INTERCHANGE)]
    return {
        "cell": finding.cell,
        "units": finding.units,
        "accuracy": float(clean["accuracy"].iloc[0]),
        "layer": finding.layer,
        "signal": finding.signal,
        "claim": finding.claim,
        "sufficient_size": len(finding.sufficient) or np.nan,
        "sufficient_units": str(finding.sufficient),
        "necessary_size": len(finding.necessary) or np.nan,
        "necessary_units": str(finding.necessary),
        "flipped": float(exchanged["flipped"].min()) if len(exchanged) else np.nan,
        "direction_rank": finding.direction_rank,
    }


def _associations(table: pd.DataFrame, goals: Goals, seed: int) -> pd.DataFrame:
    rows = []
    once = table[table["claim"] != "absent"].drop_duplicates("run")  # the first signal of each
    limits = {"sufficient": goals.sufficient_limit, "necessary": goals.necessary_limit}
    for kind, limit in limits.items():
        sizes = once[f"{kind}_size"].fillna(limit + 1)
        for other in ("accuracy", "dropout"):
            present = once[other].notna()
            rho, p = spearman(sizes[present].to_numpy(), once.loc[present, other].to_numpy(), seed)
            rows.append(
                {
                    "size": f"{kind} size",
                    "with": other,
                    "rho": rho,
                    "p": p,
                    "n": int(present.sum()),
                    "without_small_set": int(once.loc[present, f"{kind}_size"].isna().sum()),
                    "seed": seed,
                }
            )
    return pd.DataFrame(rows)


def spearman(x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return Spearman's ρ and its two-sided p-value by permutation.

    Args:
        x: Of shape `(n,)`.
        y: Of shape `(n,)`.
        seed: Seed of the permutations.

    Returns:
        Both NaN for fewer than four values, or if one of them doesn't vary.

    Example:

    >>> import numpy as np
    >>> spearman(np.array([1, 2, 3, 4]), np.array([2, 4, 6, 9]))[0]
    1.0
    """
    if len(x) < _LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    first, second = (pd.Series(v).rank().to_numpy() for v in (x, y))
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    rho = float(first @ second / scale)
    random = np.random.default_rng(seed)
    drawn = np.stack([random.permutation(second) for _ in range(_PERMUTATIONS)]) @ first / scale
    extreme = int((np.abs(drawn) >= abs(rho) - 1e-12).sum())
    return round(rho, 12), (1 + extreme) / (1 + _PERMUTATIONS)


def _range(sizes: pd.Series) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    unit = "unit" if high == 1 else "units"
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"
