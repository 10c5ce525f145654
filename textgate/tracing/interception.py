"""Standing in for a model's recurrent loops, to read their signals or to edit them.

Every recurrent layer of Keras prepares its states, masks and dropout in `call` and leaves the loop
over the steps to its method `inner_loop`. `intercept` puts a function of ours in that method's
place, on the layer's instance and for as long as a `with` block lasts. It computes the same
recurrence by `textgate.recurrence.sequence`, *instead of* the layer's own loop and not besides it:
this yields every gate at the cost of the loop alone, and lets an edit act inside the step.

Because nothing but the loop is replaced, whatever surrounds it stays as it is: `Bidirectional`,
`TimeDistributed`, stateful layers, a subclass with a `call` of its own, Python loops that call a
layer many times. The model is only touched while its Python code runs, which for a compiled
function means once, while it is being compiled; another thread that uses the model meanwhile gets
the layer's own loop.
"""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops, tree

from textgate import recurrence
from textgate.layers import outputs_of, weights_of
from textgate.tracing._sites import Site

_lock = threading.RLock()
_active = threading.local()


@dataclass(frozen=True)
class Call:
    """One call of a site: what its recurrence is about to be computed from.

    Attributes:
        site: The site.
        index: How many times the site was called before.
        inputs: Of shape `(batch, time, features)`.
        initial_states: The states before the first step, in Keras's order.
        mask: Booleans of shape `(batch, time)`, or `None`.
    """

    site: Site
    index: int
    inputs: Any
    initial_states: list[Any]
    mask: Any


# What is to be changed in a call, and what is to be done with the signals it gave.
Edits = Callable[[Call], Sequence[recurrence.Edit]]
Record = Callable[[Call, dict[str, Any]], None]


@contextlib.contextmanager
def intercept(
    sites: Sequence[Site],
    *,
    edits: Edits | None = None,
    record: Record | None = None,
    wanted: Mapping[str, Collection[str]] | None = None,
) -> Iterator[None]:
    """Stand in for the loops of the layers at `sites`.

    Whatever happens inside the block, the layers are afterwards as they were before.

    Args:
        sites: The sites, as `find_sites` gives them; all of a stack of cells, or none of it.
        edits: Is asked before each call of a site for the edits of its signals.
        record: Is handed each call and its signals, `{name: (batch, time, units)}`, in the time
            order of the inputs.
        wanted: For each site's path the signals that `record` needs; by default all of every site.

    Example:

    >>> import keras, numpy as np
    >>> from textgate.tracing import find_sites
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4)])
    >>> with intercept(find_sites(model)[0], record=lambda call, signals: print(list(signals))):
    ...     _ = model(np.ones((1, 5, 3)))
    ['update_gate', 'reset_gate', 'candidate', 'hidden_state']
    """
    by_layer: dict[int, list[Site]] = {}
    for site in sites:
        by_layer.setdefault(id(site.layer), []).append(site)
    token = object()
    counts: dict[int, int] = {}
    undo: list[Callable[[], None]] = []
    with _lock:
        outer = getattr(_active, "token", None)
        _active.token = token
        try:
            for group in by_layer.values():
                undo.append(
                    _replace(group[0].layer, _Loop(group, token, counts, edits, record, wanted))
                )
            for wrapper in {id(w): w for site in sites for w in site.around}.values():
                undo.append(_guard(wrapper, token))
            yield
        finally:
            _active.token = outer
            for restore in reversed(undo):
                restore()


def _replace(layer: Any, loop: "_Loop") -> Callable[[], None]:
    """Put `loop` in the place of the layer's own; return the function that undoes it.

    The instance's dictionary is written directly, past Keras's tracking of attributes.
    """
    attributes = vars(layer)
    kept = {name: attributes[name] for name in ("inner_loop", "use_cudnn") if name in attributes}
    loop.original = layer.inner_loop
    attributes["inner_loop"] = loop
    if "use_cudnn" in attributes:
        # Bidirectional has loops of its own on GPUs, which it leaves to its halves then.
        attributes["use_cudnn"] = False

    def restore() -> None:
        attributes.pop("inner_loop", None)
        attributes.update(kept)
        # A call that was cut short leaves its dropout masks behind, which belong to its graph.
        for site in loop.sites:
            for name in ("_dropout_mask", "_recurrent_dropout_mask"):
                if vars(site.cell).get(name) is not None:
                    getattr(site.cell, f"reset{name}")()

    return restore


