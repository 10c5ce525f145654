"""Law 9: recurrent layers and language models of PyTorch give what they gave there.

The files of `data` were made once by `make_torch_files.py`; no PyTorch is needed to read them.
"""

import pathlib

import keras
import numpy as np
import pytest

import textgate as tg
from textgate.tokenizers import WordTokenizer

DATA = pathlib.Path(__file__).with_name("data")
WORDS = [f"word{chr(97 + i)}" for i in range(9)]
TOKENIZER = WordTokenizer(WORDS)  # and four special tokens: as many as the weights have rows
with np.load(DATA / "layers.npz") as file:
    LAYERS = {name: file[name] for name in file}
CASES = sorted({name.partition("/")[0] for name in LAYERS})
with np.load(DATA / "lm.npz") as file:
    LOGITS = dict(file)
FORMS = [
    "lm-lstm-new.pt",
    "lm-lstm-old.pt",
    "lm-lstm-2017.pt",
    "lm-lstm-tar.pt",
    "lm-lstm-state-new.pt",
    "lm-lstm-state-old.pt",
    "lm-lstm-checkpoint.pt",
    "lm-lstm-list.pt",
    "lm.safetensors",
]
pytestmark = pytest.mark.tensorflow_only  # as the expected shapes of the examples are


def state_of(case):
    start = f"{case}/weights/"
    return {name[len(start) :]: a for name, a in LAYERS.items() if name.startswith(start)}


def logits_of(lm, ids):
    """The logits at all steps, without the mask that id 0 stands for."""
    return np.asarray(lm.readout(lm.hidden(keras.ops.convert_to_tensor(ids))[0]))


@pytest.mark.law(9)
@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("RNN_relu")])
def test_recurrent_layers(case):
    model = tg.from_torch(state_of(case))
    np.testing.assert_allclose(model(LAYERS[f"{case}/x"]), LAYERS[f"{case}/y"], rtol=0, atol=1e-5)


def test_gates_in_another_order_would_be_seen():
    case = next(case for case in CASES if case.startswith("GRU-2-True"))
    state = state_of(case)
    z, r, n = np.split(state["weight_hh_l1"], 3)
    state["weight_hh_l1"] = np.concatenate([r, z, n])
    outputs = np.asarray(tg.from_torch(state)(LAYERS[f"{case}/x"]))
    assert np.abs(outputs - LAYERS[f"{case}/y"]).max() > 1e-2


@pytest.mark.parametrize("form", ["new", "old"])
def test_a_whole_module_knows_its_settings(form):
    model = tg.from_torch(DATA / f"module-{form}.pt")
    with np.load(DATA / "module.npz") as file:
        np.testing.assert_allclose(model(file["x"]), file["y"], rtol=0, atol=1e-5)
    assert [layer.name for layer in model.layers] == ["simple_rnn", "simple_rnn_1"]
    assert model.layers[0].activation is keras.activations.relu


@pytest.mark.law(9)
@pytest.mark.parametrize("form", FORMS)
def test_a_language_model_in_every_form(form):
    lm = tg.from_torch(DATA / form, TOKENIZER)
    np.testing.assert_allclose(logits_of(lm, LOGITS["ids"]), LOGITS["lstm"], rtol=0, atol=1e-5)


@pytest.mark.law(9)
@pytest.mark.parametrize("name", ["gru", "tied", "rnn"])
@pytest.mark.parametrize("form", ["new", "old"])
def test_language_models_of_every_kind(name, form):
    lm = tg.from_torch(DATA / f"lm-{name}-{form}.pt", TOKENIZER)
    np.testing.assert_allclose(logits_of(lm, LOGITS["ids"]), LOGITS[name], rtol=0, atol=1e-5)


def test_a_language_model_is_one_of_ours(tmp_path):
    lm = tg.from_torch(DATA / "lm-lstm-old.pt", TOKENIZER)
    assert (lm.cell, lm.units, lm.tied) == ("lstm", (6, 6), False)
    lm.save(tmp_path / "lm.keras")
    again = tg.load(tmp_path / "lm.keras")
    texts = ["worda wordb wordc", "wordd"]
    np.testing.assert_allclose(again.token_logprobs(texts), lm.token_logprobs(texts), atol=1e-6)
    trace = tg.trace(lm, texts)
    assert {"lstm", "lstm_1"} <= set(trace.children)


def state_of_lm():
    rng = np.random.default_rng(0)
    shapes = {
        "encoder.weight": (13, 5),
        "rnn.weight_ih_l0": (24, 5),
        "rnn.weight_hh_l0": (24, 6),
        "rnn.bias_ih_l0": (24,),
        "rnn.bias_hh_l0": (24,),
        "decoder.weight": (13, 6),
        "decoder.bias": (13,),
    }
    return {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}


