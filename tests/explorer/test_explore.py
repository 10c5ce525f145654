"""`explore`: a page that needs nothing but itself, of models however they come; data never runs."""

import html
import json
import shutil

import keras
import pytest

import textgate as tg
from textgate.explorer import Explorer, payload_of
from textgate.models import LanguageModel
from textgate.tokenizers import WhitespaceTokenizer, WordTokenizer

from .models import model_of

pytestmark = [
    pytest.mark.tensorflow_only,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SPECIAL = ["<unk>", "<eos>"]
HOSTILE = [
    "</script><script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "<!--<script>",
    "\u2028\u2029",
    "\u202eevil",
    "{{ 7 * 7 }}",
]


def small(cell="lstm", words=("she", "her"), **arguments):
    return LanguageModel(WordTokenizer(words), cell=cell, units=3, seed=0, **arguments)


@pytest.fixture(scope="module")
def lm():
    return small()


def test_a_page_asks_for_nothing_and_has_no_errors(browser, tmp_path):
    page = browser.new_page()
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    file = tg.explore([model_of("lstm"), model_of("gru")]).save(tmp_path / "page.html")
    page.goto(file.as_uri())
    page.wait_for_selector("#textgate-explorer:not([aria-busy])")
    assert page.evaluate("textgate.models") == ["lstm", "gru"]
    assert page.evaluate("textgate.describe('gru').layers[0].formulas.writing") == "1 − z"
    assert errors == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    assert any("Content Security Policy" in text for text in errors)
    page.close()


def test_text_of_data_never_runs(browser, tmp_path):
    words = ["she", "her", *(text.replace(" ", "\N{NO-BREAK SPACE}") for text in HOSTILE)]
    lm = LanguageModel(WhitespaceTokenizer([*SPECIAL, *words]), units=3, seed=0)
    explorer = tg.explore(lm, corpus=HOSTILE, title=HOSTILE[0])
    page = browser.new_page()
    page.goto(explorer.save(tmp_path / "page.html").as_uri())
    page.wait_for_selector("#textgate-explorer:not([aria-busy])")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("textgate.data.corpus") == HOSTILE
    assert page.evaluate("textgate.data.models[0].tokenizer.vocabulary.slice(3)") == words
    assert page.title() == HOSTILE[0]
    page.close()


def test_a_notebook_shows_it_in_a_frame(lm):
    explorer = tg.explore(lm, corpus=["she"])
    shown = explorer._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert html.unescape(shown.partition('srcdoc="')[2].partition('"')[0]) == explorer.to_html()


def test_a_study_is_a_page_of_all_its_models_with_their_findings(tmp_path):
    study = tmp_path / "she-her"
    for cell in ("gru", "lstm"):
        (study / cell).mkdir(parents=True)
        small(cell).save(study / cell / "model.keras")
    finding = {"feature": "gender", "layer": "lstm", "signal": "cell_state", "claim": "both"}
    finding |= {"sufficient": [2, 0], "necessary": [2], "verdict": "Two units."}
    (study / "lstm" / "units").mkdir()
    (study / "lstm" / "units" / "finding.json").write_text(json.dumps(finding))
    data = tg.explore(study, corpus=["she"]).data
    assert [model["name"] for model in data["models"]] == ["lstm", "gru"]
    assert data["models"][0]["path"] == str(study / "lstm")
    assert data["findings"]["lstm"]["units"] == [2, 0]
    assert data["findings"]["lstm"]["says"] == "Two units."
    shutil.copy(study / "gru" / "model.keras", tmp_path / "mine.keras")
    data = tg.explore([tmp_path / "mine.keras"], corpus=["she"]).data
    assert [model["name"] for model in data["models"]] == ["mine"]
    assert data["findings"] == {}


def test_pairs_are_held_out_and_known_to_the_models():
    texts = tg.datasets.sentences("pronoun_agreement", "validation", size=300)
    lm = small(words=WordTokenizer.train(texts).vocabulary)
    pairs = tg.explore(lm).data["pairs"]
    assert len(pairs) > 20
    for pair in pairs:
        words = [pair[name] for name in ("text", "twin", "good", "bad")]
        assert 1 not in lm.encode(words)
        mine, twin = (lm.tokenizer.split(pair[name]) for name in ("text", "twin"))
        assert len(mine) == len(twin)
        assert mine != twin
    groups = [pair["group"] for pair in pairs]
    assert set(groups) <= {"gender", "number", "tense"}
    her = [pair for pair in pairs if pair["group"] == "gender"]
    assert len(her) > 4
    assert sum(p["good"].lower() in ("she", "her", "herself") for p in her) == len(her) / 2


def test_words_to_exchange_are_known_and_of_two_classes():
    lm = small(words=["she", "he", "her", "his", "actress", "actor", "Mary"])
    lexicon = tg.explore(lm, corpus=["she"]).data["lexicon"]
    assert lexicon["twins"] == {
        "actor": "actress",
        "actress": "actor",
        "he": "she",
        "her": "his",
        "his": "her",
        "she": "he",
    }
    classes = {word: lexicon["classes"][word] for word in ("her", "Mary", "he", "actor")}
    assert list(classes.values()) == ["feminine", "feminine", "masculine", "masculine"]
    groups = {group["name"]: group["words"] for group in lexicon["groups"]}
    assert groups["pronouns"] == ["she", "he"]
    assert groups["names of women"] == ["Mary"]


def test_pairs_of_ones_own():
    lm = model_of("lstm")
    table = {"good": "she fed her dog", "bad": "she fed his dog", "target": 2}
    table |= {"prefix": "she fed", "counterpart_prefix": "dog fed"}
    pairs = tg.explore(lm, pairs=pandas([table])).data["pairs"]
    own = {"text": "she fed", "twin": "dog fed", "good": "her", "bad": "his", "group": "own"}
    assert pairs == [own]
    with pytest.raises(ValueError, match="'target' is missing"):
        tg.explore(lm, pairs=pandas([table]).drop(columns="target"))
    with pytest.raises(ValueError, match="no pair is left"):
        tg.explore(lm, pairs=pandas([table | {"counterpart_prefix": "wug fed"}]))


def pandas(rows):
    import pandas as pd

    return pd.DataFrame(rows)


def test_what_a_page_cannot_hold_is_named(lm):
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    wrong = {
        "any other model is shown with a local server": model,
        "is none": small("average"),
        "there must be a model": [],
        "names of their own": [lm, lm],
    }
    for says, given in wrong.items():
        with pytest.raises(ValueError, match=says):
            tg.explore(given)
    with pytest.raises(ValueError, match="dictionary by their names"):
        tg.explore([lm, small("gru")], findings={"feature": "gender"})
    with pytest.raises(ValueError, match="`precision` must be"):
        payload_of(lm, precision="float64")


def test_half_precision_makes_the_page_less_than_half_as_large():
    """A matrix takes a byte a number, and what is deflated of another."""
    lm = small(words=[f"word{number}" for number in range(2000)])
    sizes = {
        precision: len(Explorer({"models": [payload_of(lm, "lm", precision)]}).to_html())
        for precision in ("float16", "float32")
    }
    weights = sum(weight.numpy().size for weight in lm.trainable_weights)
    assert sizes["float32"] - sizes["float16"] > weights * 2 * 4 / 3


def test_weights_too_large_for_steps_are_written_as_half_precision():
    lm = small()
    kernel = lm.get_layer("lstm").cell.kernel
    kernel.assign(kernel * 100)
    [layer] = payload_of(lm)["layers"]
    assert layer["kernel"]["type"] == "f2"
    kernel.assign(kernel / 10)
    [layer] = payload_of(lm)["layers"]
    assert layer["kernel"]["type"] == "i2"
    largest = float(abs(kernel.numpy()).max())
    assert layer["kernel"]["step"] <= largest / 16000
