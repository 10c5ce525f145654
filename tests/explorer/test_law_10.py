"""Law 10: the page and Python agree, in a real browser, for random models, texts and edits.

All questions go to the browser at once; Python is asked for the same one by one.
"""

import functools

import numpy as np
import pytest

import textgate as tg
from textgate.explorer import Explorer, payload_of, portable
from textgate.models import LanguageModel
from textgate.tokenizers import CharacterTokenizer, WhitespaceTokenizer, WordTokenizer

from .models import KINDS, TEXTS, WORDS, model_of, random_edits

pytestmark = [
    pytest.mark.tensorflow_only,
    # Playwright's own event loop, at its end.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_ASK = """async ([name, questions]) => {
    const answers = [];
    for (const question of questions) {
        try { answers.push(await textgate[name](question)); }
        catch (error) { answers.push({ error: error.message }); }
    }
    return answers;
}"""


def page_with(kinds, precision, **more):
    payloads = [payload_of(model_of(kind), kind, precision) for kind in kinds]
    nothing = {"pairs": [], "corpus": [], "lexicon": {"twins": {}, "groups": []}, "findings": {}}
    return Explorer({"models": payloads, **nothing, **more})


@pytest.fixture(scope="module")
def ask(browser, tmp_path_factory):
    """Ask a page opened from a file: `ask(precision, name, questions) -> answers`."""

    @functools.cache
    def opened(precision):
        file = tmp_path_factory.mktemp("explorer") / f"{precision}.html"
        page = browser.new_page()
        page.goto(page_with(KINDS, precision).save(file).as_uri())
        page.wait_for_function("window.textgate")
        return page

    return lambda precision, name, questions: opened(precision).evaluate(_ASK, [name, questions])


@functools.cache
def unedited(kind):
    """Return the trace of all texts, in one."""
    return tg.trace(model_of(kind), TEXTS)


def expected(kind, text, edits=()):
    """Return every signal by layer, (steps, units), and the probabilities after each step."""
    lm = model_of(kind)
    steps = len(lm.encode([text])[0])
    trace = tg.trace(tg.intervene(lm, edits), [text]) if edits else unedited(kind)
    example = 0 if edits else TEXTS.index(text)
    signals = {
        path: {
            name: node[name].values[example, :steps]
            for name in node.data_vars
            if "initial" not in name
        }
        for path, node in tg.tracing.nodes_of(trace).items()
    }
    x = list(signals.values())[-1]["hidden_state"]
    if "projection" in [layer.name for layer in lm.layers]:
        x = lm.get_layer("projection")(x)
    logits = np.asarray(lm.readout(x), np.float64)
    probabilities = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return signals, probabilities / probabilities.sum(axis=-1, keepdims=True)


def check(answer, kind, text, edits, atol, probability_atol):
    assert "error" not in answer, (answer, text, edits)
    lm = model_of(kind)
    signals, probabilities = expected(kind, text, edits)
    assert answer["tokens"] == lm.tokens([text])[0].tolist()
    assert answer["unknown"] == np.flatnonzero(lm.encode([text])[0] == 1).tolist()
    assert answer["signals"].keys() == signals.keys()
    for layer, named in signals.items():
        assert answer["signals"][layer].keys() == named.keys()
        for name, values in named.items():
            shown = answer["signals"][layer][name]
            np.testing.assert_allclose(
                shown, values, rtol=atol, atol=atol, err_msg=f"{layer} {name} {text!r} {edits}"
            )
    for step, chances in enumerate(answer["next"]):
        own = probabilities[step, lm.tokenizer.tokens_to_ids([one["word"] for one in chances])]
        shown = [one["probability"] for one in chances]
        np.testing.assert_allclose(shown, own, atol=probability_atol)
        assert shown == sorted(shown, reverse=True)
        assert shown[0] >= probabilities[step].max() - probability_atol


@pytest.mark.law(10)
@pytest.mark.parametrize(
    ("precision", "atol", "probability_atol"), [("float32", 1e-5, 1e-5), ("float16", 5e-3, 2e-3)]
)
def test_the_page_reads_as_python_does(ask, precision, atol, probability_atol):
    questions = [{"model": kind, "text": text, "k": 18} for kind in KINDS for text in TEXTS]
    answers = ask(precision, "run", questions)
    for question, answer in zip(questions, answers, strict=True):
        check(answer, question["model"], question["text"], (), atol, probability_atol)


@pytest.mark.law(10)
def test_edits_in_the_page_do_what_they_do_in_python(ask, rng):
    """The text is read twice with edits, in either order, after runs without: the page begins a run
    where it parts from one before."""
    text, cases = TEXTS[4], []
    for kind in KINDS:
        edits = random_edits(rng, model_of(kind), text)
        cases += [(kind, text, edits), (kind, text, edits[::-1])]
    questions = [
        {
            "model": kind,
            "text": text,
            "edits": tg.interventions.to_json(portable(model_of(kind), edits)),
            "k": 18,
        }
        for kind, text, edits in cases
    ]
    answers = ask("float32", "run", questions)
    for (kind, text, edits), answer in zip(cases, answers, strict=True):
        check(answer, kind, text, edits, 1e-5, 1e-5)


@pytest.mark.law(10)
def test_words_are_those_of_the_tokenizer(ask, rng):
    """Texts of every character that the table tells apart from its neighbours, and of clitics."""
    (_, rules), (_, capitals) = WordTokenizer(WORDS).rules.items()
    edges = {ord(c) for pattern, _ in rules for c in pattern}
    edges |= {first for first, *_ in capitals} | {last + 1 for _, last, *_ in capitals}
    characters = [chr(code + by) for code in sorted(edges) for by in (-1, 0, 1) if code + by >= 0]
    pieces = [
        *WORDS,
        "'",
        "’",
        "n't",
        "N'T",
        "'S",
        "'ll",
        "...",
        "--",
        "``",
        "''",
        "1.5",
        " ",
        "<unk>",
    ]
    pieces += ["\N{GRINNING FACE}", "\u2028", "\u202e", "</script>", "$&", "\\1"]
    texts = ["".join(characters[at : at + 40]) for at in range(0, len(characters), 40)]
    texts += [
        "".join(rng.choice(pieces + characters[:400], rng.integers(1, 12))) for _ in range(300)
    ]
    questions = [{"model": "lstm", "text": text, "k": 1, "signals": False} for text in texts]
    lm = model_of("lstm")
    for text, answer in zip(texts, ask("float32", "run", questions), strict=True):
        assert answer["tokens"] == ["<bos>", *lm.tokenizer.split(text)], ascii(text)
        assert answer["unknown"] == np.flatnonzero(lm.encode([text])[0] == 1).tolist()


TOKENIZERS = {
    "words": WordTokenizer([*WORDS, "e\u0301t\u00e9"]),
    "whitespace": WhitespaceTokenizer(["<unk>", "<eos>", "the", "U.S.", "@-@", "Zo\u00eb"]),
    "characters": CharacterTokenizer(["<eos>", *"ab \n\u00e9\u1ec7\u0301e"], begin="<eos>"),
    "of_unknown": CharacterTokenizer(["?", *"ab\N{GRINNING FACE}"], unknown="?", begin="?"),
}
SPELLED = ["", "ab", " a  b\n", "the U.S.\t@-@ led\x0b<eos>\u00a0the", "Zoe\u0308 e\u0301te\u0301"]
SPELLED += ["e\u0323\u0302 \u1ec7 e\u0301\u00e9 a", "b\N{GRINNING FACE}a"]


@pytest.mark.law(10)
def test_tokens_of_every_tokenizer_are_those_of_python(browser, tmp_path):
    models = {name: LanguageModel(one, units=2, seed=0) for name, one in TOKENIZERS.items()}
    page = browser.new_page()
    page.goto(tg.explore(models, corpus=["a"]).save(tmp_path / "page.html").as_uri())
    page.wait_for_function("window.textgate")
    for name, lm in models.items():
        questions = [{"model": name, "text": text, "signals": False} for text in SPELLED]
        for text, answer in zip(SPELLED, page.evaluate(_ASK, ["run", questions]), strict=True):
            try:
                ids, tokens = lm.encode([text])[0], lm.tokens([text])[0].tolist()
            except ValueError:
                assert "no token for" in answer["error"]
                continue
            assert answer["tokens"] == tokens, (name, text)
            assert answer["unknown"] == np.flatnonzero(ids == lm.tokenizer.unknown_id).tolist()
            read = lm.token_logprobs([text])[0][1:]
            np.testing.assert_allclose(answer["logprobs"][1:], read, atol=1e-3)
    page.close()


@pytest.mark.law(10)
def test_words_asked_for_and_the_words_read_have_their_probabilities(ask):
    text, words = TEXTS[3], ["her", "His", "wug"]
    questions = [{"model": kind, "text": text, "words": words} for kind in KINDS]
    for kind, answer in zip(KINDS, ask("float32", "run", questions), strict=True):
        lm = model_of(kind)
        _, probabilities = expected(kind, text)
        asked = [[one["probability"] for one in step] for step in answer["asked"]]
        own = probabilities[:, lm.tokenizer.tokens_to_ids(words)]
        np.testing.assert_allclose(asked, own, atol=1e-5)
        assert [one["word"] for one in answer["asked"][0]] == words
        assert answer["logprobs"][0] is None
        ids = lm.encode([text])[0][1:]
        read = np.log(probabilities[np.arange(len(ids)), ids])
        np.testing.assert_allclose(answer["logprobs"][1:], read, atol=1e-5)


@pytest.mark.law(10)
def test_the_equations_of_a_unit_have_the_numbers_of_the_trace(ask):
    text, step, unit = TEXTS[4], 3, 2
    for kind in KINDS:
        lm = model_of(kind)
        x = np.take(lm.get_layer("embedding").embeddings, lm.encode([text])[0], axis=0)
        signals, _ = expected(kind, text)
        places = [
            {"model": kind, "text": text, "layer": layer, "unit": unit, "step": step}
            for layer in signals
        ]
        ledgers = ask("float32", "ledger", places)
        for place, parts in zip(places, ask("float32", "parts", places), strict=True):
            layer = lm.get_layer(place["layer"])
            named = signals[layer.name]
            spec = tg.layers.spec_of(layer.cell)
            kernel = np.asarray(layer.cell.kernel, np.float64)
            for name, gate in parts["gates"].items():
                column = spec.cell.columns_of(name, spec.units)
                share = x[step] @ kernel[:, column][:, unit]
                assert gate["x"] == pytest.approx(share, abs=1e-5)
                assert gate["x"] + gate["h"] + gate["bias"] == pytest.approx(gate["sum"])
                assert gate["value"] == pytest.approx(named[name][step, unit], abs=1e-5)
                if name not in spec.fixed_gates:
                    assert gate["computed"] == pytest.approx(gate["value"], abs=1e-9)
            memory = named[spec.cell.memory][:, unit]
            assert parts["before"] == pytest.approx(memory[step - 1], abs=1e-5)
            assert parts["after"] == pytest.approx(memory[step], abs=1e-5)
            assert parts["kept"] + parts["written"] == pytest.approx(parts["after"], abs=1e-9)
            entries = ledgers[places.index(place)]
            assert [entry["token"] for entry in entries] == lm.tokens([text])[0][
                : step + 1
            ].tolist()
            amounts = [entry["amount"] for entry in entries]
            assert sum(amounts) == pytest.approx(memory[step], abs=1e-5)
            if spec.cell.gates and spec.leak:
                trace = tg.trace(lm, [text])[layer.name].to_dataset()
                own = tg.mechanics.ledger(trace, step, units=[unit])["entry"].values[
                    0, : step + 1, 0
                ]
                np.testing.assert_allclose(amounts, own, atol=1e-5)
            x = named["hidden_state"].astype(np.float64)


@pytest.mark.law(10)
def test_a_tally_counts_what_python_counts(ask, rng):
    lm = model_of("lstm")
    texts = [" ".join(rng.choice(WORDS[:6], 4)) for _ in range(24)]
    twins = [" ".join(rng.choice(WORDS[:6], 4)) for _ in texts]
    source = tg.trace(lm, twins)
    edited = tg.intervene(lm, [tg.Patch("lstm", "cell_state", units=[0, 3], source=source)])
    scores = [model.next_logprobs(texts) for model in (lm, edited)]
    # The two words between which the model wavers most.
    sides = {(a, b): [s[:, a] - s[:, b] for s in scores] for a in range(4, 10) for b in range(4, a)}
    flips = {pair: (before > 0) != (after > 0) for pair, (before, after) in sides.items()}
    pair = max(flips, key=lambda one: flips[one].sum())
    assert 0 < flips[pair].sum() < len(texts)

    good, bad = lm.tokenizer.ids_to_tokens(pair)
    pairs = [
        {"text": text, "twin": twin, "good": good, "bad": bad}
        for text, twin in zip(texts, twins, strict=True)
    ]
    patch = {"intervention": "Patch", "layer": "lstm", "signal": "cell_state", "units": [0, 3]}
    patch |= {"source": {"twin": True}}
    [tally] = ask("float32", "tally", [{"model": "lstm", "pairs": pairs, "edits": [patch]}])
    for name, side in zip(("before", "after"), sides[pair], strict=True):
        np.testing.assert_allclose([item[name] for item in tally["items"]], side, atol=1e-4)
    assert [item["flipped"] for item in tally["items"]] == flips[pair].tolist()
    assert (tally["flipped"], tally["of"]) == (flips[pair].sum(), len(pairs))


def test_what_is_wrong_with_a_question_is_said(ask):
    clamp = {"intervention": "Clamp", "layer": "lstm", "signal": "forget_gate", "value": 1.0}
    wrong = {
        "units": {"units": [9]},
        "recurrent layers": {"layer": "gru"},
        "signals": {"signal": "update_gate"},
        "one number for each": {"value": [1.0, 0.5]},
        "one row": {"steps": {"rows": ["01"], "steps": 2}},
        "An edit is one of": {"intervention": "Delete"},
        "finite": {"value": None},
    }
    questions = [
        {"model": "lstm", "text": "she fed her dog", "edits": [clamp | part]}
        for part in wrong.values()
    ]
    for says, answer in zip(wrong, ask("float32", "run", questions), strict=True):
        assert says in answer["error"]
    [answer] = ask("float32", "run", [{"model": "lstm", "text": "half \ud83d a pair"}])
    assert "surrogate" in answer["error"]
