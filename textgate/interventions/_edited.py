"""A model with interventions: the model's own weights, and edits inside its recurrent loops.

Nothing is copied and nothing is put into the model. When an edited model computes, a function is
compiled (once for all interventions of the same kind at the same places) in which loops that carry
out the edits stand in for the layers' own; see `textgate.tracing.intercept`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import keras
import numpy as np
from keras import ops, tree

from textgate._backend import backend
from textgate._shown import as_html
from textgate._special_tokens import PAD
from textgate.interventions._base import Intervention
from textgate.interventions._binding import Bound
from textgate.interventions._evaluating import evaluate
from textgate.interventions._json import to_json
from textgate.models import LanguageModel, NextWords, TextModel
from textgate.models.scoring import distinct_batches, logprobs_of
from textgate.tracing.inputs import source_of
from textgate.tracing.program import NOTES, OUTPUTS, Head, Program, program_for

_BATCH = 32  # as Keras has it


@overload
def intervene(
    model: "TextModel | EditedLanguageModel", interventions: Iterable[Intervention]
) -> "EditedLanguageModel": ...


@overload
def intervene(model: Any, interventions: Iterable[Intervention]) -> "Edited": ...


def intervene(model: Any, interventions: Iterable[Intervention]) -> "Edited":
    """Return a model with interventions; the model itself is left as it is.

    The edited model shares the model's weights, as they are whenever it computes.

    Args:
        model: Any Keras model that `textgate.trace` takes, or an edited one, to which the
            interventions are then added.
        interventions: The interventions. Those of one signal act in the order given; the order of
            signals is that in which a step computes them.

    Returns:
        The edited model. It can be called, has `predict` and `evaluate`, and can be traced; that of
        a language model has its `encode`, `token_logprobs` and `next_logprobs` and can be given to
        `textgate.evaluation.agreement`.

    Raises:
        ValueError: If an intervention doesn't fit the model: an unknown layer, a signal that the
            layer lacks, units out of range, a source of another model.
        TypeError: If `model` is not a Keras model or something is not an intervention.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4, name="lstm")])
    >>> edited = intervene(model, [
    ...     tg.ZeroAblation("lstm", "cell_state", units=[3]),
    ...     tg.Clamp("lstm", "forget_gate", units=[0, 1], value=1.0, steps=slice(2, None)),
    ... ])
    >>> edited.predict(np.ones((2, 5, 3)))[:, 3]
    array([0., 0.], dtype=float32)
    >>> tg.trace(edited, np.ones((2, 5, 3)))["lstm"]["forget_gate"].values[0, :, 0].round(2)[2:]
    array([1., 1., 1.], dtype=float32)
    """
    if isinstance(model, Edited):
        return type(model)(model.model, [*model.interventions, *_listed(interventions)])
    kind = EditedLanguageModel if isinstance(model, TextModel) else Edited
    return kind(model, _listed(interventions))


def _listed(interventions: Any) -> list[Intervention]:
    if isinstance(interventions, Intervention):
        return [interventions]
    if isinstance(interventions, str) or not isinstance(interventions, Iterable):
        raise TypeError(f"`interventions` must be a list. Received: {interventions!r}")
    return list(interventions)


class Edited:
    """A model with interventions, as `intervene` returns it.

    Attributes:
        model: The model, untouched.
        interventions: The interventions, in order.
        editing: What tracing needs to know of them.
    """

    def __init__(self, model: keras.Model, interventions: Sequence[Intervention]) -> None:
        self.model = model
        self.interventions = tuple(interventions)
        self.editing = Bound(model, self.interventions)

    def __repr__(self) -> str:
        listed = "".join(f"    {one!r},\n" for one in self.interventions)
        return f"intervene(<model {self.model.name!r}>, [{listed and chr(10) + listed}])"

    def _repr_html_(self) -> str:
        lines = [repr(one) for one in self.interventions] or ["no interventions"]
        return as_html(f"{self.model.name} with interventions", lines, {})

    def __getattr__(self, name: str) -> Any:
        if hasattr(keras.Model, name):
            raise AttributeError(
                "an edited model computes and no more: it can be called, traced, and has `predict` "
                f"and `evaluate`; train, save or show its `model` instead. Received: {name!r}"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def to_json(self, traces: Any = None) -> str:
        """Return the interventions as JSON; see `textgate.interventions.to_json`."""
        return to_json(self.interventions, traces)

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Call the model on one batch, in inference.

        Inside a function that is being compiled (a `tf.function`, a `jax.jit`) this works for
        interventions that are the same for all examples.

        Args:
            inputs: The batch; all examples of the interventions, in order.
            training: There for those who call models with it; must be `False`.

        Returns:
            The model's outputs, as tensors.
        """
        if training:
            raise ValueError("An edited model computes in inference only. Received: training=True")
        program = self._program()
        if any(map(_is_symbolic, tree.flatten(inputs))):
            if self.editing.aligned:
                raise ValueError(
                    "Interventions of examples or steps need to know which examples come; call the "
                    "edited model outside of compiled functions, or `predict`. Received: symbolic "
                    f"inputs for {self!r}"
                )
            return program.inside(inputs, self.editing.arrays(0, 0))[OUTPUTS]
        [(outputs, _)] = self._run(program, inputs, None)
        return outputs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
    ) -> Any:
        """Return the model's outputs on inputs, as `keras.Model.predict` does.

        Args:
            x: Whatever the model's `predict` takes, or texts for a language model. Interventions
                that have values or steps for each example are for all of them, in order.
            batch_size: Number of examples that are computed at a time, 32 by default; without
                meaning for inputs that come in batches.
            verbose: Without effect: nothing is printed.
            steps: The number of batches after which to stop; by default all are computed.

        Returns:
            Arrays in the structure of the model's outputs.

        Raises:
            ValueError: If inputs and interventions don't fit: another number of examples or of
                steps, values missing at a step.
        """
        parts = []
        batches = self._run(self._program(), x, _checked_size(batch_size, self.model), steps)
        for outputs, _ in batches:
            parts.append(tree.map_structure(np.asarray, outputs))
        shapes = {tuple(a.shape[1:] for a in tree.flatten(part)) for part in parts}
        if len(shapes) > 1:
            raise ValueError(
                "The batches' outputs must have one shape; pad all inputs to one length. "
                f"Received: outputs of shape {sorted(map(str, shapes))}"
            )
        return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the compiled model's loss and metrics, as `keras.Model.evaluate` does.

        The model's metrics are afterwards as they were before.

        Args:
            x: Inputs, or a data set of inputs and targets.
            y: Targets.
            batch_size: As for `predict`.
            verbose: Without effect: nothing is printed.
            sample_weight: A weight for each example.
            steps: The number of batches after which to stop.
            return_dict: Whether to return a dictionary.

        Returns:
            The loss, or a list of the loss and the metrics, or a dictionary of them.

        Raises:
            ValueError: If the model isn't compiled, or as for `predict`.
        """
        size = _checked_size(batch_size, self.model)
        logs = evaluate(self.model, self.editing, x, y, size, sample_weight, steps)
        return logs if return_dict else self.model._flatten_metrics_in_order(logs)

    def _program(self, head: "bool | Head" = True) -> Program:
        return program_for(self.model, {}, self.editing.plan, head)

    def _run(
        self, program: Program, x: Any, batch_size: int | None, steps: int | None = None
    ) -> Iterator[tuple[Any, int]]:
        """Yield the outputs of one batch after the other, and the number of its examples."""
        one = batch_size is None  # everything at once
        source = source_of(self.model, x, batch_size or 2**31, whole=True)
        if steps is None:
            self.editing.begin(source.examples)
        state, examples = program.state(), 0
        for number, (inputs, size, _) in enumerate(source.batches()):
            if number == steps or (one and number):
                break
            records, state = program(state, inputs, self.editing.arrays(examples, size))
            self.editing.check(records[NOTES], examples, size)
            examples += size
            yield records[OUTPUTS], size
        if not examples:
            raise ValueError("`x` must have at least one example. Received: none")
        if steps is None:
            self.editing.begin(examples)


def _is_symbolic(x: Any) -> bool:
    if isinstance(x, keras.KerasTensor):
        raise TypeError(
            "An edited model is not a layer and cannot be part of another model; intervene on the "
            "whole model. Received: a KerasTensor"
        )
    return backend().is_symbolic(x)


def _checked_size(batch_size: Any, model: keras.Model) -> int:
    if batch_size is None:
        for layer in model._flatten_layers():
            if getattr(layer, "stateful", False) and getattr(layer, "states", None):
                return int(tree.flatten(layer.states)[0].shape[0])
        return _BATCH
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be a whole number above 0. Received: batch_size={batch_size!r}"
        )
    return batch_size


class EditedLanguageModel(NextWords, Edited):
    """A language model with interventions.

    Interventions that have values or steps for each example are for all texts given, in order, each
    text with `<bos>` before it and all padded to the length of the longest, as `encode` has them.
    """

    model: LanguageModel

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self.model.tokenizer

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """See `LanguageModel.encode`."""
        return self.model.encode(texts)

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """See `LanguageModel.tokens`."""
        return self.model.tokens(texts)

    def token_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """See `LanguageModel.token_logprobs`."""
        return self.score_tokens(self.encode(texts), batch_size)

    def next_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """See `LanguageModel.next_logprobs`."""
        return self.score_next(self.encode(texts), batch_size)

    def score_tokens(self, ids: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Return the log-probability of each id of `encode` given those before it."""
        result = np.full(ids.shape, np.nan, np.float32)
        for rows, scores in self._scored(ids, batch_size, _of_tokens):
            width = scores.shape[1]
            scores = np.where(ids[rows, 1 : width + 1] == PAD, np.nan, scores)
            result[rows, 1 : width + 1] = scores
        return result

    def score_next(self, ids: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Return the log-probabilities of all words after each row of ids."""
        result = np.empty((len(ids), len(self.tokenizer)), np.float32)
        for rows, scores in self._scored(ids, batch_size, _of_next):
            result[rows] = scores
        return result

    def _scored(
        self, ids: np.ndarray, batch_size: int, head: Head
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows of `ids` that a batch stands for, and what `head` makes of them."""
        if not len(ids):
            return
        program = self._program(head)
        if self.editing.aligned:  # in order, and in full length
            start = 0
            for scores, size in self._run(program, ids, batch_size):
                yield np.arange(start, start + size), np.asarray(scores)
                start += size
            return
        for members, batch in distinct_batches(ids, batch_size):
            [(scores, _)] = self._run(program, batch, None)
            counts = [len(rows) for rows in members]
            yield np.concatenate(members), np.repeat(np.asarray(scores), counts, axis=0)


def _of_tokens(logits: Any, ids: Any) -> Any:
    """Return log p(id | ids before), `(batch, time - 1)`."""
    return logprobs_of(logits[:, :-1], ops.cast(ids, "int32")[:, 1:])


def _of_next(logits: Any, ids: Any) -> Any:
    """Return log p(· | ids), `(batch, vocabulary)`."""
    last = ops.sum(ops.cast(ops.cast(ids, "int32") != PAD, "int32"), axis=1) - 1
    chosen = ops.take_along_axis(logits, last[:, None, None], axis=1)[:, 0]
    return ops.log_softmax(ops.cast(chosen, "float32"), axis=-1)
