"""Models from weights of PyTorch: recurrent layers as a Keras model, language models as ours.

`textgate.importing` reads the weights; this finds out which of them are embedding, recurrent layers
and decoder, and puts them where a `LanguageModel` has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from textgate import importing
from textgate._special_tokens import TOKENS
from textgate.models._language_model import LanguageModel

# Of tokens that the imported model doesn't have: so far below all others that e to it is 0.
NEVER = -1e9
_EMBEDDING_WORDS = ("emb", "encoder", "lookup", "wte")
_DECODER_WORDS = ("decoder", "output", "out", "linear", "head", "fc", "proj", "softmax", "hidden2")


def from_torch(
    source: Any,
    tokenizer: Any = None,
    *,
    vocabulary: Sequence[str] | None = None,
    names: Mapping[str, Any] | None = None,
) -> Any:
    """Return a Keras model with the weights of a PyTorch model, which gives what that gave.

    PyTorch isn't needed, and no code of a file is run: a whole pickled module is read without its
    class.

    Args:
        source: A module (`nn.LSTM`, `nn.GRU`, `nn.RNN`, or one with such inside); a state dict; or
            a file: of `torch.save`, in its new format or the old ones, with a state dict, a
            checkpoint or a whole module, or of safetensors.
        tokenizer: For a language model: the tokenizer whose ids it is to read. A
            `textgate.tokenizers.WhitespaceTokenizer` of the words in the order of the weights' rows
            reads what most published models do. `None` for recurrent layers alone.
        vocabulary: The words in the order of the weights' rows, if that isn't the order of the
            tokenizer's ids. All of them must be in the tokenizer's vocabulary. Padding, and those
            of the tokenizer's special tokens that the weights don't have, get no probability;
            `<bos>` is then read as `<eos>`, with which texts begin where there is no `<bos>`.
        names: Which weights are which, where that can't be told: `"embedding"` and `"decoder"` the
            name of a weight, `"recurrent"` that of a module or of several in a row. With
            `"recurrent"` and no tokenizer, these recurrent layers alone.

    Returns:
        With a tokenizer a `LanguageModel`. Without, a `keras.Sequential` of the recurrent layers,
        from `(batch, time, features)` to the outputs at all steps, whether `batch_first` or not.
        The output's matrix is that of the embedding (`tied`) if it was and the decoder has no bias.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of another kind or damaged; if the weights are not those of an
            embedding, recurrent layers of one direction and a decoder; or if the vocabulary has
            another size than the weights.

    Example:

    >>> import numpy as np
    >>> state = {"weight_ih_l0": np.ones((8, 3)), "weight_hh_l0": np.ones((8, 2))}
    >>> model = from_torch(state)  # an nn.LSTM without biases
    >>> model.layers[0].name, model(np.ones((1, 5, 3))).shape
    ('lstm', TensorShape([1, 5, 2]))
    """
    weights = importing.read_weights(source)
    names = dict(names or {})
    unknown = set(names) - {"embedding", "recurrent", "decoder"}
    if unknown:
        raise ValueError(
            "`names` may have the keys embedding, recurrent and decoder. "
            f"Received: {sorted(unknown)}"
        )
    stack = importing.read_stack(weights, _prefixes(weights, names.get("recurrent")))
    if tokenizer is None:
        rest = _rest(weights, stack)
        if rest and "recurrent" not in names:
            raise ValueError(
                "the weights are those of more than recurrent layers; give a tokenizer for a "
                "language model, or names={'recurrent': …} for its recurrent layers alone. "
                f"Received: {weights.source} with {_listed(rest)}"
            )
        return importing.recurrent_model(stack)
    return _language_model(weights, stack, tokenizer, vocabulary, names)


def _prefixes(weights: Any, chosen: Any) -> list[str]:
    prefixes = importing.prefixes_of(weights)
    if chosen is not None:
        wanted = [chosen] if isinstance(chosen, str) else list(chosen)
        by_name = {prefix.rstrip("."): prefix for prefix in prefixes}
        missing = [name for name in wanted if name not in by_name]
        if missing:
            raise ValueError(
                f"`names` must have recurrent modules of the source: {', '.join(by_name)}. "
                f"Received: {missing}"
            )
        return [by_name[name] for name in wanted]
    if not prefixes:
        raise ValueError(
            "the source has no recurrent layers (`weight_ih_l0`, `weight_hh_l0`, …). "
            f"Received: {weights.source} with {_listed(weights.arrays)}"
        )
    return prefixes


def _rest(weights: Any, stack: Any) -> dict[str, np.ndarray]:
    """Return the weights that don't belong to recurrent layers."""
    return {name: a for name, a in weights.arrays.items() if name not in set(stack.names)}


