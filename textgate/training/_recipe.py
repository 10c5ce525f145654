"""The recipe of a training: everything that decides what comes out of it.

Two trainings with equal recipes on the same machine end with equal weights, so a run directory
belongs to one recipe, and keeps it as `config.json`.
"""

import dataclasses
import math
import numbers
import typing
from collections.abc import Mapping
from typing import Any

from textgate.datasets.features import SOURCES

_SCHEDULES = ("stable", "cosine", "constant", "epochs")
_TOKENS = ("words", "whitespace", "characters")
_OPTIMIZERS = ("adamw", "sgd")
_STABLE = 0.6  # the share of the steps with the highest learning rate
# What the settings are where a configuration of before they existed lacks them.
_BEFORE = {"forget_bias": None}
# Settings that a configuration of before may lack.
LATER = ("tokens", "constant_epochs", "decay", "optimizer", "uniform")


def _setting(
    default: Any,
    help: str | None = None,
    least: float | None = None,
    most: float = math.inf,
    above: float | None = None,
    shown: bool = False,
) -> Any:
    """Return a field of the recipe.

    Args:
        default: Its default.
        help: What the option of `textgate train` says that sets it; `None` for no option.
        least: The least value, if it is a number that has one.
        most: The greatest one.
        above: What a number must be above, instead of `least`.
        shown: Whether the option has the default itself. Otherwise its default is that of the
            preset, and isn't shown.
    """
    bounds = (least, most, above)
    return dataclasses.field(
        default=default, metadata={"help": help, "bounds": bounds, "shown": shown}
    )


def _check(field: "dataclasses.Field[Any]", value: Any) -> None:
    """Raise a `ValueError` if a number is out of its bounds."""
    least, most, above = field.metadata["bounds"]
    kinds = typing.get_args(field.type) or (field.type,)
    if (least is None and above is None) or (value is None and type(None) in kinds):
        return
    kind = int if int in kinds else numbers.Real
    is_right = isinstance(value, kind) and not isinstance(value, bool)
    if not (is_right and (value > above if least is None else value >= least) and value <= most):
        raise ValueError(
            f"`{field.name}` must be a number from {above if least is None else least:g} to "
            f"{most:g}. Received: {field.name}={value!r}"
        )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train on, which model, and how.

    Attributes:
        data: The name of a generated data set (`"pronoun_agreement"`; `textgate.datasets.sentences`
            has them), or text: a path, a glob, a TFDS name (`"tfds:lm1b"`), or several of either.
        validation: Text to validate on, likewise. `None` takes the validation split of a generated
            data set, and of text every 50th paragraph, which then isn't trained on.
        running: Whether to read the text on and on, with the states carried from window to window,
            instead of sentence by sentence.
        wrapped: Whether the text's lines are broken at a fixed width.
        tokens: What a token is: `"words"` (`WordTokenizer`); `"whitespace"`, for pretokenised text,
            whose tokens, vocabulary and ends of lines stay as they stand in the file, and of whose
            files those named train and valid are taken for what they are; or `"characters"`.
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
            `"constant"`; `"epochs"`: stays for `constant_epochs`, then is divided by `decay` with
            each further epoch.
        constant_epochs: See `schedule`.
        decay: See `schedule`.
        optimizer: `"adamw"`, of the mean loss per word; or `"sgd"`, plain gradient descent on the
            loss summed over the steps of a window and averaged over its rows.
        uniform: All weights begin uniformly between minus and plus this; `None` as the layers have
            it.
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

    data: str | tuple[str, ...] = _setting(
        "pronoun_agreement",
        f"{', '.join(SOURCES)} (the first is the default), or text: a .txt or .txt.gz file, "
        "a glob, or a TFDS name such as tfds:lm1b; repeatable.",
    )
    validation: str | tuple[str, ...] | None = _setting(None, "Text to validate on; repeatable.")
    running: bool = _setting(False, "Read text on and on, with states carried along.", shown=True)
    wrapped: bool = _setting(False, "The text's lines are broken at a fixed width.", shown=True)
    tokens: str = _setting(
        "words", "words, whitespace (pretokenised text, as it stands) or characters."
    )
    vocabulary: int | None = _setting(None, "The most words.", least=1)
    min_count: int = _setting(1, "How often a word must occur to be known.", least=1)
    cell: str = _setting("lstm", "lstm, gru, simple_rnn or another of textgate.models.CELLS.")
    units: tuple[int, ...] = _setting(
        (128,), "Units of each recurrent layer, such as 128 or 256,256."
    )
    embedding: int | None = _setting(None, "Dimension of the embedding.")
    embedding_scale: float = _setting(
        0.2, "Embeddings begin between minus and plus this.", above=0, most=10
    )
    forget_bias: float | None = _setting(
        3.0, "Bias of the gates that retain, to begin with.", least=-20, most=20
    )
    tied: bool = _setting(False, "Use the embedding's matrix for the output, too.")
    dropout: float = _setting(0.1, "Share of inputs dropped.", least=0, most=0.99)
    undropped: float = _setting(0.5, "Share of the steps before dropout sets in.", least=0, most=1)
    batch_size: int = _setting(32, "Sentences, or streams, a batch.", least=1)
    window: int = _setting(32, "Words of a window of running text.", least=1)
    restarts: float = _setting(
        0.0, "Chance that a window begins anew, of running text.", least=0, most=1
    )
    max_length: int = _setting(128, least=2)
    epochs: int = _setting(3, "The most epochs.", least=1)
    learning_rate: float = _setting(4e-3, "The highest learning rate.", above=0, most=10)
    warmup: int = _setting(200, least=0)
    schedule: str = _setting("stable")
    constant_epochs: int = _setting(1, least=0)
    decay: float = _setting(1.0, least=1, most=1000)
    optimizer: str = _setting("adamw")
    uniform: float | None = _setting(None, above=0, most=10)
    weight_decay: float = _setting(0.01, "Decoupled weight decay.", least=0, most=10)
    beta2: float = _setting(0.99, least=0, most=0.99999)
    clip: float = _setting(1.0, "Largest norm of the gradients.", above=0)
    validate: int | None = _setting(
        None, "Steps between validations; once an epoch by default.", least=1
    )
    patience: int = _setting(3, "Validations without a better loss before the end.", least=1)
    sampled: int | None = _setting(300, least=1)
    frequent: int = _setting(200, least=0)
    unknown: float = _setting(0.25, least=0)
    seed: int = _setting(0, "Seed of everything.", shown=True, least=0)

    def __post_init__(self) -> None:
        for name in ("data", "validation", "units"):  # lists from JSON, or a single size
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        if isinstance(self.units, int):
            object.__setattr__(self, "units", (self.units,))
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        for name, choices in (
            ("schedule", _SCHEDULES),
            ("tokens", _TOKENS),
            ("optimizer", _OPTIMIZERS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"`{name}` must be one of {choices}. Received: {name}={getattr(self, name)!r}"
                )

    @classmethod
    def options(cls) -> dict[str, "dataclasses.Field[Any]"]:
        """Return by name the settings that `textgate train` has an option for; see `_setting`."""
        return {field.name: field for field in dataclasses.fields(cls) if field.metadata["help"]}

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step (from 0) of `steps`."""
        if self.schedule == "epochs":
            epoch = step * self.epochs // max(steps, 1)
            return self.learning_rate / self.decay ** max(epoch + 1 - self.constant_epochs, 0)
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
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(config) - names)
        if unknown:
            raise ValueError(f"recipes have no such setting. Received: {', '.join(unknown)}")
        return cls(**{**_BEFORE, **config})
