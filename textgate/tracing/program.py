"""The compiled function that calls a model and returns the signals of its recurrent layers.

One program belongs to one model and one choice of signals. The model is called in a stateless
scope: what a call would assign (states of stateful layers, seed generators) is carried from batch
to batch on the side and never reaches the model.

Programs are kept for the next trace. They hold no reference to their model, go when it goes, read
its weights anew with every batch, and are made anew when its structure has changed. A program may
carry out edits as well (`textgate.tracing._edited`); their numbers are inputs of the compiled
function, so that other numbers need no other program.
"""

import contextlib
import re
import threading
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import keras
from keras import ops, tree

from textgate._backend import backend
from textgate.recurrence import Edit
from textgate.tracing._edited import Notes, Plan
from textgate.tracing._sites import find_sites
from textgate.tracing.interception import Call, intercept
from textgate.tracing.structure import LossesKept, state_variables, structure_of

# What one batch gave: for each site's path a list of calls, each with the parts
# "signals": {name: (batch, time, units)}, "initial": {state: (batch, units)} and
# "mask": (batch, time), which is left out where the layer had none. Under `OUTPUTS` are the
# model's outputs if they are asked for, and under `NOTES` what its edits found out.
Records = dict[str, Any]
OUTPUTS, NOTES = "", "/notes"

_KEPT = 16  # programs a model
_programs: "weakref.WeakKeyDictionary[Any, dict[Hashable, Program]]" = weakref.WeakKeyDictionary()
_lock = threading.RLock()


class Misuse(ValueError):
    """An error of ours inside the model's call, not to be taken for one of the model."""


# Of the model's outputs and inputs, what is to be returned of them.
Head = Callable[[Any, Any], Any]
# From a model and a batch to the model's outputs; hashable, and without a reference to the model.
Forward = Callable[[Any, Any], Any]


def called(model: keras.Model, inputs: Any) -> Any:
    """Return the outputs of a model on a batch, in inference."""
    arguments = {"training": False} if model._call_has_training_arg else {}
    return model(inputs, **arguments)


def program_for(
    model: keras.Model,
    wanted: Mapping[str, tuple[str, ...]],
    plan: Plan | None = None,
    with_outputs: "bool | Head" = False,
    forward: Forward = called,
    for_shape: bool = False,
) -> "Program":
    """Return the program for the arguments of `Program`, compiled or kept."""
    with _lock:
        kept = _programs.setdefault(model, {})
        what = (tuple(sorted(wanted.items())), plan, with_outputs, forward, for_shape)
        key = (*what, structure_of(model))
        if key not in kept:
            while len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
            kept[key] = Program(model, wanted, with_outputs, plan, forward, for_shape)
        return kept[key]


