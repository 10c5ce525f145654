"""Interventions bound to a model: checked against it, and their numbers laid out by batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np

from textgate.interventions._arguments import Steps
from textgate.interventions._base import KINDS, Intervention
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._functions import check_in_place
from textgate.interventions._plan import NO_STEP, NO_VALUE, EditPlan, Entry
from textgate.tracing import Site, checked_sites, fingerprint, resolve

_END = 2**31 - 1


@dataclass(frozen=True)
class _Part:
    """What one intervention does at one place.

    Attributes:
        intervention: The intervention.
        contribution: What it does, said of the cell's own signal.
        entry: The part of it that is compiled.
        fixed: The numbers that are the same for all batches.
        dtype: The precision of the layer's numbers.
    """

    intervention: Intervention
    contribution: Contribution
    entry: Entry
    fixed: dict[str, np.ndarray]
    dtype: str

    @property
    def name(self) -> str:
        """How it is called in errors."""
        return f"{type(self.intervention).__name__} of {self.entry.path!r}"

    def check_rows(self, count: int | None, needed: int) -> None:
        """Raise a `ValueError` if it is for fewer examples than are needed."""
        if count is not None and needed > count:
            raise ValueError(
                f"{type(self.intervention).__name__} of {self.intervention.layer!r} is for {count} "
                f"examples, and the inputs have more. Received: at least {needed} examples"
            )

    def check_length(self, length: int, start: int, size: int) -> None:
        """Raise a `ValueError` if it is for another number of steps than the layer goes through."""
        steps, mask = self.intervention.steps, self.contribution.mask
        if isinstance(steps, np.ndarray):
            if steps.shape[1] != length:
                raise ValueError(
                    f"{self.name}: `steps` must be booleans of shape (example, time), of as many "
                    f"steps as the layer goes through, here {length}. Received: {steps.shape}"
                )
        elif mask is not None:
            chosen = np.arange(mask.shape[1])[steps or slice(None)]
            if mask[start : start + size][:, chosen[chosen >= length]].any():
                raise self._other_length(length)

    def check_code(self, code: np.ndarray, start: int, length: int) -> None:
        """Raise a `ValueError` if a code `(batch | 1, time)` says that values don't align."""
        if not code.any():
            return
        mask = self.contribution.mask
        row, step = (int(n) for n in np.argwhere(code)[0])
        where = f"step {step}" + (f" of example {start + row}" if len(code) > 1 else "")
        if code[row, step] == NO_VALUE and mask is not None and step >= mask.shape[1]:
            raise self._other_length(length)
        if code[row, step] == NO_VALUE:
            raise ValueError(
                f"{self.name}: what its values are taken from has none at {where}, where the "
                "inputs are not masked; sequences must align, or be left out by `steps`. "
                f"Received: {self.intervention!r}"
            )
        assert code[row, step] == NO_STEP
        raise ValueError(
            f"{self.name}: its source has values at {where}, where the inputs are masked; "
            "sequences must align, or be left out by `steps`. "
            f"Received: {self.intervention!r}"
        )

    def _other_length(self, length: int) -> ValueError:
        assert self.contribution.mask is not None
        return ValueError(
            f"{self.name}: its source must have as many steps as the layer goes through, here "
            f"{length}; choose by `steps` what to patch. Received: a source of "
            f"{self.contribution.mask.shape[1]} steps"
        )


def _parts_of(
    intervention: Intervention, number: int, sites: Sequence[Site], of_model: Callable[[], str]
) -> Iterator[_Part]:
    """Yield what an intervention, the `number`-th of its list, does at all its places."""
    if not isinstance(intervention, Intervention):
        raise TypeError(
            f"Interventions are {', '.join(KINDS)}, or of a subclass of Intervention. "
            f"Received: {intervention!r}"
        )
    name, steps = type(intervention).__name__, intervention.steps
    for site, call in resolve(intervention.layer, sites):
        target = Target(site, call, intervention.signal, intervention.units, of_model, name)
        signal, scale, offset = target.derived
        dtype = "float64" if site.cell.compute_dtype == "float64" else "float32"
        for contribution in intervention.contributions(target):
            if intervention.subspace is not None:
                contribution = contribution.within(target, intervention.subspace)
            contribution = contribution.of_source(scale, offset)
            if contribution.function is not None:
                if not len(target.numbers):
                    continue
                check_in_place(contribution.function, target)
            entry = Entry(
                path=site.path,
                call=call if contribution.call is None else contribution.call,
                signal=signal,
                add=contribution.add,
                matrix=contribution.matrix is not None,
                form=contribution.form,
                steps="all" if steps is None else "slice" if isinstance(steps, slice) else "array",
                alike=contribution.mask is not None,
                exhaustive=contribution.exhaustive,
                intervention=number,
                function=contribution.function,
                chosen=0 if contribution.function is None else len(target.numbers),
            )
            fixed = _fixed(target, steps, contribution, dtype)
            yield _Part(intervention, contribution, entry, fixed, dtype)


