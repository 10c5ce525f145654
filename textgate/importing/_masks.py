"""Masks as Keras 1 and 2 passed them on, in a model of Keras 3.

Both mark the steps of a sequence that count, and hand the mark from layer to layer. They differ in
how some layers hand it on, and then a recurrent layer further down reads the padding, or skips
words, without a word:

- A recurrent layer that is given initial states took the mask of its sequence; it now takes none.
- After `Add`, `Multiply`, … and `Concatenate` of features a step counted if it did in all inputs;
  now it does if it does in any.
- `Multiply`, `Maximum` and `Minimum` read masked values; now they leave them out.
- `TimeDistributed` put out the mask that its layer makes, and of a mask over the words of each
  sentence left one over sentences; now it hands on what it was given.

So each tensor's old mask is followed on the side. Where a layer that looks at masks would get
another one than the old, it is given the old one explicitly, as a tensor of the graph.
"""

import dataclasses
import inspect
import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

import keras
from keras import ops

Tensor = Any  # symbolic, of Keras

_numbers = itertools.count(1)
_MERGES = (
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Average,
    keras.layers.Multiply,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Concatenate,
)


@dataclasses.dataclass(frozen=True)
class _Implicit:
    """A mask that Keras 3 hands on at run time as the old version did, but that is no tensor here.

    Attributes:
        input: The index of the model's input that it comes with, if it comes from outside.
        layer: The nested model that it comes out of, if it doesn't.
    """

    input: int | None = None
    layer: str = ""


