"""The server: it answers what the page's engine answers, for any model, and only its own page."""

import http.client
import json
from urllib.parse import urlsplit

import keras
import numpy as np
import pytest

import textgate as tg
from textgate.explorer import Server

from .models import TEXTS, WORDS, model_of
from .test_law_10 import _ASK, page_with

pytestmark = [
    pytest.mark.tensorflow_only,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAIRS = [{"text": "she fed", "twin": "her fed", "good": "her", "bad": "his", "group": "own"}]
PAIRS += [{"text": "dog fed", "twin": "dog and", "good": "dog", "bad": "his", "group": "own"}]


@pytest.fixture(scope="module")
def server():
    kinds = ["stack", "gru_before"]
    with Server({kind: model_of(kind) for kind in kinds}, corpus=TEXTS) as server:
        yield server


def ask(server, question, query, method="POST", path=None, **headers):
    """Return the status and the answer."""
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    body = query if isinstance(query, bytes) else json.dumps(query).encode()
    headers = {"Content-Type": "application/json", **headers}
    connection.request(method, path or url.path + question, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content) if response.status != 200 or question else content


def alike(a, b, where=""):
    """Hold two answers to be the same, numbers to 1e-5."""
    if isinstance(b, dict):
        assert a.keys() == b.keys(), where
        for name in b:
            alike(a[name], b[name], f"{where}/{name}")
    elif isinstance(b, list):
        assert len(a) == len(b), where
        for at, (one, other) in enumerate(zip(a, b, strict=True)):
            alike(one, other, f"{where}/{at}")
    elif isinstance(b, float):
        assert a == pytest.approx(b, abs=1e-5), where
    else:
        assert a == b, where


@pytest.mark.law(10)
def test_the_server_answers_what_the_page_answers(server, browser, tmp_path):
    clamp = {"intervention": "Clamp", "layer": "lstm_1", "signal": "forget_gate", "units": [1]}
    clamp |= {"value": 0.25, "steps": {"slice": [2, None, None]}}
    patch = {"intervention": "Patch", "layer": "lstm", "signal": "writing"}
    mean = {"intervention": "MeanAblation", "layer": "lstm_2", "signal": "cell_state", "units": [0]}
    edits = [
        clamp,
        patch | {"source": {"text": "her dog and his"}},
        mean | {"reference": {"texts": ["she fed", "dog"]}},
    ]
    twin = patch | {"source": {"twin": True}}
    text = {"model": "stack", "text": "she fed her dog"}
    place = text | {"layer": "lstm_1", "unit": 2, "step": 3}
    where = {"model": "stack", "layer": "lstm_1", "signal": "forget_gate", "k": 3}
    before = {"model": "gru_before", "text": "wug fed", "layer": "gru", "unit": 1, "step": 2}
    questions = [
        ("describe", {"model": "stack"}),
        ("knows", {"model": "stack", "word": "She"}),
        ("knows", {"model": "stack", "word": "wug"}),
        ("run", text | {"k": 5, "words": ["her", "dog"]}),
        ("run", text | {"edits": edits}),
        ("run", text | {"edits": [twin], "twin": "his dog and she"}),
        ("run", {"model": "gru_before", "text": ""}),
        ("parts", place),
        ("parts", place | {"edits": edits}),
        ("parts", before),
        ("ledger", place),
        ("tally", {"model": "stack", "pairs": PAIRS, "edits": [clamp]}),
        (
            "tally",
            {"model": "stack", "pairs": PAIRS, "edits": [twin]},
        ),
        *(("highest", where | {"mode": mode}) for mode in ("highest", "lowest", "jump")),
        ("matches", where | {"units": [1, 0], "pattern": [[True, None], [False, True]]}),
    ]
    page = browser.new_page()
    file = page_with(["stack", "gru_before"], "float32", corpus=TEXTS).save(tmp_path / "page.html")
    page.goto(file.as_uri())
    page.wait_for_function("window.textgate")
    for question, query in questions:
        status, answer = ask(server, question, query)
        assert status == 200, (question, answer)
        [own] = page.evaluate(_ASK, [question, [query]])
        if question == "describe":
            for layer in own["layers"]:
                for name in set(layer) - set(answer["layers"][0]):
                    del layer[name]  # what only the engine needs
        alike(answer, own, question)
    page.close()


def test_the_page_works_with_a_server_behind_it(server, browser):
    page = browser.new_page()
    errors, requests = [], []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(server.url)
    page.wait_for_selector("#textgate-explorer:not([aria-busy])")
    assert page.evaluate("textgate.models") == ["stack", "gru_before"]
    [answer] = page.evaluate(_ASK, ["run", [{"text": "she fed"}]])
    assert answer["tokens"] == ["<bos>", "she", "fed"]
    [answer] = page.evaluate(_ASK, ["run", [{"text": "she fed", "k": 0}]])
    assert "`k` must be" in answer["error"]
    assert all(url.startswith((server.url, "data:", "blob:")) for url in requests)
    assert [text for text in errors if "400" not in text] == []
    page.close()


def test_it_answers_who_knows_its_address_and_nobody_else(server):
    url = urlsplit(server.url)
    assert url.hostname == "127.0.0.1"
    assert len(url.path) > 30
    assert ask(server, "", b"", "GET")[0] == 200
    run = {"text": "she fed"}
    wrong = {
        404: [{"path": "/"}, {"path": "/wrong/run"}, {"path": "/wrong/", "method": "GET"}],
        403: [
            {"Host": f"evil.example:{url.port}"},
            {"Host": "127.0.0.1"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
        ],
        405: [{"method": "GET"}, {"Content-Type": "text/plain"}],
        400: [{"path": url.path + "close"}, {"path": url.path + "_subject"}],
    }
    for status, requests in wrong.items():
        for request in requests:
            assert ask(server, "run", run, **request)[0] == status, request
    assert ask(server, "run", run, Origin=f"http://127.0.0.1:{url.port}")[0] == 200
    assert ask(server, "run", run, Host=f"localhost:{url.port}")[0] == 200


def test_what_is_sent_is_bounded_and_opens_no_file(server, tmp_path):
    trace = tg.trace(model_of("stack"), ["she fed"], to=tmp_path / "trace.zarr")
    patch = tg.Patch("lstm", "cell_state", source=trace)
    run = {"text": "she fed"}
    wrong = {
        "a text, texts, or the twin": run | {"edits": tg.interventions.to_json(patch)},
        "one of": run | {"edits": [{"intervention": "Apply", "layer": "lstm"}]},
        "up to 20000 characters": {"text": "she " * 10_000},
        "50 edits": run | {"edits": [{}] * 51},
        "up to 500": run | {"words": ["her"] * 501},
        "`k` must be": run | {"k": 10**9},
        "the models are": run | {"model": "lstm"},
        "run takes": run | {"self": 1},
        "JSON object": [],
    }
    for says, query in wrong.items():
        status, answer = ask(server, "run", query)
        assert (status, says in answer["error"]) == (400, True), answer
    assert ask(server, "run", b"{")[0] == 400
    assert ask(server, "run", b" " * (1 << 20) + b"{}")[0] == 413


@keras.saving.register_keras_serializable("tests.explorer")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def test_a_classifier_is_read_with_its_tokenizer():
    tokenizer = tg.tokenizers.WordTokenizer(WORDS)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(len(tokenizer), 3, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(4, name="both"), name="both"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="classifier",
    )
    model.run_eagerly = True  # compiling costs more than computing this
    with Server(model, tokenizer=tokenizer, corpus=TEXTS) as server:
        _, answer = ask(server, "run", {"text": "she fed a wug"})
        ids = np.array([tokenizer.encode("she fed a wug")])
        own = float(model.predict(ids, verbose=0)[0, 0])
        last = {one["word"]: one["probability"] for one in answer["next"][-1]}
        assert last == pytest.approx({"class 1": own, "class 0": 1 - own}, abs=1e-5)
        assert answer["next"][0] == []
        assert answer["tokens"] == ["she", "fed", "a", "wug"]
        assert answer["unknown"] == [2, 3]
        assert sorted(answer["signals"]) == ["both/backward_both", "both/forward_both"]
        clamp = {"intervention": "Clamp", "layer": "both", "signal": "forget_gate", "value": 0.0}
        _, edited = ask(server, "run", {"text": "she fed a wug", "edits": [clamp]})
        assert edited["next"][-1] != answer["next"][-1]
        assert (
            ask(server, "parts", {"text": "she", "layer": "both", "unit": 0, "step": 0})[0] == 400
        )
        assert ask(server, "tally", {"pairs": PAIRS})[0] == 400


def test_a_model_of_numbers_is_read_by_the_number_of_an_input(browser):
    model = keras.Sequential(
        [
            keras.Input((5, 2)),
            Doubled(),
            keras.layers.GRU(4, return_sequences=True, name="gru"),
            keras.layers.Dense(3, activation="softmax"),
        ],
        name="series",
    )
    model.run_eagerly = True
    x = np.random.default_rng(0).normal(size=(6, 5, 2)).astype("float32")
    with Server(model, inputs=x) as server:
        _, answer = ask(server, "run", {"text": "4"})
        own = model.predict(x[4:5], verbose=0)[0]
        shown = [{one["word"]: one["probability"] for one in step} for step in answer["next"]]
        for step, chances in enumerate(shown):
            assert chances == pytest.approx(
                {f"class {i}": own[step, i] for i in range(3)}, abs=1e-5
            )
        _, places = ask(server, "highest", {"layer": "gru", "signal": "update_gate", "k": 2})
        node = tg.trace(model, x)["gru"]["update_gate"].values[:, 1:]
        assert places[0]["value"] == pytest.approx(node.max(), abs=1e-6)
        status, answer = ask(server, "run", {"text": "six"})
        assert (status, "from 0 to 5" in answer["error"]) == (400, True)
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_function("window.textgate")
        assert page.evaluate("textgate.models") == ["series"]
        page.close()


def test_what_a_model_needs_is_said():
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.GRU(4, name="gru")])
    with pytest.raises(ValueError, match="--inputs"):
        Server(model)
    with pytest.raises(TypeError, match="Keras model"):
        Server({"it": 3})