def test_a_vocabulary_in_another_order_and_without_special_tokens():
    """Rows by name; `<bos>` is read as `<eos>`, and what the weights don't have has no share."""
    state = state_of_lm()
    plain = tg.from_torch(state, TOKENIZER)
    words = [*WORDS[::-1], "<eos>", "<unk>"]
    small = {
        name: array[:11] if name.startswith(("encoder", "decoder")) else array
        for name, array in state.items()
    }
    lm = tg.from_torch(small, WordTokenizer(WORDS), vocabulary=words)
    row = [words.index(token) if token in words else 9 for token in TOKENIZER.vocabulary]
    ids = np.array([[2, 5, 7, 1, 12]])
    # In `plain`, id i is row i.
    expected = logits_of(plain, np.array(row)[ids])[..., :11]
    logits = logits_of(lm, ids)
    own = [TOKENIZER.vocabulary.index(word) for word in words]
    np.testing.assert_allclose(logits[..., own], expected, atol=1e-5)
    shares = np.asarray(keras.ops.softmax(logits))
    np.testing.assert_allclose(shares[..., own].sum(axis=-1), 1.0, atol=1e-6)
    assert (shares[..., [0, 2]] == 0).all()


def test_tied_weights_stay_tied_without_a_bias():
    state = state_of_lm()
    state["encoder.weight"] = np.random.default_rng(1).normal(size=(13, 6)).astype("float32")
    state["rnn.weight_ih_l0"] = state["rnn.weight_hh_l0"]
    del state["decoder.bias"], state["decoder.weight"]
    lm = tg.from_torch(state, TOKENIZER)
    assert lm.tied
    both = {**state, "decoder.weight": state["encoder.weight"]}
    assert tg.from_torch(both, TOKENIZER).tied
    biased = {**both, "decoder.bias": np.arange(13, dtype="float32")}
    other = tg.from_torch(biased, TOKENIZER)
    assert not other.tied
    ids = np.array([[2, 4, 6]])
    np.testing.assert_allclose(
        logits_of(other, ids) - logits_of(lm, ids), [[range(13)] * 3], atol=1e-4
    )


