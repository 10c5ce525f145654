"""Pretokenised corpora stay as they are, and the classic set-ups are what their paper says."""

import collections
import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import textgate as tg
from textgate.cli import app
from textgate.evaluation import perplexity
from textgate.models.runs import RunLayout
from textgate.tokenizers import CharacterTokenizer, WhitespaceTokenizer
from textgate.training import Recipe, presets, train
from textgate.training._data import TrainingData
from textgate.training._optimizer import SGD
from textgate.training.step import Steps

TRAIN = """\
 the U.S. cat did n't see <unk> @-@ led dogs
 a re-elected dog sat

 the dog saw <unk> N times
 the cat and the dog ran in the U.S.
"""
VALID = " the cat saw a zebra \n a dog ran\n"
SMALL = {"units": (4, 3), "batch_size": 2, "window": 5, "epochs": 2}


@pytest.fixture
def corpus(tmp_path):
    for split, text in (("train", TRAIN), ("valid", VALID), ("test", "never read\n")):
        (tmp_path / f"ptb.{split}.txt").write_text(text, encoding="utf-8")
    return str(tmp_path / "ptb.*.txt")


def zaremba(corpus, **changes):
    return Recipe(**{**presets.PRESETS["zaremba-small"], **SMALL, "data": corpus, **changes})


def test_tokens_vocabulary_and_counts_are_those_of_the_file(corpus, tmp_path):
    data = TrainingData(zaremba(corpus), RunLayout(tmp_path / "run"))
    stream = [token for line in TRAIN.splitlines() for token in [*line.split(), "<eos>"]]
    counts = collections.Counter(stream)
    vocabulary = data.tokenizer.vocabulary
    assert isinstance(data.tokenizer, WhitespaceTokenizer)
    assert set(vocabulary[1:]) == set(counts)
    assert {t: int(n) for t, n in zip(vocabulary, data.word_counts, strict=True) if n} == counts
    # An epoch predicts each token once, ends of lines too, and reads what stands before it.
    pairs = collections.Counter()
    for batch in data.train.epoch(0):
        for read, predicted, there in zip(*map(np.ravel, batch[:3]), strict=True):
            if there:
                pairs[vocabulary[read], vocabulary[predicted]] += 1
    predicted = collections.Counter()
    for (_, token), number in pairs.items():
        predicted[token] += number
    assert predicted == counts
    in_text = collections.Counter(zip(["<eos>", *stream], stream, strict=False))
    begun = sum((pairs - in_text).values())  # where a stream begins
    assert begun <= 2
    ids = [row[row > 0] for b in data.validation.epoch(0) for row in b.targets]
    assert sum(map(len, ids)) == sum(len(line.split()) + 1 for line in VALID.splitlines())


def test_without_named_files_lines_are_held_out(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"the dog saw w{n} .\n" for n in range(100)), encoding="utf-8")
    data = TrainingData(zaremba(str(path)), RunLayout(tmp_path / "run"))
    assert (len(data.train.text), len(data.validation.text)) == (98, 2)


def test_a_recipe_of_the_paper():
    small, medium, large = (
        Recipe(**presets.PRESETS[f"zaremba-{size}"]) for size in ("small", "medium", "large")
    )
    rates = [small.rate(step, 13) for step in range(13)]
    assert rates == [1.0] * 4 + [0.5**k for k in range(1, 10)]
    assert [medium.rate(s, 39) for s in (0, 5, 6, 38)] == [1, 1, 1 / 1.2, 1.2**-33]
    assert large.rate(54 * 10 + 9, 550) == pytest.approx(1.15**-41)
    for recipe, window, dropout in ((small, 20, 0), (medium, 35, 0.5), (large, 35, 0.65)):
        assert (recipe.window, recipe.dropout, recipe.batch_size) == (window, dropout, 20)
        assert recipe.running


@pytest.mark.parametrize("clip", [1e6, 0.01])
def test_a_step_of_plain_descent(corpus, tmp_path, clip):
    recipe = zaremba(corpus, clip=clip)
    data = TrainingData(recipe, RunLayout(tmp_path / "run"))
    from textgate.training._runs import new_model

    lm = new_model(recipe, data)
    assert max(float(np.abs(w).max()) for w in lm.get_weights()) <= 0.1
    assert min(float(np.abs(w).max()) for w in lm.get_weights()) > 0.05
    batch = next(iter(data.train.epoch(0)))
    with tf.GradientTape() as tape:
        logits = lm(batch.inputs, training=False)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.targets, logits)
        loss = tf.reduce_sum(losses * batch.weights) / len(batch.inputs)
    variables = [v.value for v in lm.trainable_variables]
    gradients = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(loss, variables)]
    norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients))
    expected = [
        v.numpy() - 0.5 * min(1, clip / norm) * g for v, g in zip(variables, gradients, strict=True)
    ]
    steps = Steps(lm, lambda weights: SGD(weights, recipe.clip), rows=2)
    steps.train(batch, 0.5)
    for value, right in zip(lm.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(value, right, atol=1e-6)


def test_from_the_command_line_to_a_perplexity(corpus, tmp_path):
    run = str(tmp_path / "run")
    options = ["--preset", "zaremba-small", "--units", "4,3", "--batch-size", "2", "--quiet"]
    result = CliRunner().invoke(app, ["train", run, "--data", corpus, *options])
    assert result.exit_code == 0, result.output
    lm = tg.load(run)
    assert lm.units == (4, 3)
    assert lm.tokenizer.encode("re-elected zebra")[1] == lm.tokenizer.unknown_id
    measured = perplexity(lm, VALID.splitlines(), running=True)
    assert measured["words"] == 10
    assert measured["perplexity"] < len(lm.tokenizer)
    assert train(zaremba(corpus, epochs=13, window=20), run, progress=False).units == (4, 3)


def test_characters_are_tokens_too(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the dog ran .\nthe cat sat .\n" * 60, encoding="utf-8")
    recipe = Recipe(data=str(path), tokens="characters", units=3, epochs=1, sampled=None)
    lm = train(recipe, tmp_path / "run", progress=False)
    assert isinstance(tg.load(tmp_path / "run").tokenizer, CharacterTokenizer)
    assert lm.tokens(["the"])[0].tolist() == ["<eos>", "t", "h", "e"]


def test_a_run_of_before_is_gone_on_with(corpus, tmp_path):
    text = corpus.replace("*", "train")
    recipe = Recipe(data=text, validation=text, units=3, epochs=1, sampled=None)
    train(recipe, tmp_path / "run", progress=False)
    config = tmp_path / "run" / "config.json"
    settings = json.loads(config.read_text())
    for name in ("tokens", "constant_epochs", "decay", "optimizer", "uniform"):
        del settings[name]
    config.write_text(json.dumps(settings))
    assert train(recipe, tmp_path / "run", progress=False).units == (3,)
    with pytest.raises(FileExistsError, match="its tokens is 'words', not 'whitespace'"):
        train(dataclasses.replace(recipe, tokens="whitespace"), tmp_path / "run", progress=False)


@pytest.mark.parametrize(
    "setting", [{"tokens": "runes"}, {"optimizer": "adam"}, {"schedule": "steps"}]
)
def test_settings_are_named(setting):
    (name,) = setting
    with pytest.raises(ValueError, match=f"`{name}` must be one of .*Received: {name}="):
        Recipe(**setting)
