"""What can stand in the place of a language model's recurrent layers: gated cells and simpler ones.

To say what a gate is for, take it away and train again. `CELLS` has, besides the LSTM, the GRU and
the simple RNN, the same with one gate held at a value, and models without any recurrence that
learns. Each is a name for `LanguageModel(cell=…)`, so that all of them are trained, saved, loaded
and scored alike.

| cell | what it computes |
|---|---|
| `constant` | nothing: every word has the same probability everywhere (unigram) |
| `average` | the mean of the embeddings so far |
| `last_words` | the embeddings of the last five words: a linear autoregression |
| `smoothing` | exponential averages of the embeddings, at fixed rates |
| `simple_rnn` | h_t = tanh(x_t W + h_{t-1} U + b) |
| `gru_reset_0` | r ≡ 0: learned smoothing; the candidate doesn't see the past, the gate does |
| `gru_reset_1` | r ≡ 1: a GRU without reset gate |
| `gru_no_leak` | h_t = (1 − z_t) ⊙ ĥ_t: a GRU that keeps nothing as it was |
| `gru_reset_before` | the reset gate acts before the recurrent product (Cho et al. 2014) |
| `gru`, `lstm` | as they are |
| `lstm_forget_1` | f ≡ 1: the LSTM of Hochreiter & Schmidhuber 1997, without forget gate |
| `lstm_input_1`, `lstm_output_1` | without input gate, without output gate |
| `lstm_coupled` | i = 1 − f |
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgate.models._kneser_ney import KneserNey
    from textgate.models._language_model import LanguageModel
    from textgate.recurrence import Cell

LAST_WORDS = 5
# Half-lives, in words, of the averages of `smoothing`; 0 is the word itself.
HALF_LIVES = (0, 1, 2, 4, 8, 16, 32, 64)


@dataclasses.dataclass(frozen=True)
class CellKind:
    """One kind of cell.

    Attributes:
        layer: Which layer it is, and the stem of the layer's name in a model: `"lstm"`, `"gru"`,
            `"simple_rnn"`, or a layer of `textgate.models._baseline_layers`.
        options: The layer's arguments that make the variant.
    """

    layer: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_recurrent(self) -> bool:
        """Whether it is a recurrent layer with weights of its own."""
        return self.layer in ("lstm", "gru", "simple_rnn")


def _fixed(layer: str, gate: str, value: float) -> CellKind:
    return CellKind(layer, {"fixed_gates": {gate: value}})


CELLS: dict[str, CellKind] = {
    "constant": CellKind("constant"),
    "average": CellKind("average"),
    "last_words": CellKind("last_words", {"words": LAST_WORDS}),
    "smoothing": CellKind("smoothing", {"half_lives": HALF_LIVES}),
    "simple_rnn": CellKind("simple_rnn"),
    "gru_reset_0": _fixed("gru", "reset_gate", 0.0),
    "gru_reset_1": _fixed("gru", "reset_gate", 1.0),
    "gru_no_leak": CellKind("gru", {"leak": False}),
    "gru_reset_before": CellKind("gru", {"reset_after": False}),
    "gru": CellKind("gru"),
    "lstm_forget_1": _fixed("lstm", "forget_gate", 1.0),
    "lstm_input_1": _fixed("lstm", "input_gate", 1.0),
    "lstm_output_1": _fixed("lstm", "output_gate", 1.0),
    "lstm_coupled": CellKind("lstm", {"coupled": True}),
    "lstm": CellKind("lstm"),
}


def equations_of(cell: str) -> "Cell | None":
    """Return the equations that a kind of cell has, `None` if it has no recurrent weights.

    Args:
        cell: A key of `CELLS`, or of `textgate.recurrence.CELLS`; any other gives `None`.

    Example:

    >>> equations_of("gru_reset_1").title, equations_of("lstm_coupled").memory
    ('GRU', 'cell_state')
    """
    from textgate.recurrence import CELLS as EQUATIONS  # as in `make_layer`

    return EQUATIONS.get(CELLS[cell].layer if cell in CELLS else cell)


def make_layer(cell: str, units: int, **arguments: Any) -> Any:
    """Return a layer of a kind that returns its outputs at all steps, and its last states.

    Args:
        cell: A key of `CELLS`.
        units: Number of units.
        **arguments: `name`, `dtype`, and for recurrent layers the initializers.
    """
    # Here and not above: Keras's import brings in this module, and it may be `textgate.layers`,
    # half imported, that imports Keras.
    import keras

    from textgate.layers import GRU, LSTM
    from textgate.models import _baseline_layers

    kind = CELLS[cell]
    if kind.is_recurrent:
        layer = {"lstm": LSTM, "gru": GRU, "simple_rnn": keras.layers.SimpleRNN}[kind.layer]
        return layer(units, return_sequences=True, return_state=True, **kind.options, **arguments)
    arguments = {name: arguments[name] for name in ("name", "dtype") if name in arguments}
    return _baseline_layers.LAYERS[kind.layer](units, **kind.options, **arguments)


def parameters_in_use(lm: "LanguageModel | KneserNey") -> int:
    """Return how many numbers a language model's probabilities depend on.

    What a model has but doesn't use isn't counted: the weights into a gate that is held at a
    value, the candidate's recurrent weights where r ≡ 0, the input gate's where it is tied to the
    forget gate; of the constant model all but the output's bias.

    Args:
        lm: A `LanguageModel`, or a `KneserNey`, of which the n-grams are counted.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog ."])
    >>> parameters_in_use(LanguageModel(tokenizer, cell="constant", units=3)) == len(tokenizer)
    True
    """
    from textgate.models._kneser_ney import KneserNey  # as in `make_layer`

    if isinstance(lm, KneserNey):
        return lm.ngrams
    arguments = lm.get_config()
    return _count(
        arguments["cell"],
        len(lm.tokenizer),
        tuple(arguments["units"]),
        arguments["embedding"],
        arguments["tied"],
    )


def matched_units(cell: str, parameters: int, vocabulary: int, embedding: int) -> tuple[int, int]:
    """Return the units, and the embedding's dimension, with which a model has a given size.

    Args:
        cell: A key of `CELLS`.
        parameters: How many parameters in use the model of one layer, not tied, should have.
        vocabulary: The number of words.
        embedding: The embedding's dimension of a recurrent layer. What averages or lines up
            embeddings has as many dimensions as units.

    Returns:
        Units and dimension. The constant model has one of each, whatever the size.

    Example:

    >>> matched_units("lstm", 4 * (8 + 16 + 1) * 16 + 100 * 8 + 17 * 100, 100, embedding=8)
    (16, 8)
    """
    if cell == "constant":
        return 1, 1

    def size(units: int) -> int:
        dimension = embedding if CELLS[cell].is_recurrent else units
        return _count(cell, vocabulary, (units,), dimension, tied=False)

    units = 1
    while size(units + 1) <= parameters:
        units += 1
    if abs(size(units + 1) - parameters) < abs(size(units) - parameters):
        units += 1
    return units, embedding if CELLS[cell].is_recurrent else units


def _count(cell: str, vocabulary: int, units: tuple[int, ...], embedding: int, tied: bool) -> int:
    if cell == "constant":
        return vocabulary
    total, features = vocabulary * embedding, embedding
    for size in units:
        total += _in_layer(CELLS[cell], features, size)
        features = size * (LAST_WORDS if cell == "last_words" else 1)
    if tied:
        return total + (features * embedding if features != embedding else 0)
    return total + (features + 1) * vocabulary


def _in_layer(kind: CellKind, features: int, units: int) -> int:
    """Return the parameters in use of one layer."""
    if not kind.is_recurrent:
        return 0
    from textgate.recurrence import Spec, cell_of

    spec = Spec(cell_of(kind.layer), units, **kind.options)
    columns = len(spec.cell.columns) - len(spec.fixed_gates) - spec.coupled
    total = columns * units * (features + units + spec.biases)
    if spec.fixed_gates.get("reset_gate") == 0.0:
        total -= units * (units + spec.biases - 1)
    return total
