"""From a recipe to the tokenizer and the batches of training and validation.

Text is encoded once, into the run directory, and mapped into memory from there, so that memory
doesn't grow with the corpus, and a resumed run reads the very same words even if the corpus has
changed since. Generated data are encoded in memory.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from textgate.models.runs import RunLayout
from textgate.training._recipe import Recipe

_BUCKET = 2  # lengths; 4 % of the generated data's batches is padding then, with 4 lengths 11 %
_HELD_OUT = 50  # of text without validation data, every 50th paragraph validates


class TrainingData:
    """What a recipe's model is trained on.

    Args:
        recipe: The recipe.
        run: The run, which keeps the vocabulary and the encoded text.

    Attributes:
        tokenizer: The tokenizer, trained on the training texts.
        train: The batches to train on.
        validation: The batches to validate on.
        word_counts: How often each id is predicted in an epoch, of shape `(vocabulary,)`.
    """

    def __init__(self, recipe: Recipe, run: RunLayout) -> None:
        from textgate import tokenizers
        from textgate.datasets import (
            EncodedText,
            SentenceBatches,
            UnknownDropout,
            WindowBatches,
            is_generated,
        )

        texts = _texts(recipe)
        if run.vocabulary.is_file():
            self.tokenizer = tokenizers.load(run.vocabulary)
        else:
            kind: Any = {
                "words": tokenizers.WordTokenizer,
                "whitespace": tokenizers.WhitespaceTokenizer,
                "characters": tokenizers.CharacterTokenizer,
            }[recipe.tokens]
            self.tokenizer = kind.train(
                texts("train"), size=recipe.vocabulary, min_count=recipe.min_count
            )
            tokenizers.save(self.tokenizer, run.vocabulary)
        encoded = {}
        for split in ("train", "validation"):
            path = run.encoded / split
            if is_generated(recipe.data):
                encoded[split] = EncodedText.encode(texts(split), self.tokenizer)
            elif path.is_dir():
                encoded[split] = EncodedText.load(path, self.tokenizer)
            else:
                # An empty line of pretokenised text is an end, as published counts have it.
                keep_empty = recipe.tokens == "whitespace" and recipe.running
                encoded[split] = EncodedText.encode(
                    texts(split), self.tokenizer, path, keep_empty=keep_empty
                )
        dropout = UnknownDropout(recipe.unknown) if recipe.unknown else None
        size = recipe.batch_size
        if recipe.running:
            self.train: Any = WindowBatches(
                encoded["train"],
                size,
                recipe.window,
                seed=recipe.seed,
                dropout=dropout,
                restarts=recipe.restarts,
            )
            self.validation: Any = WindowBatches(
                encoded["validation"], size, recipe.window, shuffle=False
            )
        else:
            shape: dict[str, Any] = {"bucket": _BUCKET, "max_length": recipe.max_length}
            self.train = SentenceBatches(
                encoded["train"], size, seed=recipe.seed, dropout=dropout, **shape
            )
            self.validation = SentenceBatches(encoded["validation"], size, shuffle=False, **shape)
        self.word_counts = encoded["train"].target_counts


def _texts(recipe: Recipe) -> Callable[[str], Iterable[str]]:
    """Return a function from split to texts."""
    from textgate.datasets import Corpus, is_generated, sentences

    if is_generated(recipe.data):
        sources = (recipe.data,) if isinstance(recipe.data, str) else recipe.data
        # Kept, since both the vocabulary and the encoder read them and making them is slow.
        return functools.cache(
            lambda split: [text for source in sources for text in sentences(source, split)]
        )

    def corpus(sources: Any) -> Any:
        return Corpus(
            list(sources) if isinstance(sources, tuple) else sources, wrapped=recipe.wrapped
        )

    train = corpus(recipe.data)
    held_out = None if recipe.validation is None else corpus(recipe.validation)
    pretokenised = recipe.tokens == "whitespace"
    if pretokenised:
        files = _by_split(train.files)
        if files["train"]:
            train = corpus(tuple(map(str, files["train"])))
            if held_out is None and files["valid"]:
                held_out = corpus(tuple(map(str, files["valid"])))

    def paragraphs(of: Any) -> Iterable[str]:
        return of.lines() if pretokenised else of.paragraphs()

    def texts(split: str) -> Iterator[str]:
        if held_out is not None:
            return _units(recipe, paragraphs(train if split == "train" else held_out))
        chosen = (
            paragraph
            for number, paragraph in enumerate(paragraphs(train))
            if (number % _HELD_OUT == _HELD_OUT - 1) == (split == "validation")
        )
        return _units(recipe, chosen)

    return texts


def _by_split(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return files by the split that their names tell, none if they don't tell them apart.

    Corpora come as `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt`, and one glob means them
    all; the last is for neither training nor validation.
    """
    by_split = {
        split: [file for file in files if split in file.name.lower()]
        for split in ("train", "valid", "test")
    }
    if not (by_split["train"] and (by_split["valid"] or by_split["test"])):
        return {"train": [], "valid": [], "test": []}
    return by_split


def _units(recipe: Recipe, paragraphs: Iterable[str]) -> Iterator[str]:
    """Yield paragraphs to read on and on, or sentences to read one by one; lines as they are."""
    if recipe.running or recipe.tokens == "whitespace":
        yield from paragraphs
        return
    from textgate.datasets.corpus import split_sentences

    for paragraph in paragraphs:
        yield from split_sentences(paragraph)
