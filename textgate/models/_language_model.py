"""Language models: an embedding, recurrent layers, and a softmax over the vocabulary.

A `LanguageModel` is an ordinary Functional Keras model

    ids ─> embedding ─> [dropout ─> lstm ─> dropout ─> lstm_1 … ─> dropout ─>] output = logits

so that everything that works on Keras models works on it; its recurrent layers are found under
their names `lstm`, `lstm_1`, … (or `gru`, `simple_rnn`), also if a gate of theirs is held at a
value (`textgate.models.CELLS`). What it adds is its tokenizer, which is
saved with it in one `.keras` file, and probabilities of texts:

- `token_logprobs(texts)`: log p(word | words before), for each word of each text;
- `next_logprobs(texts)`: log p(· | text), over the vocabulary.

A text begins with `<bos>` (or what else its tokenizer begins with), which is given and not
predicted. Padding (id 0) is masked.
"""

from collections.abc import Sequence
from typing import Any

import keras

from textgate import tokenizers
from textgate.models._architecture import Architecture
from textgate.models._cells import equations_of
from textgate.models._text_model import TextModel


@keras.saving.register_keras_serializable(package="textgate")
class LanguageModel(TextModel, keras.Model):
    """A recurrent language model over words, with its tokenizer.

    Args:
        tokenizer: A `textgate.tokenizers.Tokenizer`, such as a `WordTokenizer`.
        cell: `"lstm"`, `"gru"`, `"simple_rnn"`, or one of the variants and simpler models of
            `textgate.models.CELLS`.
        units: The number of units of each recurrent layer, from the input up.
        embedding: Dimension of the word embedding; `None` for as many as the first layer's units,
            or the last layer's if the embedding is tied.
        tied: Whether the output uses the embedding's matrix (Press & Wolf 2017). If the last
            layer's units are not as many as the embedding's dimensions, a linear `projection`
            stands between.
        dropout: Share of the inputs of each recurrent layer and of the output that is dropped in
            training.
        seed: Seed of the initial weights and of dropout; `None` for a random one.
        embedding_scale: The embeddings begin uniformly between minus and plus this. Keras's 0.05
            suits a vocabulary in which rare words should begin alike; from 0.5, words are told
            apart sooner, and dependencies learned from fewer sentences.
        forget_bias: Where the bias of the gates that retain begins: of an LSTM's forget gates, of
            a GRU's update gates. `None` as in Keras: 1 for the LSTM (Jozefowicz et al. 2015), 0 for
            the GRU. From 3, about 0.95 of a state is kept from word to word before anything is
            learned (σ(3) = 0.953), so that some of it lasts for twenty words. Cells without such
            gates do without.
        name: Name of the model.
        **kwargs: As for `keras.Model`, such as `dtype`.

    Call arguments:
        inputs: Word ids of shape `(batch, time)`, `int32`; 0 is padding and masked.

    Output shape:
        Logits of shape `(batch, time, vocabulary)`: at each position, of the word after it.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog .", "He fed his cat ."])
    >>> lm = LanguageModel(tokenizer, cell="gru", units=(8,), seed=0)
    >>> lm(lm.encode(["She fed her cat", "He ran"])).shape
    TensorShape([2, 5, 12])
    >>> lm.token_logprobs(["She fed her cat"]).shape
    (1, 5)
    """

    def __init__(
        self,
        tokenizer: Any,
        cell: str = "lstm",
        units: int | Sequence[int] = (128,),
        embedding: int | None = None,
        tied: bool = False,
        dropout: float = 0.2,
        seed: int | None = None,
        embedding_scale: float = 0.05,
        forget_bias: float | None = None,
        name: str = "language_model",
        **kwargs: Any,
    ) -> None:
        architecture = Architecture(
            cell,
            units,
            embedding,
            tied,
            dropout,
            seed,
            embedding_scale,
            forget_bias,
            kwargs.pop("dtype", None),
        )
        inputs, outputs = architecture.graph(len(tokenizer))
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        # Past Keras's tracking, which would wrap what it takes for a container of layers.
        object.__setattr__(self, "tokenizer", tokenizer)
        object.__setattr__(self, "_architecture", architecture)

    # -- structure ---------------------------------------------------------------------------

    @property
    def cell(self) -> str:
        """The kind of the cells: `"lstm"`, `"gru"` or another of `textgate.models.CELLS`."""
        return self._architecture.cell

    @property
    def memory(self) -> str:
        """The signal that is the cells' memory: `"cell_state"` of LSTMs, else `"hidden_state"`."""
        equations = equations_of(self.cell)
        return equations.memory if equations else "hidden_state"

    @property
    def units(self) -> tuple[int, ...]:
        """The number of units of each recurrent layer, from the input up."""
        return self._architecture.units

    @property
    def tied(self) -> bool:
        """Whether the output uses the embedding's matrix."""
        return self._architecture.tied

    @property
    def recurrent_layers(self) -> list[Any]:
        """The recurrent layers, from the input up."""
        return [self.get_layer(name) for name in self._architecture.layer_names]

    def hidden(
        self,
        ids: Any,
        initial_states: Sequence[Sequence[Any]] | None = None,
        mask: Any = None,
        training: bool = False,
    ) -> tuple[Any, list[list[Any]]]:
        """Return what the output layer is given, and the states after the last step.

        Right padding needs no mask: nothing flows from it to the positions before.

        Args:
            ids: Of shape `(batch, time)`.
            initial_states: For each recurrent layer its states, each `(batch, units)`, as this
                method returns them; `None` for zeros.
            mask: Of shape `(batch, time)`, or `None`.
            training: Whether dropout is active.

        Returns:
            A tensor `(batch, time, units of the last layer)`, or `(…, embedding)` after the
            projection of a tied model; and the states.
        """
        embedding = self.get_layer("embedding")
        x = keras.ops.take(embedding.embeddings, ids, axis=0)
        x = keras.ops.cast(x, embedding.compute_dtype)
        states = []
        for index, layer in enumerate(self.recurrent_layers):
            x = self._dropped(x, index, training)
            initial = None if initial_states is None else list(initial_states[index])
            x, *last = layer(x, initial_state=initial, mask=mask, training=training)
            states.append(last)
        x = self._dropped(x, len(self.units), training)
        if self._architecture.has_projection:
            x = self.get_layer("projection")(x)
        return x, states

    def _dropped(self, x: Any, index: int, training: bool) -> Any:
        names = self._architecture.dropout_names
        return self.get_layer(names[index])(x, training=training) if names else x

    def readout(self, hidden: Any) -> Any:
        """Return the logits `(…, vocabulary)` for what `hidden` returned (or rows of it)."""
        if self.tied:
            return self.get_layer("embedding")(hidden, reverse=True)
        return self.get_layer("output")(hidden)

    @property
    def readout_weights(self) -> tuple[Any, Any, bool]:
        """The output's matrix, its bias (or `None`), and whether the matrix is transposed.

        The matrix is `(features, vocabulary)`, or transposed, `(vocabulary, features)`.
        """
        if self.tied:
            return self.get_layer("embedding").embeddings, None, True
        return self.get_layer("output").kernel, self.get_layer("output").bias, False

    # -- saving ------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, the tokenizer as its own configuration."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            **self._architecture.config,
            "tokenizer": self.tokenizer.get_config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LanguageModel":
        """Return the untrained model that `get_config` describes."""
        config = dict(config)
        trainable = config.pop("trainable", True)
        tokenizer = tokenizers.from_config(config.pop("tokenizer"))
        model = cls(tokenizer, **config)
        if not trainable:
            model.trainable = False
        return model
