"""What a server's questions are about: language models, and others with a tokenizer or inputs.

A subject turns what is typed into inputs of its model, and the model's outputs into chances:

- a `LanguageSubject` reads text as a language model does, and expects the next word at every step;
- a `TextSubject` is another model of word ids with a tokenizer beside it: a classifier, a tagger;
- an `InputSubject` is a model of numbers: what is typed is the number of one of its inputs.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from textgate.models import LanguageModel, TextModel

Chances = list[dict[str, Any]]  # each a `word` and its `probability`


class Subject:
    """One model, and what is typed for it.

    Attributes:
        model: The model.
        reads: What is typed: `"text"`, or `"inputs"` by their numbers.
        says: What its outputs stand for: next `"words"`, or `"classes"`.
    """

    reads, says = "text", "classes"

    def __init__(self, model: Any) -> None:
        self.model = model

    vocabulary = 0
    tokenizer: Any = None

    def inputs(self, texts: Sequence[str]) -> Any:
        """Return texts as the model takes them."""
        raise NotImplementedError

    def tokens(self, text: str) -> list[str]:
        """Return what stands at each step."""
        raise NotImplementedError

    def unknown(self, text: str) -> list[int]:
        """Return the steps of what the model doesn't know."""
        return []

    def id_of(self, word: str) -> int | None:
        """Return the number of an output, `None` if there is none of the name."""
        return None

    def word_of(self, number: int) -> str:
        """Return the name of an output."""
        return f"class {number}"

    def logprobs(self, text: str, probabilities: np.ndarray) -> list[float | None]:
        """Return the log-probability of each token given those before it."""
        return [None] * len(self.tokens(text))

    def probabilities(self, edited: Any, text: str) -> np.ndarray:
        """Return what a model says at each step, `(steps, outputs)`; NaN where it says nothing.

        Args:
            edited: The model, perhaps with interventions.
            text: What is typed.
        """
        outputs = keras.tree.flatten(edited.predict(self.inputs([text]), verbose=0))[0][0]
        outputs = _as_probabilities(np.asarray(outputs, np.float64))
        steps = len(self.tokens(text))
        if outputs.ndim == 1:
            rows = np.full((steps, len(outputs)), np.nan)
            rows[-1:] = outputs
            return rows
        return outputs.reshape(len(outputs), -1)[:steps]


class LanguageSubject(Subject):
    """A language model of textgate, whatever its tokenizer."""

    says = "words"

    def __init__(self, model: TextModel) -> None:
        super().__init__(model)
        self.tokenizer = model.tokenizer
        self.vocabulary = len(self.tokenizer)

    def inputs(self, texts: Sequence[str]) -> Any:
        """See `Subject.inputs`."""
        return self.model.encode(list(texts))

    def tokens(self, text: str) -> list[str]:
        """See `Subject.tokens`."""
        return [str(token) for token in self.model.tokens([text])[0]]

    def unknown(self, text: str) -> list[int]:
        """See `Subject.unknown`."""
        return _unknown_steps(self.tokenizer, self.inputs([text])[0])

    def id_of(self, word: str) -> int | None:
        """See `Subject.id_of`."""
        return _id_of(self.tokenizer, word)

    def word_of(self, number: int) -> str:
        """See `Subject.word_of`."""
        return str(self.tokenizer.vocabulary[number])

    def logprobs(self, text: str, probabilities: np.ndarray) -> list[float | None]:
        """See `Subject.logprobs`."""
        ids = self.inputs([text])[0]
        read = np.log(np.maximum(probabilities[np.arange(len(ids) - 1), ids[1:]], 1e-300))
        return [None, *map(float, read)]

    def projected(self, index: int, text: str, below: np.ndarray | None) -> np.ndarray:
        """Return what a recurrent layer is given at each step, `(steps, features)`.

        Args:
            index: The number of the layer.
            text: The text.
            below: The hidden states of the layer below it, if there is one.
        """
        if index and below is not None:
            return below
        embeddings = keras.ops.convert_to_numpy(self.model.get_layer("embedding").embeddings)
        return np.asarray(embeddings[self.inputs([text])[0]])