def _language_model(
    weights: Any,
    stack: Any,
    tokenizer: Any,
    vocabulary: Sequence[str] | None,
    names: Mapping[str, Any],
) -> Any:
    if stack.activation != "tanh" or any(len(layer) > 1 for layer in stack.layers):
        raise ValueError(
            "a language model must have recurrent layers of one direction and with tanh. "
            f"Received: {weights.source} with activation={stack.activation!r}, "
            f"directions={[len(layer) for layer in stack.layers]}"
        )
    embedding, kernel, bias = _readers(weights, stack, names)
    rows = _rows(tokenizer.vocabulary, vocabulary, len(embedding), weights.source)
    read_as, lacking = _read_as(tokenizer, rows)
    tied = kernel is embedding and bias is None and not lacking.any()
    lm = LanguageModel(
        tokenizer,
        cell=stack.cell,
        units=stack.units,
        embedding=embedding.shape[1],
        tied=tied,
        dropout=stack.dropout,
        seed=0,
    )
    lm.get_layer("embedding").embeddings.assign(
        np.where(read_as[:, None] < 0, 0.0, embedding[read_as])
    )
    for layer, (direction,) in zip(lm.recurrent_layers, stack.layers, strict=True):
        no_bias = [np.zeros(layer.cell.bias.shape)] if direction.bias is None else []
        layer.set_weights([*direction.weights, *no_bias])
    if not tied:
        offsets = np.zeros(len(kernel)) if bias is None else bias
        output = lm.get_layer("output")
        output.kernel.assign(np.where(lacking[:, None], 0.0, kernel[rows]).T)
        output.bias.assign(np.where(lacking, NEVER, offsets[rows]))
    return lm


def _readers(
    weights: Any, stack: Any, names: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the matrices of embedding and decoder, the same one if tied, and the bias."""
    rest = {name: array for name, array in _rest(weights, stack).items() if array.size}
    last = stack.units[-1]
    embedding_name = names.get("embedding") or _chosen(
        rest, lambda a: a.ndim == 2 and a.shape[1] == stack.inputs, _EMBEDDING_WORDS, _DECODER_WORDS
    )
    if embedding_name not in rest:
        raise ValueError(
            f"no weight, or several, can be the embedding, of shape (words, {stack.inputs}); give "
            f"its name with names={{'embedding': …}}. Received: {weights.source} with "
            f"{_listed(rest)}"
        )
    embedding = np.asarray(rest.pop(embedding_name), np.float32)
    shape = (len(embedding), last)
    decoder_name = names.get("decoder") or _chosen(
        rest, lambda a: a.shape == shape, _DECODER_WORDS, _EMBEDDING_WORDS
    )
    is_there = decoder_name in rest if decoder_name else shape == embedding.shape
    if not is_there:
        raise ValueError(
            f"no weight can be the decoder, of shape {shape}; give its name with "
            f"names={{'decoder': …}}. Received: {weights.source} with {_listed(rest)}"
        )
    kernel = embedding
    if decoder_name is not None:
        kernel = np.asarray(rest.pop(decoder_name), np.float32)
    bias_name = _chosen(rest, lambda a: a.shape == shape[:1], _DECODER_WORDS, ())
    bias = None if bias_name is None else np.asarray(rest.pop(bias_name), np.float32)
    if kernel.shape != shape or rest:
        raise ValueError(
            "a language model here is an embedding, recurrent layers and a decoder; the weights "
            f"have more, or others. Received: {weights.source} with "
            f"{_listed(rest or {str(decoder_name): kernel})}"
        )
    same = kernel is embedding or np.array_equal(kernel, embedding)
    return embedding, embedding if same else kernel, bias


def _chosen(
    arrays: Mapping[str, np.ndarray], fits: Any, liked: Sequence[str], disliked: Sequence[str]
) -> str | None:
    """Return the one weight that fits, or the one of these whose name says so."""
    fitting = [name for name, array in arrays.items() if fits(array)]
    for candidates in (
        fitting,
        [name for name in fitting if any(word in name.lower() for word in liked)],
        [name for name in fitting if not any(word in name.lower() for word in disliked)],
    ):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _rows(
    tokens: Sequence[str], vocabulary: Sequence[str] | None, size: int, source: str
) -> np.ndarray:
    """Return the weights' row of each of the tokenizer's tokens, −1 where there is none."""
    words = list(tokens if vocabulary is None else vocabulary)
    if vocabulary is None and not words[0]:
        del words[0]  # padding has no row
    if len(words) != size:
        which = "the tokenizer's vocabulary" if vocabulary is None else "`vocabulary`"
        raise ValueError(
            f"{which} must have as many words as the weights have rows, {size}; give the words in "
            f"the order of the rows with `vocabulary`. Received: {len(words)} words for {source}"
        )
    row_of = {word: row for row, word in enumerate(words)}
    missing = sorted(set(row_of) - set(tokens))
    if missing or len(row_of) != size:
        raise ValueError(
            "each word of `vocabulary` must stand there once and be in the tokenizer's vocabulary, "
            f"or the probabilities would be others. Received: {len(missing)} words that aren't, "
            f"such as {missing[:3]}, and {size - len(row_of)} that stand there again"
        )
    return np.array([row_of.get(token, -1) for token in tokens])


def _read_as(tokenizer: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the row that each token is read as, and which tokens the weights don't have."""
    lacking = rows < 0
    tokens = tokenizer.vocabulary
    others = {token for token, lacks in zip(tokens, lacking, strict=True) if lacks}
    if others - {*TOKENS, ""}:
        raise ValueError(
            "the tokenizer's vocabulary has words that the weights don't have. "
            f"Received: {sorted(others - {*TOKENS, ''})[:3]}"
        )
    read_as = rows.copy()
    begin, end = tokenizer.begin_id, tokenizer.end_id
    if begin is not None and end is not None and lacking[begin]:
        read_as[begin] = rows[end]
    return read_as, lacking


def _listed(arrays: Mapping[str, np.ndarray]) -> str:
    names = [f"{name} {tuple(array.shape)}" for name, array in list(arrays.items())[:6]]
    more = f" and {len(arrays) - 6} more" if len(arrays) > 6 else ""
    return ", ".join(names) + more or "no weights"