def _guard(wrapper: Any, token: object) -> Callable[[], None]:
    """Let a `TimeDistributed` loop in Python only; return the function that undoes it.

    Where it doesn't know how many slices there are, it maps over them as one, and the signals of
    a single slice could not be told from those of all.
    """
    attributes = vars(wrapper)
    kept = {name: attributes[name] for name in ("call",) if name in attributes}
    original = wrapper.call

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(_active, "token", None) is token and inputs.shape[1] is None:
            raise ValueError(
                "The number of slices that a TimeDistributed layer goes through must be known. "
                f"Received: layer {wrapper.name!r} with inputs of shape {tuple(inputs.shape)}"
            )
        return original(inputs, *args, **kwargs)

    attributes["call"] = call

    def restore() -> None:
        attributes.pop("call", None)
        attributes.update(kept)

    return restore


class _Loop:
    """What stands in for one layer's `inner_loop`."""

    original: Callable[..., Any]

    def __init__(
        self,
        sites: list[Site],
        token: object,
        counts: dict[int, int],
        edits: Edits | None,
        record: Record | None,
        wanted: Mapping[str, Collection[str]] | None,
    ) -> None:
        self.sites = sorted(sites, key=lambda site: site.position)
        self.layer: Any = sites[0].layer
        self.token, self.counts = token, counts
        self.edits, self.record, self.wanted = edits, record, wanted

    def __call__(self, sequences: Any, initial_state: Any, mask: Any = None, training: Any = False):
        if getattr(_active, "token", None) is not self.token:
            return self.original(sequences, initial_state, mask=mask, training=training)
        states = list(initial_state) if tree.is_nested(initial_state) else [initial_state]
        stacked = isinstance(self.layer.cell, keras.layers.StackedRNNCells)
        per_cell = states if stacked else [states]
        mask = _plain_mask(mask)
        index = self.counts.get(id(self.layer), 0)
        self.counts[id(self.layer)] = index + 1
        keep_gates = getattr(self.layer, "keep_gates", None)  # of ours with `return_gates`
        whole = keep_gates is not None or (self.record is not None and self.wanted is None)
        x, finals = sequences, []
        signals: dict[str, Any] = {}
        for site, cell_states in zip(self.sites, per_cell, strict=True):
            call = Call(site, index, x, [_value(s) for s in tree.flatten(cell_states)], mask)
            weights = weights_of(site.cell)
            dropout, recurrent_dropout = _dropout(site.cell, weights, call, training)
            signals, final = recurrence.sequence(
                site.spec,
                call.inputs,
                weights,
                call.initial_states,
                mask=mask,
                go_backwards=self.layer.go_backwards,
                edits=tuple(self.edits(call)) if self.edits is not None else (),
                dropout=dropout,
                recurrent_dropout=recurrent_dropout,
                unroll=self.layer.unroll,
                wanted=None if whole else {"hidden_state", *(self.wanted or {}).get(site.path, ())},
            )
            if self.record is not None:
                self.record(call, signals)
            finals.append(tree.pack_sequence_as(cell_states, final))
            x = signals["hidden_state"]
        if keep_gates is not None:
            keep_gates(signals)
        last, outputs = outputs_of(self.layer, x, mask)
        return last, outputs, finals if stacked else finals[0]


def _value(state: Any) -> Any:
    """Return a state as a tensor; that of a stateful layer comes as a variable, to be read now."""
    return state.value if isinstance(state, keras.Variable) else ops.convert_to_tensor(state)


def _plain_mask(mask: Any) -> Any:
    masks = [m for m in tree.flatten(mask) if m is not None]
    if not masks:
        return None
    plain = ops.cast(ops.convert_to_tensor(masks[0]), "bool")
    return ops.squeeze(plain, -1) if len(plain.shape) == 3 else plain


def _dropout(cell: Any, weights: Any, call: Call, training: Any) -> tuple[Any, Any]:
    """Return the cell's dropout masks, as its own `call` uses them in training."""
    dropout = recurrent_dropout = None
    if not isinstance(weights, recurrence.Weights):  # a registered cell
        if training and cell._call_has_training_arg:
            raise ValueError(
                "A registered cell is read and edited in inference only; call the layer with "
                f"training=False. Received: training={training}, layer {call.site.path!r}"
            )
        return None, None
    if training and cell.dropout > 0:
        dropout = cell.get_dropout_mask(call.inputs[:, 0, :])
    if training and cell.recurrent_dropout > 0:
        recurrent_dropout = cell.get_recurrent_dropout_mask(call.initial_states[0])
        if not isinstance(recurrent_dropout, list):
            recurrent_dropout = [recurrent_dropout]
    return dropout, recurrent_dropout