class OldMasks:
    """The old masks of the tensors of one model, and how to call its layers with them.

    Args:
        inputs: The model's inputs, if it is a layer of another: they may come with masks.
        nested: What is known of the models inside, by `id`.
        asks_inner: Whether `TimeDistributed` asked its layer for the mask, as since Keras 2.1.3.
        repeats: Whether `Bidirectional` repeated the last output at masked steps, as before
            TensorFlow had Keras of its own; since then it puts out zeros.

    Attributes:
        lost: Inputs with whose masks the old version did what can't be done here, and the layer
            that did it.
        notes: For each tensor that may differ from the old version's: why.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        nested: dict[int, "ModelMasks"],
        asks_inner: bool,
        repeats: bool,
    ) -> None:
        self._old: dict[int, Any] = {}
        self._alive: list[Tensor] = []  # so that no other tensor gets the same `id`
        self._nested = nested
        self._asks_inner = asks_inner
        self._repeats = repeats
        self.lost: dict[int, str] = {}
        self.notes: dict[int, str] = {}
        for index, tensor in enumerate(inputs):
            self._remember(tensor, _Implicit(index))

    def old(self, tensor: Tensor) -> Any:
        """Return the mask that the old version gave a tensor."""
        return self._old.get(id(tensor), _mask_of(tensor))

    def call(
        self,
        layer: Any,
        inputs: list[Tensor],
        states: Any = None,
        arguments: dict[str, Any] | None = None,
    ) -> Any:
        """Call a layer as the old version did.

        Args:
            layer: The layer.
            inputs: Its inputs, one or several.
            states: The initial states of a recurrent layer, in its structure.
            arguments: Further arguments of the call.

        Returns:
            What the layer returns.
        """
        masks = [self.old(tensor) for tensor in inputs]
        arguments = dict(arguments or {})
        merges = isinstance(layer, _MERGES)
        used = list(inputs)
        if merges and any(mask is not None for mask in masks):
            used = [_without_mask(tensor, mask) for tensor, mask in zip(inputs, masks, strict=True)]
        elif not merges and "mask" not in arguments:
            used = self._pass_masks(layer, inputs, masks, states is not None, arguments)
        if states is not None:
            arguments["initial_state"] = states
        outputs = layer(used if len(used) > 1 or merges else used[0], **arguments)
        first, *_ = flat = keras.tree.flatten(outputs)
        if id(layer) in self._nested:
            for tensor, mask in zip(flat, self._after_model(layer, masks), strict=True):
                self._remember(tensor, mask)
        else:
            self._remember(first, self._mask_after(layer, inputs, masks, first))
        self._hand_on_notes(layer, inputs, masks, flat, states is not None)
        return outputs

    def transposed(self, tensor: Tensor) -> Tensor:
        """Return a tensor with its first two axes exchanged, and with its mask."""
        result = ops.transpose(tensor, (1, 0, *range(2, tensor.ndim)))
        mask = self.old(tensor)
        self._remember(result, ops.transpose(mask) if _is_symbolic(mask) else mask)
        return result

    def name_operations(self, outputs: Sequence[Tensor], prefix: str) -> None:
        """Name the operations between layers, so that none bears the name of a layer."""
        waiting = [*outputs, *self._alive, *filter(_is_symbolic, self._old.values())]
        seen: set[int] = set()
        while waiting:
            history = getattr(waiting.pop(), "_keras_history", None)
            if history is None or id(history.operation) in seen:
                continue
            operation = history.operation
            seen.add(id(operation))
            if not isinstance(operation, keras.layers.Layer):
                operation.name = f"{prefix}_{next(_numbers)}"
            if operation._inbound_nodes:
                waiting += operation._inbound_nodes[history.node_index].input_tensors

    def summary(self, outputs: Sequence[Tensor]) -> "ModelMasks":
        """Return what a model has to know that has this one as a layer."""
        ends: list[int | str | None] = []
        for mask in map(self.old, outputs):
            from_outside = mask.input if isinstance(mask, _Implicit) else None
            ends.append(
                None if mask is None else "inside" if from_outside is None else from_outside
            )
        return ModelMasks(ends, self.lost)

    def _pass_masks(
        self,
        layer: Any,
        inputs: list[Tensor],
        masks: list[Any],
        with_states: bool,
        arguments: dict[str, Any],
    ) -> list[Tensor]:
        """Put the old mask among the arguments where Keras 3 would take another one."""
        if "mask" not in inspect.signature(layer.call).parameters:
            return inputs
        tensors = [None if isinstance(mask, _Implicit) else mask for mask in masks]
        if with_states:
            if tensors[0] is not None:
                arguments["mask"] = tensors[0]
            return inputs
        if all(m is _mask_of(t) for m, t in zip(tensors, inputs, strict=True)):
            return inputs
        if all(mask is None for mask in tensors):
            return [_without_mask(t, m) for t, m in zip(inputs, tensors, strict=True)]
        arguments["mask"] = tensors if len(tensors) > 1 else tensors[0]
        return inputs

    def _mask_after(
        self, layer: Any, inputs: list[Tensor], masks: list[Any], output: Tensor
    ) -> Any:
        """Return the mask that the old version gave the first output of a layer."""
        if isinstance(layer, keras.layers.Concatenate):
            return _all_of(layer, inputs, masks)
        if isinstance(layer, _MERGES):
            return _logical_and(masks)
        if isinstance(layer, keras.layers.TimeDistributed):
            return self._after_time_distributed(layer, inputs[0], masks[0])
        if len(masks) == 1 and isinstance(masks[0], _Implicit):
            makes_its_own = _mask_of(output) is not None
            return masks[0] if hands_on(layer) and not makes_its_own else _mask_of(output)
        if all(m is _mask_of(t) for m, t in zip(masks, inputs, strict=True)):
            return _mask_of(output)
        if not layer.supports_masking or any(isinstance(mask, _Implicit) for mask in masks):
            return _mask_of(output)
        return layer.compute_mask(*((inputs, masks) if len(masks) > 1 else (inputs[0], masks[0])))

    def _after_time_distributed(self, wrapper: Any, sequence: Tensor, mask: Any) -> Any:
        """Return the mask after a `TimeDistributed`: that of its layer, or whether any is left."""
        layer = wrapper.layer
        if isinstance(mask, _Implicit) or not self._asks_inner or sequence.shape[0] is not None:
            return mask
        if isinstance(layer, keras.layers.Embedding | keras.layers.Masking):
            return layer.compute_mask(sequence, None)
        if mask is None or (hands_on(layer) and not isinstance(layer, keras.Model)):
            return mask
        return reduce(lambda m, _: ops.any(m, axis=-1), range(mask.ndim - 2), mask)

    def _after_model(self, model: Any, masks: list[Any]) -> list[Any]:
        """Return the old masks of what a nested model puts out."""
        return [
            masks[end]
            if isinstance(end, int)
            else None
            if end is None
            else _Implicit(None, model.name)
            for end in self._nested[id(model)].outputs
        ]

    def _hand_on_notes(
        self,
        layer: Any,
        inputs: list[Tensor],
        masks: list[Any],
        outputs: list[Tensor],
        with_states: bool,
    ) -> None:
        """Note on the outputs of a layer that they may differ, if they may, and why."""
        notes = [self.notes[id(tensor)] for tensor in inputs if id(tensor) in self.notes]
        if skips_masked(layer):
            notes = [note for note in notes if not note.endswith(ZEROS)]
        if self._repeats and masks[0] is not None and puts_out_zeros(layer):
            notes.append(f"the layer {layer.name!r} {ZEROS}")
        needs_tensors = with_states or isinstance(layer, _MERGES)
        for index, mask in enumerate(masks):
            lost = self._nested[id(layer)].lost.get(index) if id(layer) in self._nested else None
            if lost and mask is not None:
                notes.append(f"the layer {lost!r} of {layer.name!r} gets no mask")
            if needs_tensors and isinstance(mask, _Implicit):
                if mask.input is not None:
                    self.lost[mask.input] = layer.name
                else:
                    notes.append(f"the layer {layer.name!r} gets no mask from {mask.layer!r}")
        inner = getattr(layer, "layer", None)
        if id(inner) in self._nested and any(
            m is not None for m in self._nested[id(inner)].outputs
        ):
            notes.append(f"the mask made inside {layer.name!r} is not handed on")
        for tensor in outputs if notes else ():
            self._alive.append(tensor)
            self.notes[id(tensor)] = notes[0]

    def _remember(self, tensor: Tensor, mask: Any) -> None:
        if mask is not _mask_of(tensor):
            self._alive.append(tensor)
            self._old[id(tensor)] = mask


@dataclasses.dataclass(frozen=True)
class ModelMasks:
    """What is known of the masks of a model that is a layer of another.

    Attributes:
        outputs: Of each output: the index of the input whose mask it comes with, `"inside"` if its
            mask is made in the model, or `None`.
        lost: As in `OldMasks`.
    """

    outputs: list[int | str | None]
    lost: dict[int, str]


# What is said of a `Bidirectional` of before TensorFlow's Keras.
ZEROS = "repeated its last output there and puts out zeros now"


def puts_out_zeros(layer: Any) -> bool:
    """Whether a layer puts out zeros at masked steps."""
    return isinstance(layer, keras.layers.Bidirectional) and layer.return_sequences


def skips_masked(layer: Any) -> bool:
    """Whether what a layer is given at masked steps doesn't matter."""
    kinds = keras.layers.RNN | keras.layers.Bidirectional | keras.layers.GlobalAveragePooling1D
    return isinstance(layer, kinds)


