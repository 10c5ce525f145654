"""Interventions bound to a model: checked against it, and their numbers laid out by batches."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import keras
import numpy as np

from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._plan import NO_STEP, NO_VALUE, EditPlan, Entry
from textgate.tracing import checked_sites, fingerprint, resolve

_END = 2**31 - 1


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
        print_of_model = cache(lambda: fingerprint(model))
        entries: list[Entry] = []
        self._done: list[tuple[Intervention, Contribution]] = []
        self._fixed: list[dict[str, np.ndarray]] = []
        self._dtypes: list[str] = []
        for number, intervention in enumerate(interventions):
            if not isinstance(intervention, Intervention):
                raise TypeError(
                    "Interventions are ZeroAblation, MeanAblation, ResampleAblation, Clamp, Patch "
                    f"and Steer. Received: {intervention!r}"
                )
            name = type(intervention).__name__
            for site, call in resolve(intervention.layer, sites):
                target = Target(
                    site, call, intervention.signal, intervention.units, print_of_model, name
                )
                signal, scale, offset = target.derived
                chosen = np.zeros(site.spec.units, dtype=bool)
                chosen[target.numbers] = True
                for found in intervention.contributions(target):
                    found = found.of_source(scale, offset)
                    at = call if found.call is None else found.call
                    entries.append(
                        Entry(
                            site.path, at, signal, found.add, found.form,
                            _kind(intervention.steps), found.known is not None,
                            found.exhaustive, number,
                        )
                    )  # fmt: skip
                    self._done.append((intervention, found))
                    wide = site.cell.compute_dtype == "float64"
                    self._dtypes.append("float64" if wide else "float32")
                    self._fixed.append(_fixed(chosen, intervention.steps, found, self._dtypes[-1]))
        self.plan = EditPlan(tuple(entries))
        self.description = ", ".join(map(repr, interventions)) or "none"

    @property
    def aligned(self) -> bool:
        """Whether examples or steps have edits of their own."""
        return any(e.form != "constant" or e.steps == "array" for e in self.plan.entries)

    def begin(self, examples: int | None) -> None:
        """Raise a `ValueError` if there are edits for another number of examples."""
        if examples is None:
            return
        for intervention, found in self._done:
            steps = intervention.steps
            for count, what in (
                (found.examples, "its source has"),
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
        for (intervention, found), fixed, dtype in zip(
            self._done, self._fixed, self._dtypes, strict=True
        ):
            arrays: dict[str, Any] = dict(fixed)
            if isinstance(intervention.steps, np.ndarray):
                arrays["steps"] = intervention.steps[start : start + size]
                self._check_rows(intervention, len(intervention.steps), start + size)
            if found.rows is not None:
                self._check_rows(intervention, found.examples, start + size)
                arrays["values"] = np.asarray(found.rows(start, size), dtype=dtype)
            result.append(arrays)
        return result

    def _check_rows(self, intervention: Intervention, count: int | None, needed: int) -> None:
        if count is not None and needed > count:
            raise ValueError(
                f"{type(intervention).__name__} of {intervention.layer!r} is for {count} examples, "
                f"and the inputs have more. Received: at least {needed} examples"
            )

    def check(self, notes: dict[str, dict[str, Any]], start: int, size: int) -> None:
        """Raise a `ValueError` for what the notes of a batch say went wrong.

        Args:
            notes: As `EditPlan.edits` made them, of all calls.
            start: The number of the batch's first example.
            size: The number of its examples.
        """
        called: dict[int, set[int]] = {}
        for key in notes:
            number, index = map(int, key.split())
            called.setdefault(number, set()).add(index)
        self._check_called(called)
        for key, noted in notes.items():
            number = int(key.split()[0])
            length = int(np.asarray(noted["length"]))
            self._check_length(number, length, start, size)
            if "code" in noted:
                self._check_code(number, np.asarray(noted["code"]), start, length)

    def _check_called(self, called: dict[int, set[int]]) -> None:
        for number, entry in enumerate(self.plan.entries):
            if number not in called:
                call = "" if entry.call is None else f"/call_{entry.call}"
                raise ValueError(
                    f"{self._name(number)}: the model doesn't call this layer on these inputs"
                    f"{' so often' if entry.call else ''}. Received: layer {entry.path + call!r}"
                )

    def _check_length(self, number: int, length: int, start: int, size: int) -> None:
        intervention, found = self._done[number]
        steps = intervention.steps
        if isinstance(steps, np.ndarray) and steps.shape[1] != length:
            raise ValueError(
                f"{self._name(number)}: `steps` must be booleans of shape (example, time), of as "
                f"many steps as the layer goes through, here {length}. Received: {steps.shape}"
            )
        if found.known is None or isinstance(steps, np.ndarray):
            return
        chosen = np.arange(found.known.shape[1])[steps or slice(None)]
        beyond = chosen[chosen >= length]
        if found.known[start : start + size][:, beyond].any():
            raise ValueError(
                f"{self._name(number)}: its source must have as many steps as the layer goes "
                f"through, here {length}; choose by `steps` what to patch. Received: a source of "
                f"{found.known.shape[1]} steps"
            )

    def _check_code(self, number: int, code: np.ndarray, start: int, length: int) -> None:
        if not code.any():
            return
        intervention, found = self._done[number]
        row, step = (int(n) for n in np.argwhere(code)[0])
        where = f"step {step}" + (f" of example {start + row}" if len(code) > 1 else "")
        if code[row, step] == NO_VALUE and found.known is not None and step >= found.known.shape[1]:
            raise ValueError(
                f"{self._name(number)}: its source must have as many steps as the layer goes "
                f"through, here {length}; choose by `steps` what to patch. Received: a source of "
                f"{found.known.shape[1]} steps"
            )
        if code[row, step] == NO_VALUE:
            raise ValueError(
                f"{self._name(number)}: what its values are taken from has none at {where}, where "
                "the inputs are not masked; sequences must align, or be left out by `steps`. "
                f"Received: {intervention!r}"
            )
        assert code[row, step] == NO_STEP
        raise ValueError(
            f"{self._name(number)}: its source has values at {where}, where the inputs are masked; "
            "sequences must align, or be left out by `steps`. "
            f"Received: {intervention!r}"
        )

    def _name(self, number: int) -> str:
        entry = self.plan.entries[number]
        return f"{type(self._done[number][0]).__name__} of {entry.path!r}"


def _kind(steps: Any) -> str:
    return "all" if steps is None else "slice" if isinstance(steps, slice) else "array"


def _fixed(
    chosen: np.ndarray, steps: Any, found: Contribution, dtype: str
) -> dict[str, np.ndarray]:
    """Return the arrays that are the same for all batches."""
    arrays = {"units": chosen}
    if isinstance(steps, slice):
        bounds = (steps.start or 0, _END if steps.stop is None else steps.stop, steps.step or 1)
        arrays["bounds"] = np.array([min(bound, _END) for bound in bounds], dtype=np.int32)
    if found.values is not None:
        arrays["values"] = found.values.astype(dtype)
    return arrays