def _fixed(
    target: Target, steps: Steps, contribution: Contribution, dtype: str
) -> dict[str, np.ndarray]:
    """Return the arrays that are the same for all batches."""
    arrays = {"units": np.zeros(target.site.spec.units, dtype=bool)}
    arrays["units"][target.numbers] = True
    if isinstance(steps, slice):
        bounds = (steps.start or 0, _END if steps.stop is None else steps.stop, steps.step or 1)
        arrays["bounds"] = np.array([min(bound, _END) for bound in bounds], dtype=np.int32)
    if contribution.values is not None:
        arrays["values"] = contribution.values.astype(dtype)
    if contribution.function is not None:
        arrays["numbers"] = target.numbers.astype(np.int32)
    if contribution.matrix is not None:
        arrays["matrix"] = contribution.matrix.astype(dtype)
    return arrays


class Bound:
    """A list of interventions bound to a model; see `textgate.tracing._edited.Editing`.

    Args:
        model: The model.
        interventions: The interventions, in the order in which they are to act.

    Raises:
        ValueError: If one of them doesn't fit the model.
        TypeError: If one of them is not an intervention.
    """

    def __init__(self, model: keras.Model, interventions: Sequence[Intervention]) -> None:
        sites = checked_sites(model)
        of_model = cache(lambda: fingerprint(model))
        self._parts = [
            part
            for number, intervention in enumerate(interventions)
            for part in _parts_of(intervention, number, sites, of_model)
        ]
        self.plan = EditPlan(tuple(part.entry for part in self._parts))
        self.description = ", ".join(map(repr, interventions)) or "none"

    @property
    def aligned(self) -> bool:
        """Whether examples or steps have edits of their own."""
        return any(e.form != "constant" or e.steps == "array" for e in self.plan.entries)

    def begin(self, examples: int | None) -> None:
        """Raise a `ValueError` if there are edits for another number of examples."""
        if examples is None:
            return
        for part in self._parts:
            intervention, steps = part.intervention, part.intervention.steps
            for count, what in (
                (part.contribution.examples, "its source has"),
                (len(steps) if isinstance(steps, np.ndarray) else None, "its `steps` have"),
            ):
                if count is not None and count != examples:
                    raise ValueError(
                        f"{type(intervention).__name__} of {intervention.layer!r}: {what} another "
                        f"number of examples than the inputs. Received: {count} examples for "
                        f"{examples} of the inputs"
                    )

    def arrays(self, start: int, size: int) -> list[dict[str, Any]]:
        """Return the numbers for the examples `start` to `start + size`."""
        result: list[dict[str, Any]] = []
        for part in self._parts:
            arrays: dict[str, Any] = dict(part.fixed)
            steps, contribution = part.intervention.steps, part.contribution
            if isinstance(steps, np.ndarray):
                arrays["steps"] = steps[start : start + size]
                part.check_rows(len(steps), start + size)
            if contribution.rows is not None:
                part.check_rows(contribution.examples, start + size)
                arrays["values"] = np.asarray(contribution.rows(start, size), dtype=part.dtype)
            result.append(arrays)
        return result

    def check(self, notes: dict[str, dict[str, Any]], start: int, size: int) -> None:
        """Raise a `ValueError` for what the notes of a batch say went wrong.

        Args:
            notes: As `EditPlan.edits` made them, of all calls.
            start: The number of the batch's first example.
            size: The number of its examples.
        """
        called = {int(key.split()[0]) for key in notes}
        for number, part in enumerate(self._parts):
            if number not in called:
                call = "" if part.entry.call is None else f"/call_{part.entry.call}"
                raise ValueError(
                    f"{part.name}: the model doesn't call this layer on these inputs"
                    f"{' so often' if part.entry.call else ''}. "
                    f"Received: layer {part.entry.path + call!r}"
                )
        for key, note in notes.items():
            part = self._parts[int(key.split()[0])]
            length = int(np.asarray(note["length"]))
            part.check_length(length, start, size)
            if "code" in note:
                part.check_code(np.asarray(note["code"]), start, length)
