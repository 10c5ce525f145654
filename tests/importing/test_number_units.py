"""A language model like Gulordava et al.'s, from PyTorch's weights to the unit that holds number.

Two layers as wide as the embedding, a vocabulary of its own with `<unk>` and `<eos>` and without
`<bos>`, and pairs in the format of Lakretz et al. (2019), who found such units. The weights are set
by hand, in PyTorch's names and order of gates, so that one unit of the upper layer takes in the
number of a sentence's first noun, and another keeps the second noun out.
"""

import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate.evaluation import agreement
from textgate.tokenizers import WhitespaceTokenizer

NOUNS = [f"noun-{chr(97 + i)}{k}" for i in range(12) for k in range(2)]  # no word of our own rules
VERBS = [f"ver{chr(97 + i)}" for i in range(24)]
WORDS = [
    *[n for noun in NOUNS for n in (noun, noun + "s")],
    *[v for w in VERBS for v in (w, w + "s")],
]
VOCABULARY = ["<unk>", "The", "near", "the", *WORDS, "<eos>", "U.S."]
WIDTH, NUMBER, SEEN = 10, 7, 2  # units; that which holds number; that which has seen a noun
OPEN = 12.0
PLURAL, NOUN = 0, 1  # features of the embedding


def state_dict():
    """Return weights under PyTorch's names; rows of gates in the order i, f, g, o."""
    random = np.random.default_rng(5)
    embedding = random.normal(size=(len(VOCABULARY), WIDTH))
    embedding[:, [PLURAL, NOUN]] = 0
    for row, word in enumerate(VOCABULARY):
        if word.startswith("noun"):
            singular = VOCABULARY.index(word.removesuffix("s"))
            embedding[row] = embedding[singular]
            embedding[row, [PLURAL, NOUN]] = (1 if word.endswith("s") else -1), 1
    lower, upper = np.zeros((2, 2, 4, WIDTH, WIDTH))  # layers; of input and of state; gates
    bias = np.zeros((2, 4, WIDTH))
    # The lower layer hands each word's features on: it forgets, and all gates are open.
    lower[0, 2] = 2 * np.eye(WIDTH)
    bias[0, [0, 3]], bias[0, 1] = OPEN, -OPEN
    # The upper layer's other units keep and exchange noise, which has nothing of number in it.
    others = [unit for unit in range(WIDTH) if unit not in (NUMBER, SEEN)]
    upper[0] = random.normal(size=(4, WIDTH, WIDTH)) * 0.7
    upper[0][:, :, [PLURAL, NOUN]] = 0
    upper[1][np.ix_(range(4), others, others)] = (
        random.normal(size=(4, len(others), len(others))) * 0.2
    )
    for unit in (NUMBER, SEEN):
        upper[:, :, unit] = 0
        upper[0, 0, unit, NOUN] = 3 * OPEN  # a noun opens the input gate
        bias[1, 0, unit], bias[1, [1, 3], unit] = -OPEN, OPEN
    upper[1, 0, NUMBER, SEEN] = -4 * OPEN  # one that has been seen closes it
    upper[0, 2, NUMBER, PLURAL], upper[0, 2, SEEN, NOUN] = OPEN, OPEN
    decoder = random.normal(size=(len(VOCABULARY), WIDTH)) * 0.3
    decoder[:, [NUMBER, SEEN]] = 0
    for verb in VERBS:
        one, many = VOCABULARY.index(verb + "s"), VOCABULARY.index(verb)
        decoder[many] = decoder[one]
        decoder[[one, many], NUMBER] = -4, 4
    state = {"encoder.weight": embedding, "decoder.weight": decoder}
    state["decoder.bias"] = np.zeros(len(VOCABULARY))
    for number, layer in enumerate((lower, upper)):
        for part, matrices in zip(("ih", "hh"), layer, strict=True):
            state[f"rnn.weight_{part}_l{number}"] = matrices.reshape(4 * WIDTH, WIDTH)
            state[f"rnn.bias_{part}_l{number}"] = bias[number].reshape(-1) / 2
    return {name: array.astype(np.float32) for name, array in state.items()}


@pytest.fixture(scope="module")
def lm():
    return tg.from_torch(state_dict(), WhitespaceTokenizer(VOCABULARY))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    random, lines = np.random.default_rng(1), []
    numbers = ("singular", "plural")
    for name in range(400):
        subject, between = random.choice(NOUNS, 2, replace=False)
        verb = random.choice(VERBS)
        first, second = name % 2, name // 2 % 2
        text = f"The {subject}{'s' * first} near the {between}{'s' * second}"
        verbs = [(verb + "s", "correct"), (verb, "wrong")]
        condition = f"{numbers[first]}_{numbers[second]}"
        for form, verdict in [
            (v, "correct" if (d == "correct") ^ first else "wrong") for v, d in verbs
        ]:
            lines.append(f"{text} {form}\t{condition}\t{verdict}\tid{name}")
    path = tmp_path_factory.mktemp("tasks") / "nounpp.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tg.datasets.minimal_pairs(path)


def test_it_begins_after_eos_and_knows_its_own_words(lm):
    words = ["<eos>", "The", "noun-a0s", "near", "the", "U.S."]
    assert lm.tokens(["The noun-a0s near the U.S."])[0].tolist() == words
    assert lm.encode(["The noun-a0s near the U.S."])[0].tolist() == [
        VOCABULARY.index(word) + 1 for word in words
    ]
    shares = np.exp(lm.next_logprobs([""]))[0]
    assert shares[0] == 0  # padding
    np.testing.assert_allclose(shares.sum(), 1, atol=1e-5)
    with pytest.raises(ValueError, match="as many words as the weights have rows"):
        tg.from_torch(state_dict(), WhitespaceTokenizer(VOCABULARY[:-1]))


def test_its_number_unit_is_found_with_pairs_of_the_field(lm, pairs):
    items = agreement(lm, pairs)
    assert items["correct"].mean() > 0.98
    found = tg.find_units(
        lm,
        pairs,
        feature="number",
        layer="lstm_1",
        items=60,
        controls=19,
        side_tasks={},
        texts=[],
        progress=False,
    )
    assert list(found.sufficient) == list(found.necessary) == [NUMBER]


def test_without_it_the_noun_between_decides_nothing(lm, pairs):
    edited = tg.intervene(lm, [tg.ZeroAblation("lstm_1", "cell_state", units=[NUMBER])])
    assert not agreement(edited, pairs)["correct"].any()  # a tie everywhere
    other = tg.intervene(lm, [tg.ZeroAblation("lstm_1", "cell_state", units=[SEEN])])
    by_condition = agreement(other, pairs).groupby("condition")["correct"].mean()
    expected = {
        "plural_plural": 1,
        "singular_singular": 1,
        "plural_singular": 0,
        "singular_plural": 0,
    }
    pd.testing.assert_series_equal(
        by_condition.round(1),
        pd.Series(expected).sort_index(),
        check_dtype=False,
        check_names=False,
    )
