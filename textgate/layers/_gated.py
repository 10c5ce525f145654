"""What `LSTM` and `GRU` have in common: the loop of `textgate.recurrence`, and its gates.

A Keras recurrent layer prepares everything (initial states, dropout masks, stateful variables) in
`call` and leaves the loop to its `inner_loop`. Ours replace that method only, so that whatever
Keras does around it stays Keras's own, and keep the gates that the loop has computed anyway.
"""

from typing import TYPE_CHECKING, Any

import keras
from keras import ops, regularizers, tree
from keras.src.backend.common import global_state

from textgate import recurrence
from textgate._backend import Tensor, backend
from textgate.layers._equations import spec_of, weights_of
from textgate.layers._outputs import outputs_of

if TYPE_CHECKING:  # for the type checker, a mixin is a layer that it is mixed into
    from keras.layers import RNN as _Layer
else:
    _Layer = object


class Gated(_Layer):
    """Mixin for a `keras.layers.LSTM` or `GRU` that computes with `textgate.recurrence`."""

    def _init_gated(self, return_gates: bool, variant: dict[str, Any]) -> None:
        if not isinstance(return_gates, bool):
            raise ValueError(
                f"`return_gates` must be True or False. Received: return_gates={return_gates!r}"
            )
        self.return_gates = return_gates
        # On the cell, where whoever computes with it finds all of its equations. The first
        # assignment lets the spec say what is wrong; the second keeps its plain numbers.
        self.cell.variant = variant
        self.cell.variant = {**variant, "fixed_gates": dict(self.spec.fixed_gates)}
        self._gates: dict[str, Any] | None = None
        if return_gates:
            # Keras would apply the activity regularizer to all outputs, and gates aren't activity.
            self.output_regularizer = getattr(self, "activity_regularizer", None)
            self.activity_regularizer = None

    @property
    def spec(self) -> recurrence.Spec:
        """The equations of this layer."""
        return spec_of(self.cell)

    @property
    def variant(self) -> dict[str, Any]:
        """How this layer's equations differ from the stock ones, as constructor arguments."""
        variant = dict(self.cell.variant)
        return {**variant, "fixed_gates": dict(variant.get("fixed_gates", {}))}

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if self.return_gates:
            _refuse_wrappers(self)
        super().build(sequences_shape, initial_state_shape)

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, Any]:
        spec = self.spec
        on_gpu = backend().has_gpu()
        if self.use_cudnn is True or (on_gpu and spec.is_plain and not self.return_gates):
            if not spec.is_plain or self.return_gates:
                raise ValueError(
                    "cuDNN returns no gates and knows no variants; leave `use_cudnn` at 'auto'. "
                    f"Received: use_cudnn=True in layer {self.name!r}"
                )
            return super().inner_loop(sequences, initial_state, mask, training)
        if not tree.is_nested(initial_state):
            initial_state = [initial_state]
        if tree.is_nested(mask):
            mask = mask[0]
        dropout, recurrent_dropout = self._dropout_masks(sequences, initial_state, training)
        signals, states = recurrence.sequence(
            spec,
            sequences,
            weights_of(self.cell),
            initial_state,
            mask=mask,
            go_backwards=self.go_backwards,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            unroll=self.unroll,
        )
        self.keep_gates(signals)
        return (*outputs_of(self, signals["hidden_state"], mask), states)

    def _dropout_masks(
        self, sequences: Any, states: list[Tensor], training: bool
    ) -> tuple[Any, Any]:
        """Return the cell's dropout masks as Keras's cells use them in training, else `None`."""
        dropout = recurrent_dropout = None
        if training and 0.0 < self.cell.dropout < 1.0:
            dropout = self.cell.get_dropout_mask(sequences[:, 0, :])
        if training and 0.0 < self.cell.recurrent_dropout < 1.0:
            recurrent_dropout = self.cell.get_recurrent_dropout_mask(states[0])
        return dropout, recurrent_dropout

    def keep_gates(self, signals: dict[str, Any]) -> None:
        """Keep a loop's signals for `call` to return, in the order of the layer's outputs.

        Whatever stands in for `inner_loop` (a tracer, an intervention) calls this with the
        signals it has computed, in the time order of the inputs.
        """
        if not self.return_gates:
            return
        if self.go_backwards:
            signals = {name: ops.flip(signal, axis=1) for name, signal in signals.items()}
        gates = {name: ops.cast(s, self.compute_dtype) for name, s in signals.items()}
        # Past Keras's tracking, which would wrap the dictionary.
        object.__setattr__(self, "_gates", gates)

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        try:
            result = super().call(
                sequences, initial_state=initial_state, mask=mask, training=training
            )
            if not self.return_gates:
                return result
            outputs = result if isinstance(result, tuple) else (result,)
            if self.output_regularizer is not None:
                for output in outputs:
                    loss = self.output_regularizer(output)
                    batch = ops.cast(ops.shape(output)[0], loss.dtype)
                    self.add_loss(ops.divide_no_nan(loss, batch))
            return *outputs, self._gates
        finally:
            object.__setattr__(self, "_gates", None)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shape = super().compute_output_shape(sequences_shape, initial_state_shape)
        if not self.return_gates:
            return shape
        shapes = shape if self.return_state else (shape,)
        batch, time = sequences_shape[:2]
        gates = dict.fromkeys(self.spec.cell.signals, (batch, time, self.units))
        return *shapes, gates

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        masks = super().compute_mask(inputs, mask)
        if not self.return_gates:
            return masks
        if not isinstance(masks, list):
            masks = [masks]
        time_mask = tree.flatten(mask)[0]
        return [*masks, dict.fromkeys(self.spec.cell.signals, time_mask)]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(return_gates=self.return_gates, **self.variant)
        if self.return_gates:
            config["activity_regularizer"] = regularizers.serialize(self.output_regularizer)
        return config


def _refuse_wrappers(layer: Any) -> None:
    """Raise if a wrapper that takes a single tensor from its layer is building `layer`.

    A layer doesn't know what it is wrapped in. But Keras opens a name scope for every layer that
    it builds, and a wrapper builds its layer inside its own scope, so the open scopes name it.
    """
    for scope in global_state.get_global_attribute("name_scope_stack") or ():
        owner = scope.caller
        if isinstance(owner, keras.layers.Bidirectional | keras.layers.TimeDistributed):
            parts = ("layer", "forward_layer", "backward_layer")
            if any(getattr(owner, part, None) is layer for part in parts):
                raise ValueError(
                    f"{type(owner).__name__} cannot pass on the gates of the layer it wraps; "
                    "leave `return_gates` at False and read them with `textgate.trace(model, "
                    f"inputs)`. Received: return_gates=True in layer {layer.name!r}"
                )
