"""What a trace keeps: which layers, signals, units and steps, checked against the model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textgate import recurrence
from textgate.tracing._sites import Site, resolve

Steps = slice | np.ndarray


def kept_steps(steps: Steps, length: int) -> np.ndarray:
    """Return the numbers of the kept steps of a sequence of this length."""
    return np.arange(length)[steps] if isinstance(steps, slice) else steps[steps < length]


@dataclass(frozen=True)
class Kept:
    """What is kept of one site.

    Attributes:
        site: The site.
        calls: The numbers of the calls to keep; `None` for all.
        signals: Names to keep, derived ones included.
        offered: Derived signals that nobody asked for and that cost nothing to offer.
        units: Numbers of the units to keep; `None` for all.
        steps: The steps to keep.
    """

    site: Site
    calls: frozenset[int] | None
    signals: tuple[str, ...]
    offered: tuple[str, ...]
    units: np.ndarray | None
    steps: Steps

    @property
    def sources(self) -> tuple[str, ...]:
        """The cell's own signals that the kept ones are made of."""
        cell = self.site.spec.cell
        needed = {
            cell.derived(name)[0] if name in recurrence.DERIVED else name for name in self.signals
        }
        return tuple(name for name in cell.signals if name in needed)

    @property
    def unit_numbers(self) -> np.ndarray:
        """The numbers of the kept units."""
        return np.arange(self.site.spec.units) if self.units is None else self.units


def select(
    sites: Sequence[Site],
    layers: str | Iterable[str] | None,
    signals: str | Iterable[str] | None,
    units: Any,
    steps: Any,
) -> list[Kept]:
    """Check a choice of layers, signals, units and steps, and say what it keeps of each site.

    Raises:
        ValueError: For an unknown layer, signal or unit, listing the known ones.
        TypeError: For a choice of the wrong kind.
    """
    calls: dict[str, frozenset[int] | None] = {}
    for name in [site.path for site in sites] if layers is None else _names(layers, "layers"):
        for site, call in resolve(name, sites):
            before = calls.get(site.path, frozenset())
            calls[site.path] = None if call is None or before is None else before | {call}
    chosen = [site for site in sites if site.path in calls]
    names = None if signals is None else _names(signals, "signals")
    steps = _steps(steps)
    kept = []
    for site in chosen:
        cell = site.spec.cell
        offered: tuple[str, ...] = ()
        if names is None:
            wanted, offered = cell.signals, recurrence.DERIVED
        else:
            wanted = tuple(n for n in (*cell.signals, *recurrence.DERIVED) if n in names)
        if wanted:
            of_site = _units(units, site, sites)
            kept.append(Kept(site, calls[site.path], wanted, offered, of_site, steps))
    if names is not None:
        known = dict.fromkeys(n for site in chosen for n in site.spec.cell.signals)
        unknown = [name for name in names if name not in known and name not in recurrence.DERIVED]
        if unknown or not names:
            raise ValueError(
                f"`signals` must name signals of the traced layers; they have "
                f"{[*known, *recurrence.DERIVED]}. Received: {unknown or names}"
            )
    if not kept:
        raise ValueError(
            "`layers` must name at least one recurrent layer of the model; it has "
            f"{[site.path for site in sites]}. Received: {layers!r}"
        )
    return kept


def _names(given: str | Iterable[str], what: str) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, Iterable):
        names = list(given)
        if all(isinstance(name, str) for name in names):
            return names
    raise TypeError(f"`{what}` must be a list of names. Received: {given!r}")


def _units(units: Any, site: Site, sites: Sequence[Site]) -> np.ndarray | None:
    if isinstance(units, Mapping):
        given = None
        for name, numbers in units.items():
            if any(site is found for found, _ in resolve(name, sites)):
                given = numbers
        units = given
    if units is None:
        return None
    count = site.spec.units
    if isinstance(units, slice):
        numbers = np.arange(count)[units]
    else:
        numbers = _whole_numbers(units, "units")
    if numbers.size == 0 or numbers.min() < 0 or numbers.max() >= count:
        raise ValueError(
            f"`units` must be numbers from 0 to {count - 1}, the units of layer {site.path!r}. "
            f"Received: {units!r}"
        )
    return numbers


def _steps(steps: Any) -> Steps:
    if steps is None:
        return slice(None)
    if isinstance(steps, slice):
        parts = (steps.start, steps.stop, steps.step)
        whole = all(part is None or isinstance(part, int | np.integer) for part in parts)
        if not whole or any(part is not None and part < 0 for part in parts) or steps.step == 0:
            raise ValueError(
                "`steps` must count from the first step and go forward, since sequences can have "
                f"different lengths; select from the trace's end by its mask. Received: {steps!r}"
            )
        return steps
    numbers = _whole_numbers(steps, "steps")
    if numbers.size == 0 or numbers.min() < 0 or np.any(np.diff(numbers) <= 0):
        raise ValueError(
            f"`steps` must be a slice or a list of rising numbers from 0 on. Received: {steps!r}"
        )
    return numbers


def _whole_numbers(given: Any, what: str) -> np.ndarray:
    array = np.atleast_1d(np.asarray(given))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(f"`{what}` must be a list of whole numbers or a slice. Received: {given!r}")
    return array.astype(np.int64)
