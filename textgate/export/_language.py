"""The endpoints of a language model: text in, plain tensors out.

Every output has the texts as its first axis (names, too, are given for each text), as servers that
put calls together into batches need it. Padding is 0 and the empty string.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from textgate._special_tokens import PAD
from textgate.datasets.lexicon import CLASSES, PRONOUNS
from textgate.export import _signals as signals
from textgate.export import _texts as texts
from textgate.export._clamp import Clamp
from textgate.export._demands import demand
from textgate.models import LanguageModel
from textgate.tracing import find_sites
from textgate.tracing.interception import Edits

TOP = 10  # of `serving_default`
_ROWS = 512  # positions whose probabilities of all words are computed at a time

# Beside the forms that the data set asks for.
_MORE = {"feminine": ("hers",), "they": ("theirs", "themself")}


def pronoun_forms(vocabulary: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return `(form, class)` for each pronoun that the vocabulary has, capitalized ones, too.

    Example:

    >>> pronoun_forms(("<pad>", "she", "She", "his", "dog"))
    [('she', 'feminine'), ('She', 'feminine'), ('his', 'masculine')]
    """
    pairs = []
    for name in CLASSES:
        forms = dict.fromkeys((*PRONOUNS[name].values(), *_MORE.get(name, ())))
        every = [*forms, *(form.capitalize() for form in forms)]
        pairs += [(form, name) for form in every if form in vocabulary]
    return pairs