def test_names_are_found_or_given():
    state = state_of_lm()
    state["encoder.weight"] = np.random.default_rng(1).normal(size=(13, 6)).astype("float32")
    state["rnn.weight_ih_l0"] = state["rnn.weight_hh_l0"]
    lm = tg.from_torch(state, TOKENIZER)
    words = {"encoder.weight": "a.weight", "decoder.weight": "b.weight", "decoder.bias": "b.bias"}
    renamed = {words.get(name, name): array for name, array in state.items()}
    with pytest.raises(
        ValueError, match=r"several, can be the embedding.*names=\{'embedding': …\}"
    ):
        tg.from_torch(renamed, TOKENIZER)
    again = tg.from_torch(
        renamed, TOKENIZER, names={"embedding": "a.weight", "decoder": "b.weight"}
    )
    for one, other in zip(lm.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    alone = tg.from_torch(state, names={"recurrent": "rnn"})
    assert alone.output_shape == (None, None, 6)
    with pytest.raises(ValueError, match=r"more than recurrent layers; give a tokenizer"):
        tg.from_torch(state)
    with pytest.raises(ValueError, match=r"recurrent modules of the source: rnn\. Received: \['x'"):
        tg.from_torch(state, names={"recurrent": "x"})
    with pytest.raises(ValueError, match=r"keys embedding, recurrent and decoder.*\['output'\]"):
        tg.from_torch(state, TOKENIZER, names={"output": "x"})


def test_layers_in_modules_of_their_own_stand_in_a_row():
    rng = np.random.default_rng(0)
    state = {}
    for number, inputs in enumerate((3, 4)):
        state[f"rnns.{number}.module.weight_ih_l0"] = rng.normal(size=(16, inputs))
        state[f"rnns.{number}.module.weight_hh_l0_raw"] = rng.normal(size=(16, 4))
    model = tg.from_torch(state)
    assert [layer.name for layer in model.layers] == ["lstm", "lstm_1"]
    state["rnns.1.module.weight_ih_l0"] = rng.normal(size=(16, 5))
    with pytest.raises(ValueError, match="one of 4 outputs stands before one of 5 inputs"):
        tg.from_torch(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rnn.weight_hr_l0": (3, 6)}, "proj_size"),
        ({"extra.weight": (6, 6)}, r"have more, or others.*extra\.weight \(6, 6\)"),
        ({"rnn.weight_hh_l0": (25, 6)}, r"1, 3 or 4 times its columns.*\(25, 6\)"),
        ({"rnn.bias_ih_l0": (23,)}, r"`bias_ih` must have the shape \(24,\).*\(23,\)"),
        ({"rnn.weight_ih_l2": (24, 6), "rnn.weight_hh_l2": (24, 6)}, r"layers \[0, 2\]"),
        ({"decoder.weight": (12, 6)}, r"no weight can be the decoder, of shape \(13, 6\)"),
        ({"encoder.weight": (12, 5), "decoder.weight": (12, 6)}, r"as many words.*12;.*13 words"),
        ({"rnn.weight_ih_l0_reverse": (24, 5), "rnn.weight_hh_l0_reverse": (24, 6)}, "directions"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    state = state_of_lm()
    state |= {name: np.zeros(shape, "float32") for name, shape in change.items()}
    if "rnn.weight_ih_l0_reverse" in state:
        state |= {f"rnn.bias_{part}_l0_reverse": np.zeros(24) for part in ("ih", "hh")}
    if "encoder.weight" in change:
        state["decoder.bias"] = np.zeros(12)
    with pytest.raises(ValueError, match=f"{message}") as caught:
        tg.from_torch(state, TOKENIZER)
    assert "Received: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_vocabularies_that_do_not_fit_are_named():
    state = state_of_lm()
    with pytest.raises(
        ValueError, match=r"`vocabulary` must have as many words.*Received: 2 words"
    ):
        tg.from_torch(state, TOKENIZER, vocabulary=["a", "b"])
    with pytest.raises(ValueError, match="must have as many words as the weights have rows, 13"):
        tg.from_torch(state, WordTokenizer(["a"]))
    strange = [*TOKENIZER.vocabulary[:-1], "other"]
    with pytest.raises(ValueError, match=r"Received: 1 words that aren't, such as .'other'"):
        tg.from_torch(state, TOKENIZER, vocabulary=strange)
    twice = [*TOKENIZER.vocabulary[:-1], "worda"]
    with pytest.raises(ValueError, match="1 that stand there again"):
        tg.from_torch(state, TOKENIZER, vocabulary=twice)
    with pytest.raises(ValueError, match=r"words that the weights don't have.*'wordz'"):
        tg.from_torch(
            state, WordTokenizer([*WORDS, "wordz"]), vocabulary=list(TOKENIZER.vocabulary)
        )


def test_what_holds_no_weights_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"a path, a state dict or a module. Received: int"):
        tg.from_torch(3)
    with pytest.raises(FileNotFoundError):
        tg.from_torch(tmp_path / "nothing.pt")
    with pytest.raises(ValueError, match="no recurrent layers"):
        tg.from_torch({"weight": np.zeros((2, 2))})
    with pytest.raises(ValueError, match="holds 0"):
        tg.from_torch({})
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"it is a NumPy array \(.npy\). Received: "):
        tg.from_torch(tmp_path / "array.npy")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"a \.keras file; load it with tg\.load"):
        tg.from_torch(tmp_path / "model.keras")


def test_the_shape_of_gulordavas_model_comes_in(tmp_path):
    """Two layers, as wide as the embedding; the file itself is 2 x 650 over 50,000 words."""
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)]
    rng = np.random.default_rng(0)
    state = {"encoder.weight": rng.normal(size=(302, 65))}
    for layer in range(2):
        for part in ("ih", "hh"):
            state[f"rnn.weight_{part}_l{layer}"] = rng.normal(size=(260, 65)) * 0.1
            state[f"rnn.bias_{part}_l{layer}"] = rng.normal(size=260) * 0.1
    state |= {"decoder.weight": rng.normal(size=(302, 65)), "decoder.bias": rng.normal(size=302)}
    lm = tg.from_torch(state, WordTokenizer(words), vocabulary=["<unk>", *words, "<eos>"])
    assert lm.units == (65, 65)
    table = lm.next_logprobs(["waa wab wac"])
    np.testing.assert_allclose(np.exp(table).sum(), 1.0, atol=1e-5)


def test_against_pytorch_itself():
    """Random modules, where PyTorch is to be had."""
    torch = pytest.importorskip("torch")
    for seed, kind in enumerate((torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)):
        torch.manual_seed(seed)
        module = kind(5, 7, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1).eval()
        x = torch.randn(3, 9, 5)
        model = tg.from_torch(module)
        np.testing.assert_allclose(model(x.numpy()), module(x)[0].detach(), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="proj_size"):
        tg.from_torch(torch.nn.LSTM(5, 7, proj_size=3))