class TextSubject(Subject):
    """Any model of word ids, with the tokenizer that it was trained with."""

    def __init__(self, model: keras.Model, tokenizer: Any) -> None:
        super().__init__(model)
        self.tokenizer = tokenizer
        self.vocabulary = len(tokenizer)

    def inputs(self, texts: Sequence[str]) -> Any:
        """See `Subject.inputs`."""
        rows = [self.tokenizer.encode(text) or [self.tokenizer.unknown_id or 0] for text in texts]
        width = max(map(len, rows))
        return np.array([[*row, *[0] * (width - len(row))] for row in rows], np.int32)

    def tokens(self, text: str) -> list[str]:
        """See `Subject.tokens`."""
        return list(self.tokenizer.split(text)) or [""]

    def unknown(self, text: str) -> list[int]:
        """See `Subject.unknown`."""
        return _unknown_steps(self.tokenizer, self.inputs([text])[0])


class InputSubject(Subject):
    """A model of numbers, and examples of what it takes."""

    reads = "inputs"

    def __init__(self, model: keras.Model, examples: Any) -> None:
        super().__init__(model)
        self.examples = examples
        self.count = len(keras.tree.flatten(examples)[0])

    def inputs(self, texts: Sequence[str]) -> Any:
        """See `Subject.inputs`."""
        numbers = [self._number(text) for text in texts]
        return keras.tree.map_structure(lambda array: array[numbers], self.examples)

    def tokens(self, text: str) -> list[str]:
        """See `Subject.tokens`."""
        example = np.asarray(keras.tree.flatten(self.inputs([text]))[0][0])
        if example.ndim == 1:
            return [f"{value:g}" for value in example]
        return [str(step) for step in range(len(example))]

    def _number(self, text: str) -> int:
        text = text.strip() or "0"
        if not text.isdecimal() or int(text) >= self.count:
            raise ValueError(
                f"this model has no tokenizer; type the number of an input, from 0 to "
                f"{self.count - 1}. Received: {text[:40]!r}"
            )
        return int(text)


def subject_of(model: Any, tokenizer: Any = None, inputs: Any = None) -> Subject:
    """Return what questions about a model are asked of.

    Args:
        model: Any Keras model with recurrent layers.
        tokenizer: Of a model of word ids that isn't a language model of textgate.
        inputs: Of a model without text: examples of what its `predict` takes.

    Raises:
        ValueError: If it needs a tokenizer or inputs and has neither.
        TypeError: If it is no Keras model.
    """
    if isinstance(model, LanguageModel):
        return LanguageSubject(model)
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"a model to explore must be a Keras model. Received: {type(model).__name__}"
        )
    if tokenizer is not None:
        return TextSubject(model, tokenizer)
    if inputs is not None:
        return InputSubject(model, inputs)
    raise ValueError(
        "this model has no tokenizer of its own; give its `tokenizer` (--tokenizer "
        "vocabulary.json), or `inputs` to choose from (--inputs file.npy). "
        f"Received: {type(model).__name__} {model.name!r}"
    )


def _id_of(tokenizer: Any, word: str) -> int | None:
    try:
        [number] = tokenizer.tokens_to_ids([word])
    except ValueError:  # a tokenizer without an id for unknown words
        return None
    return int(number)


def _unknown_steps(tokenizer: Any, ids: np.ndarray) -> list[int]:
    return [step for step, number in enumerate(ids) if number == tokenizer.unknown_id]


def _as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return outputs as probabilities: one in [0, 1] is that of class 1, others are logits."""
    if not outputs.shape[-1:] or outputs.shape[-1] == 1:
        one = outputs.reshape(*outputs.shape[:-1], 1) if outputs.ndim else outputs.reshape(1)
        inside = bool(((one >= 0) & (one <= 1)).all())
        return np.concatenate([1 - one, one], axis=-1) if inside else one
    if (outputs >= 0).all() and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3):
        return outputs
    exponentials = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
