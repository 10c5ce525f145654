"""Keras's `evaluate` of a model with interventions: its own loss, metrics and `test_step`.

The model's `test_step` runs while its recurrent loops are stood in for. What it assigns, metrics
and states, is put back afterwards.
"""

import contextlib
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from textgate._backend import backend
from textgate.interventions._binding import Bound
from textgate.interventions._plan import EditPlan
from textgate.recurrence import Edit
from textgate.tracing import Call, find_sites, intercept
from textgate.tracing.inputs import source_of
from textgate.tracing.structure import LossesKept, state_variables, structure_of, token

_MOST = 8  # functions a model
# What evaluates one batch: (data, the interventions' numbers) -> logs, and notes to be checked.
Arrays = Sequence[Mapping[str, Any]]
Notes = dict[str, dict[str, Any]]
Step = Callable[[Any, Arrays], tuple[Any, Notes]]

_functions: "weakref.WeakKeyDictionary[Any, dict[Hashable, Step]]" = weakref.WeakKeyDictionary()


def evaluate(
    model: keras.Model,
    bound: Bound,
    x: Any,
    y: Any,
    batch_size: int,
    sample_weight: Any,
    steps: int | None,
) -> dict[str, float]:
    """Return the loss and the metrics that a compiled model has with interventions.

    Raises:
        ValueError: If the model isn't compiled, or there are no examples.
    """
    if not model.compiled:
        raise ValueError(
            "The model has no loss and metrics yet; call `model.compile(loss=…, metrics=[…])` "
            f"first. Received: model {model.name!r}, which is not compiled"
        )
    examples, logs = 0, None
    with _left_alone(model):
        model.reset_metrics()
        for number, (data, size, total) in enumerate(
            _batches(model, x, y, sample_weight, batch_size)
        ):
            if number == steps:
                break
            if number == 0 and steps is None:
                bound.begin(total)
            step = _function(model, bound.plan)
            logs, notes = step(data, bound.arrays(examples, size))
            bound.check(notes, examples, size)
            examples += size
        if logs is None:
            raise ValueError("`x` must have at least one example. Received: none")
        if steps is None:
            bound.begin(examples)
        logs = model._get_metrics_result_or_logs(logs)
        return {name: float(np.asarray(value)) for name, value in logs.items()}


@contextlib.contextmanager
def _left_alone(model: keras.Model) -> Iterator[None]:
    """Put back what an evaluation assigns."""

    def variables() -> list[Any]:
        return [*state_variables(model), *model.metrics_variables]

    before = {id(v): (v, ops.copy(v.value)) for v in variables()}
    try:
        yield
    finally:
        model.reset_metrics()
        for variable in variables():
            if id(variable) in before:
                variable.assign(before[id(variable)][1])


def _batches(
    model: keras.Model, x: Any, y: Any, weights: Any, batch_size: int
) -> Iterator[tuple[Any, int, int | None]]:
    """Yield `(data, size, number of examples or None)`, data as Keras's `test_step` takes it."""
    if y is None and not tree.is_nested(x) and not isinstance(x, np.ndarray | str):
        elements = x
        if isinstance(x, keras.utils.PyDataset):
            elements = (x[index] for index in range(x.num_batches))
        if hasattr(elements, "__iter__") and not hasattr(elements, "shape"):
            for element in elements:
                data = keras.utils.unpack_x_y_sample_weight(element)
                yield data, int(tree.flatten(data[0])[0].shape[0]), None
            return
    source = source_of(model, x, batch_size, whole=True)
    rest = tree.map_structure(np.asarray, (y, weights))
    for part in tree.flatten(rest):
        if part.shape and len(part) != source.examples and part.dtype != object:
            raise ValueError(
                "`y` and `sample_weight` must have a value for each example. Received: "
                f"{len(part)} values for {source.examples} examples"
            )
    start = 0
    for batch in source.batches():
        rows = slice(start, start + batch.size)
        of_batch = tree.map_structure(
            lambda part, rows=rows: part[rows] if part.shape else None, rest
        )
        yield (batch.inputs, *of_batch), batch.size, source.examples
        start += batch.size


def _function(model: keras.Model, plan: EditPlan) -> Step:
    """Return the step of evaluation for a model and a plan, compiled and kept."""
    functions = _functions.setdefault(model, {})
    judges = (token(model._compile_loss), token(model._compile_metrics))
    key = (plan, judges, structure_of(model), model.run_eagerly)
    if key not in functions:
        while len(functions) >= _MOST:
            functions.pop(next(iter(functions)))
        functions[key] = _compiled(model, plan)
    return functions[key]


def _compiled(model: keras.Model, plan: EditPlan) -> Step:
    reference = weakref.ref(model)  # what is kept for a model must not keep it

    def step(data: Any, arrays: Arrays) -> tuple[Any, Notes]:
        model = reference()
        assert model is not None
        notes: Notes = {}

        def edits(call: Call) -> list[Edit]:
            made, notes_of_call = plan.edits(call, arrays)
            notes.update(notes_of_call)
            return made

        sites = find_sites(model)[0]
        layers = {id(site.layer) for site in sites if site.path in plan.paths}
        with (
            LossesKept(model),
            intercept([site for site in sites if id(site.layer) in layers], edits=edits),
        ):
            return backend().test_step(model, data), notes

    if model.run_eagerly:
        return step
    compiled = backend().compiled_for_all(step)

    def run(data: Any, arrays: Arrays) -> tuple[Any, Notes]:
        logs, notes = compiled(*tree.map_structure(_tensor, (data, list(arrays))))
        return logs, notes

    return run


def _tensor(part: Any) -> Any:
    return None if part is None else ops.convert_to_tensor(part)