def hands_on(layer: Any) -> bool:
    """Whether a layer's output comes with the mask of its input."""
    return bool(layer.supports_masking and getattr(layer, "return_sequences", True))


def _mask_of(tensor: Tensor) -> Any:
    """Return the mask that Keras 3 gives a symbolic tensor."""
    return getattr(tensor, "_keras_mask", None)


def _is_symbolic(mask: Any) -> bool:
    return isinstance(mask, keras.KerasTensor)


def _without_mask(tensor: Tensor, mask: Any) -> Tensor:
    """Return a tensor that comes without a mask, whether with that of Keras 3 or with `mask`."""
    return tensor if mask is None and _mask_of(tensor) is None else ops.copy(tensor)


def _logical_and(masks: Sequence[Any]) -> Any:
    distinct = list({id(mask): mask for mask in masks if _is_symbolic(mask)}.values())
    return reduce(ops.logical_and, distinct) if distinct else None


def _all_of(layer: Any, inputs: Sequence[Tensor], masks: Sequence[Any]) -> Any:
    """Return the old mask after a `Concatenate`: along the features, all; along time, in turn."""
    axis = layer.axis % inputs[0].ndim
    if all(mask is None for mask in masks) or axis == inputs[0].ndim - 1:
        return _logical_and(masks)
    parts = [
        mask if _is_symbolic(mask) else ops.ones_like(tensor[..., 0], dtype="bool")
        for tensor, mask in zip(inputs, masks, strict=True)
    ]
    return ops.concatenate(parts, axis=axis)
