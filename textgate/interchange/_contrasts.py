"""Contrasts: what a model reads, a counterpart that is alike step by step, and a decision.

To ask what *carries* a decision, one needs two inputs that differ in what is to be carried and in
nothing else. "The actress lost" wants *her*, "The actor lost" wants *his*. The first is called the
*base*, the second the *source*. An interchange intervention reads the base while some units hold
the values that they have in the source; where the model changes over to the source's answer, the
units carry what decides it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from textgate.datasets.features import Feature
from textgate.interchange._items import Contrasts
from textgate.interchange._model_contrasts import model_contrasts
from textgate.interchange._pair_contrasts import pair_contrasts


def contrasts(
    model: Any,
    pairs: pd.DataFrame | None = None,
    feature: str | Feature | None = None,
    with_source: bool = True,
    *,
    base: Any = None,
    source: Any = None,
    good: Any = None,
    bad: Any = None,
    step: Any = None,
    output: str | int | None = None,
    readout: Callable[[Any], Any] | None = None,
    table: pd.DataFrame | None = None,
    groups: str | Sequence[str] | None = None,
) -> Contrasts:
    """Make a model's inputs, or a language model's minimal pairs, ready for intervention.

    Args:
        model: Any built Keras model that `textgate.trace` takes; with `pairs`, a
            `textgate.models.LanguageModel` or anything with its `tokenizer`.
        pairs: One row a pair, as from `textgate.datasets.minimal_pairs`, with the columns `good`,
            `bad` (sentences), `target` (index of the word in which they differ) and
            `counterpart_prefix` (the words before the target, such that `bad`'s word is right
            after them).
        feature: What the items are about. For pairs: a name of `textgate.datasets.FEATURES` or a
            `Feature`, of which the rows with its two classes in `good_class` and `bad_class` are
            taken (for `"gender"`, the default, feminine against masculine); or any other name for
            pairs of one's own.
        with_source: Whether pairs need their counterparts; without, `source` is `None`.
        base: Instead of pairs, what `model.predict` takes: an array, or a list, tuple or dictionary
            of arrays, of `n` examples; ids, numbers or strings.
        source: The counterparts, of the same structure and shapes, as long and masked at the same
            steps; `None` for items that are only ablated.
        good: The class that is right for the base, a number or one for each item, `(n,)`. Of a
            sigmoid the classes are 1 and 0.
        bad: The class that is right for the source, likewise.
        step: For an output with steps: the one that decides, a number or `(n,)`.
        output: Which output decides, by name or number, where the model has several.
        readout: Instead of a difference of two logits: a function of the model's outputs on any
            items that returns one number an item, positive where the model decides for the base's
            answer. With `good` and `bad`, it is positive where the model decides for the greater of
            both, as the logit of a sigmoid is for 1 against 0.
        table: The items' own columns, a row an item. Its columns `good_class` and `bad_class` name
            the base's class and the source's; without them, `good` and `bad` do.
        groups: Columns of the table that tell which items belong together: what is found is
            confirmed on items of other groups, and intervals and tests go by groups. By default
            `template` and `lexeme`, as far as the table has them; else each item is on its own.

    Returns:
        The contrasts. Where all items have the same class, each is there twice, the second time
        with base and source, good and bad exchanged: an answer that is always the same is no
        evidence. Left out and counted (`dropped`) are items whose source is their base; of pairs
        also rows of other classes, rows without a counterpart, and rows whose target or whose
        contrasting words are unknown to the model (named in `unknown`), or whose words differ in
        several word pieces (named in `taken_apart`).

    Raises:
        ValueError: If base and source don't align, a class, step or output doesn't fit, `good` and
            `bad` are the same, or items are all of one group. For pairs: if a column is missing, a
            target lies outside its sentence, the two sentences differ before the target, a
            counterpart has not as many words as its prefix, all rows are of one class, or no row is
            left.
        TypeError: If `model` is no Keras model.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> lm = LanguageModel(WordTokenizer("the actress actor lost her his way".split()), units=4)
    >>> pairs = pd.DataFrame({
    ...     "good": ["the actress lost her way", "the actor lost his way"],
    ...     "bad": ["the actress lost his way", "the actor lost her way"],
    ...     "target": 3,
    ...     "good_class": ["feminine", "masculine"], "bad_class": ["masculine", "feminine"],
    ...     "counterpart_prefix": ["the actor lost", "the actress lost"],
    ... })
    >>> items = contrasts(lm, pairs)
    >>> items
    Contrasts(2 items, 'gender', 4 steps)
    >>> lm.tokenizer.ids_to_tokens(items.source[0])
    ['<bos>', 'the', 'actor', 'lost']

    A classifier: its reviews, the same with *not* put in, and the classes of both.

    >>> import keras, numpy as np
    >>> model = keras.Sequential([
    ...     keras.Input((None,), dtype="int32"), keras.layers.Embedding(9, 4),
    ...     keras.layers.LSTM(3), keras.layers.Dense(1, activation="sigmoid"),
    ... ])
    >>> reviews = np.array([[1, 5, 2], [4, 5, 3], [4, 5, 2]])
    >>> negated = np.array([[1, 6, 2], [4, 6, 3], [4, 6, 2]])
    >>> contrasts(model, base=reviews, source=negated, good=1, bad=0, feature="negation")
    Contrasts(6 items, 'negation')
    """
    if pairs is not None:
        return pair_contrasts(model, pairs, "gender" if feature is None else feature, with_source)
    if base is None:
        raise ValueError(
            "give minimal `pairs`, or the model's inputs as `base`. Received: neither of them"
        )
    name = feature.name if isinstance(feature, Feature) else feature or "feature"
    return model_contrasts(
        model, base, source, good, bad, step, output, readout, table, groups, name
    )