class LanguageEndpoints:
    """Reads texts with a language model, in TensorFlow operations.

    Args:
        lm: The model. Its tokenizer must be a `GraphTokenizer`.
    """

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm
        tokenizer: Any = lm.tokenizer
        self.words = tokenizer.graph
        self.sites = find_sites(lm)[0]
        self.vocabulary = len(lm.tokenizer)
        self.forms = pronoun_forms(tuple(lm.tokenizer.vocabulary))
        self.classes = list(dict.fromkeys(name for _, name in self.forms))

    def signatures(self) -> dict[str, list[tf.TensorSpec]]:
        """Return the types of each endpoint's arguments."""
        text = tf.TensorSpec((None,), tf.string, "text")
        signatures = {
            "serving_default": [text],
            "serve": [text, tf.TensorSpec((), tf.int32, "k")],
            "score": [text],
            "pronouns": [text],
        }
        if self.sites:  # a model of the ladder may have no gates at all
            signatures["gates"] = [text]
            signatures["edit"] = [text, *Clamp.signature()]
        return signatures

    # -- endpoints ---------------------------------------------------------------------------

    def serving_default(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the likeliest next words."""
        return self.serve(text, tf.constant(min(TOP, self.vocabulary)))

    def serve(self, text: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the `k` likeliest next words and their probabilities."""
        k = demand(
            k,
            (k >= 1) & (k <= self.vocabulary),
            f"`k` must be from 1 to {self.vocabulary}, the number of words that the model knows.",
            k,
        )
        with tf.control_dependencies([k]):
            tokenized = self._read(text)
        return {
            **self._likeliest(tokenized, self._next(tokenized), k),
            "unknown": tokenized.unknown,
        }

    def score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the log-probability of each token, given those before it, and of the text."""
        tokenized = self._read(text)
        features, _ = self._run(tokenized.ids)
        places = tf.where(tokenized.ids[:, 1:] != PAD)  # (words, 2)
        logprobs = self._logprobs(
            tf.gather_nd(features, places), tf.gather_nd(tokenized.ids[:, 1:], places)
        )
        shape = tf.shape(tokenized.ids, out_type=tf.int64)
        tokens = tf.scatter_nd(places + tf.constant([[0, 1]], tf.int64), logprobs, shape)
        tokens = tokenized.answered(tf.ensure_shape(tokens, (None, None)))
        return {
            "tokens": tokenized.tokens,
            "lengths": tokenized.lengths,
            "unknown": tokenized.unknown,
            "token_logprobs": tokens,
            "sentence_logprobs": tf.reduce_sum(tokens, axis=1),
        }

    def pronouns(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return how likely each pronoun is the next word, by class and by form."""
        tokenized = self._read(text)
        return self._pronouns(tokenized, self._next(tokenized))

    def gates(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the tokens and every signal of every recurrent layer."""
        tokenized = self._read(text)
        _, calls = self._run(tokenized.ids)
        mask = tf.sequence_mask(tokenized.lengths, tf.shape(tokenized.ids)[1])
        outputs = {
            "tokens": tokenized.tokens,
            "lengths": tokenized.lengths,
            "unknown": tokenized.unknown,
        }
        for site in self.sites:
            ((_, of_site),) = calls[site.path]
            recorded = signals.outputs_of(site, of_site, mask, site.path)
            outputs.update({name: tokenized.answered(each) for name, each in recorded.items()})
        return outputs

    def edit(
        self,
        text: tf.Tensor,
        layer: tf.Tensor,
        signal: tf.Tensor,
        units: tf.Tensor,
        value: tf.Tensor,
        steps: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Return `pronouns` and the likeliest next words while units are held at values."""
        tokenized = self._read(text)
        clamp = Clamp(self.sites, layer, signal, units, value, steps, tokenized.lengths)
        probabilities = self._next(tokenized, clamp)
        k = tf.constant(min(TOP, self.vocabulary))
        likeliest = self._likeliest(tokenized, probabilities, k)
        return {**self._pronouns(tokenized, probabilities), **likeliest}

    # -- parts -------------------------------------------------------------------------------

    def _read(self, text: tf.Tensor) -> texts.Texts:
        width = signals.width_of(self.sites)
        return texts.read(text, self.words, width, self.vocabulary)

    def _run(
        self, ids: tf.Tensor, edits: Edits | None = None
    ) -> tuple[tf.Tensor, signals.Recorded]:
        with signals.recorded(self.sites, edits) as calls:
            features, _ = self.lm.hidden(ids)
        return features, calls

    def _next(self, tokenized: texts.Texts, edits: Edits | None = None) -> tf.Tensor:
        """Return the probabilities of all words after each text, `(batch, vocabulary)`."""
        features, _ = self._run(tokenized.ids, edits)
        last = tf.gather(features, tokenized.lengths - 1, axis=1, batch_dims=1)
        return tokenized.answered(tf.nn.softmax(tf.cast(self.lm.readout(last), tf.float32)))

    def _logprobs(self, features: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Return log p of each target, some rows at a time.

        Args:
            features: What the output layer is given, of shape `(rows, width)`.
            targets: Ids, of shape `(rows,)`.
        """
        rows = tf.shape(targets)[0]
        parts = tf.maximum((rows + _ROWS - 1) // _ROWS, 1)
        size = (rows + parts - 1) // parts
        missing = parts * size - rows
        width = features.shape[-1]
        features = tf.reshape(tf.pad(features, [[0, missing], [0, 0]]), (parts, size, width))
        targets = tf.reshape(tf.pad(targets, [[0, missing]]), (parts, size))

        def part(rows: Any) -> tf.Tensor:
            logits = tf.cast(self.lm.readout(rows[0]), tf.float32)
            return -tf.nn.sparse_softmax_cross_entropy_with_logits(rows[1], logits)

        logprobs = tf.map_fn(
            part,
            (features, targets),
            fn_output_signature=tf.TensorSpec((None,), tf.float32),
            parallel_iterations=1,
        )
        return tf.reshape(logprobs, (-1,))[:rows]

    def _likeliest(
        self, tokenized: texts.Texts, probabilities: tf.Tensor, k: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Return the `k` likeliest words of each row and their probabilities."""
        likeliest, ids = tf.math.top_k(probabilities, k)
        words = tokenized.answered(self.words.ids_to_tokens(ids))
        return {"words": words, "probabilities": likeliest}

    def _pronouns(self, tokenized: texts.Texts, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        vocabulary = self.lm.tokenizer.vocabulary
        ids = [vocabulary.index(form) for form, _ in self.forms]
        belongs = np.zeros((len(self.forms), len(self.classes)), np.float32)
        for row, (_, name) in enumerate(self.forms):
            belongs[row, self.classes.index(name)] = 1
        forms = tf.gather(probabilities, tf.constant(ids, tf.int32), axis=1)
        batch = tf.shape(forms)[0]

        def each(names: list[str]) -> tf.Tensor:
            return tf.tile(tf.constant([names], tf.string, (1, len(names))), (batch, 1))

        return {
            "classes": each(self.classes),
            "class_probabilities": tf.matmul(forms, tf.constant(belongs)),
            "forms": each([form for form, _ in self.forms]),
            "form_classes": each([name for _, name in self.forms]),
            "form_probabilities": forms,
            "unknown": tokenized.unknown,
        }