class Program:
    """Calls a model on one batch after the other.

    Args:
        model: The model; only a weak reference is kept.
        wanted: The signals to return, for each site's path.
        with_outputs: Whether to return the model's outputs as well, under the key `OUTPUTS`; or a
            function of outputs and inputs, to return what it returns. Its method `around(model)`,
            if it has one, is a context in which the model is called.
        plan: The edits to carry out.
        forward: What calls the model, or a part of it.
        for_shape: Whether to compile for the very shape of a batch; see
            `Backend.compiled_for_shape`.
    """

    def __init__(
        self,
        model: keras.Model,
        wanted: Mapping[str, tuple[str, ...]],
        with_outputs: "bool | Head" = False,
        plan: Plan | None = None,
        forward: Forward = called,
        for_shape: bool = False,
    ) -> None:
        self._model = weakref.ref(model)
        self._wanted = dict(wanted)
        self._with_outputs = with_outputs
        self._plan = plan
        self._forward = forward
        self._function: Callable = self._body
        if getattr(model, "run_eagerly", False):
            return
        if for_shape:
            self._function = backend().compiled_for_shape(self._body)
        else:
            self._function = backend().compiled_by_batch(self._body, self._is_stateful)

    def state(self) -> list[Any]:
        """Return the values that the model's state starts from."""
        return [ops.copy(v.value) for v in state_variables(self.model)]

    @property
    def model(self) -> keras.Model:
        """The model."""
        model = self._model()
        if model is None:
            raise ReferenceError("The model of this program is gone.")
        return model

    def __call__(
        self, state: list[Any], inputs: Any, given: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[Records, list[Any]]:
        """Call the model on one batch.

        Args:
            state: The values of the model's state before the batch.
            inputs: The batch, in the structure that the model takes.
            given: The edits' numbers for this batch.

        Returns:
            What the batch gave, and the values of the state after it.

        Raises:
            ValueError: If the inputs don't fit the model.
        """
        try:
            batch = tree.map_structure(backend().tensor, (inputs, list(given)))
            weights = [] if backend().reads_variables else _weights_of(self.model)
            return self._function(state, weights, batch)
        except Misuse as error:
            raise ValueError(_first_line(error)[:-1]) from None
        except ReferenceError:
            raise
        except Exception as error:
            raise ValueError(
                f"The model {self.model.name!r} cannot be called on these inputs: "
                f"{_first_line(error)} Received: inputs of shape {_shapes(inputs)}"
            ) from error

    def _is_stateful(self) -> bool:
        return any(getattr(layer, "stateful", False) for layer in self.model._flatten_layers())

    def inside(self, inputs: Any, given: Sequence[Mapping[str, Any]] = ()) -> Records:
        """Call the model inside of a function that is being compiled by someone else."""
        state = [v.value for v in state_variables(self.model)]
        return self._body(state, [], (inputs, list(given)))[0]

    def _body(self, state: list[Any], weights: list[Any], batch: Any) -> tuple[Records, list[Any]]:
        model, (inputs, given) = self.model, batch
        variables = state_variables(model)
        mapping = [*zip(variables, state, strict=True)]
        mapping += [*zip(_weight_variables(model), weights, strict=True)] if weights else []
        records: Records = {}
        notes: Notes = {}
        plan, graph = self._plan, backend().graph()

        # All cells of a layer, or none: other layers keep their own loops.
        sites = find_sites(model)[0]
        paths = self._wanted.keys() | (plan.paths if plan is not None else frozenset())
        layers = {id(site.layer) for site in sites if site.path in paths}

        def check(call: Call) -> None:
            if backend().graph() is not graph:
                raise Misuse(
                    "A recurrent layer is called inside a loop or a branch of TensorFlow "
                    "(tf.while_loop, tf.map_fn, tf.cond), out of which no signal can be handed; "
                    f"loop in Python instead. Received: layer {call.site.path!r}"
                )

        def edits(call: Call) -> list[Edit]:
            if plan is None or call.site.path not in plan.paths:
                return []
            check(call)
            found, noted = plan.edits(call, given)
            notes.update(noted)
            return found

        def record(call: Call, signals: dict[str, Any]) -> None:
            check(call)
            names = self._wanted.get(call.site.path)
            if names is None:
                return
            entry: dict[str, Any] = {
                "signals": {name: _wide(signals[name]) for name in names},
                "initial": {
                    name: _wide(value)
                    for name, value in zip(
                        call.site.spec.cell.states, call.initial_states, strict=True
                    )
                },
            }
            if call.mask is not None:
                entry["mask"] = call.mask
            records.setdefault(call.site.path, []).append(entry)

        around = getattr(self._with_outputs, "around", None)
        with (
            LossesKept(model),
            contextlib.nullcontext() if around is None else around(model),
            keras.StatelessScope(mapping, collect_losses=True) as scope,
            intercept(
                [site for site in sites if id(site.layer) in layers],
                edits=edits,
                record=record,
                wanted=self._wanted,
            ),
        ):
            outputs = self._forward(model, inputs)
        if self._with_outputs:
            head = self._with_outputs
            records[OUTPUTS] = outputs if isinstance(head, bool) else head(outputs, inputs)
        if plan is not None:
            records[NOTES] = notes
        return records, [scope.get_current_value(v) for v in variables]


def _wide(x: Any) -> Any:
    """Return a tensor in a type that NumPy knows."""
    return (
        x
        if keras.backend.standardize_dtype(x.dtype) in ("float32", "float64")
        else (ops.cast(x, "float32"))
    )


def _weight_variables(model: keras.Model) -> list[Any]:
    return [v for v in model.variables if v.trainable]


def _weights_of(model: keras.Model) -> list[Any]:
    return [v.value for v in _weight_variables(model)]


def _first_line(error: BaseException) -> str:
    """Return what an error says, without the frame that Keras puts around it."""
    plain = re.sub("\x1b\\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("Exception encountered when calling")]
    return (said or lines or [type(error).__name__])[0].rstrip(".") + "."


def _shapes(inputs: Any) -> Any:
    shapes = tree.map_structure(lambda x: str(tuple(x.shape)), inputs)
    return shapes if isinstance(shapes, str) else str(shapes).replace("'", "")
