"""The recipe of a training: everything that decides what comes out of it.

Two trainings with equal recipes on the same machine end with equal weights, so a run directory
belongs to one recipe, and keeps it as `config.json`.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

_SCHEDULES = ("stable", "cosine", "constant")
_STABLE = 0.6  # the share of the steps with the highest learning rate
# What the settings are where a configuration of before they existed lacks them.
_BEFORE = {"forget_bias": None}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train on, which model, and how.

    Attributes:
        data: The name of a generated data set (`"pronoun_agreement"`), or text: a path, a glob, a
            TFDS name (`"tfds:lm1b"`), or several.
        validation: Text to validate on, likewise. `None` takes the validation split of a generated
            data set, and of text every 50th paragraph, which then isn't trained on.
        running: Whether to read the text on and on, with the states carried from window to window,
            instead of sentence by sentence.
        wrapped: Whether the text's lines are broken at a fixed width.
        vocabulary: The most words of the vocabulary; `None` for all.
        min_count: How often a word must occur to be in the vocabulary.
        cell: `"lstm"`, `"gru"`, `"simple_rnn"`, or another of `textgate.models.CELLS`.
        units: The number of units of each recurrent layer.
        embedding: Dimension of the word embedding; `None` as in `LanguageModel`.
        embedding_scale: How large the embeddings begin, as in `LanguageModel`.
        forget_bias: Where the bias of the gates that retain begins, as in `LanguageModel`; `None`
            as in Keras.
        tied: Whether the output uses the embedding's matrix.
        dropout: As in `LanguageModel`.
        undropped: The share of the steps, from the first on, that are taken without dropout. It
            finds agreement sooner: with dropout from the start, training may stay for long, or
            for ever, on the plateau where the gender of the pronoun is a guess.
        batch_size: Sentences, or parallel streams, in a batch.
        window: Words of a window of running text.
        restarts: Of running text, the chance that a stream begins a window anew, with states of
            zero: as it is read later on, from its first word.
        max_length: The longest sentence that isn't cut, in words.
        epochs: The most epochs.
        learning_rate: The highest learning rate.
        warmup: Steps over which the learning rate rises from 0.
        schedule: Of the learning rate: `"stable"`: stays for three fifths of the steps, then falls
            in a straight line to a hundredth; `"cosine"`: falls to a hundredth all the way;
            `"constant"`.
        weight_decay: Decoupled weight decay (AdamW) of the matrices between units; those with a
            row a word don't decay.
        beta2: AdamW's decay of the second moment.
        clip: The largest global norm of the gradients.
        validate: Steps between validations; `None` for once an epoch.
        patience: Validations without a better loss after which training stops.
        sampled: Of the words beyond the frequent ones, how many training takes its softmax over in
            each step (`textgate.training._sampling`); `None` for all, the exact softmax.
        frequent: How many of the most frequent words are always taken.
        unknown: Rate at which rare words are read as `<unk>`
            (`textgate.datasets.UnknownDropout`).
        seed: Of the weights, the dropout and the order of the data.

    Raises:
        ValueError: If a value is out of range.
    """

    data: str | tuple[str, ...] = "pronoun_agreement"
    validation: str | tuple[str, ...] | None = None
    running: bool = False
    wrapped: bool = False
    vocabulary: int | None = None
    min_count: int = 1
    cell: str = "lstm"
    units: tuple[int, ...] = (128,)
    embedding: int | None = None
    embedding_scale: float = 0.2
    forget_bias: float | None = 3.0
    tied: bool = False
    dropout: float = 0.1
    undropped: float = 0.5
    batch_size: int = 32
    window: int = 32
    restarts: float = 0.0
    max_length: int = 128
    epochs: int = 3
    learning_rate: float = 4e-3
    warmup: int = 200
    schedule: str = "stable"
    weight_decay: float = 0.01
    beta2: float = 0.99
    clip: float = 1.0
    validate: int | None = None
    patience: int = 3
    sampled: int | None = 300
    frequent: int = 200
    unknown: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("data", "validation", "units"):  # lists from JSON, or a single size
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        if isinstance(self.units, int):
            object.__setattr__(self, "units", (self.units,))
        least = {
            "batch_size": 1,
            "window": 1,
            "max_length": 2,
            "epochs": 1,
            "patience": 1,
            "warmup": 0,
            "seed": 0,
            "min_count": 1,
            "frequent": 0,
        }
        for name, smallest in least.items():
            self._check(name, isinstance(getattr(self, name), int), smallest, math.inf)
        for name in ("validate", "vocabulary", "sampled"):
            if getattr(self, name) is not None:
                self._check(name, isinstance(getattr(self, name), int), 1, math.inf)
        above_zero = (("learning_rate", 10.0), ("clip", math.inf), ("embedding_scale", 10.0))
        for name, highest in above_zero:
            self._check(name, getattr(self, name) > 0, 0.0, highest)
        for name, highest in (("weight_decay", 10.0), ("unknown", math.inf), ("dropout", 0.99)):
            self._check(name, True, 0.0, highest)
        self._check("beta2", True, 0.0, 0.99999)
        if self.forget_bias is not None:
            self._check("forget_bias", True, -20.0, 20.0)
        for name in ("undropped", "restarts"):
            self._check(name, True, 0.0, 1.0)
        if self.schedule not in _SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {_SCHEDULES}. Received: schedule={self.schedule!r}"
            )

    def _check(self, name: str, right: bool, least: float, highest: float) -> None:
        value = getattr(self, name)
        if not right or not least <= value <= highest:
            raise ValueError(
                f"`{name}` must be a number from {least:g} to {highest:g}. "
                f"Received: {name}={value!r}"
            )

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step (from 0) of `steps`."""
        peak = self.learning_rate * min(1.0, (step + 1) / max(self.warmup, 1))
        done = min(step / max(steps, 1), 1.0)
        share = {
            "constant": 1.0,
            "cosine": 0.5 * (1 + math.cos(math.pi * done)),
            "stable": min(1.0, (1 - done) / (1 - _STABLE)),
        }[self.schedule]
        return peak * (0.01 + 0.99 * share)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON can hold it."""
        config = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "Recipe":
        """Return the recipe that `to_dict` has described.

        Raises:
            ValueError: If there is a setting that recipes don't have.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(config) - known)
        if unknown:
            raise ValueError(f"recipes have no such setting. Received: {', '.join(unknown)}")
        return cls(**{**_BEFORE, **config})
