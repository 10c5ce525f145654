"""Labels of steps: right numbers, and a masked step never has a say in them (law 11)."""

import itertools

import keras
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

import textgate as tg
from textgate.probing._class_scores import auc, blocks_of, effect_sizes, interval_of_d, max_t
from textgate.probing._r2 import Errors, measures_of_numbers
from textgate.probing._step_scores import correlations
from textgate.probing._tasks import task_of
from textgate.probing.classifiers import held_out_numbers
from textgate.probing.folds import Targets, by_group, targets_of

DIMS = ("example", "time", "unit")


def data(values, mask, **coords):
    """A signal with its mask and labels, NaN where it is masked."""
    values = np.where(mask[..., None], values, np.nan)
    coords = {"mask": mask, **coords}
    where = {name: (DIMS[: np.ndim(part)], part) for name, part in coords.items()}
    found = xr.DataArray(values, dims=DIMS, coords=where, name="cell_state")
    if "quoted" in coords:
        found["quoted"].attrs["label"] = "bool"  # as `textgate.trace` notes it
    return found


def planted(random, examples=24, time=9, units=5):
    """A signal whose unit 2 knows the class, and unit 3 the number, of each step; with gaps."""
    mask = random.random((examples, time)) < 0.7
    mask[0], mask[1, 1:], mask[2] = True, False, False
    quoted = random.random(mask.shape) < 0.4
    column = random.normal(size=mask.shape)
    values = random.normal(size=(*mask.shape, units)).astype("float32")
    values[..., 2] += 3 * quoted
    values[..., 3] += 2 * column
    token = np.array(["a", "b", "c", "d"])[random.integers(0, 4, mask.shape)]
    line = np.arange(examples) // 2
    return data(values, mask, quoted=quoted, column=column, token=token, line=line)


def moved(found, order):
    """The same steps at other times: `order` says, example by example, where each comes from."""
    parts = {name: part.values for name, part in found.coords.items() if part.ndim == 2}
    parts = {name: np.take_along_axis(part, order, 1) for name, part in parts.items()}
    values = np.take_along_axis(found.values, order[..., None], 1)
    mask = parts.pop("mask")
    return data(values, mask, **parts, line=found.line.values)


def padded(found, left):
    """Right- or left-padded, without gaps."""
    return moved(found, np.argsort(found.mask.values != left, axis=1, kind="stable"))


def with_lies(found, random):
    """Masked steps get labels that would change everything."""
    masked = ~found.mask.values
    lies = found.copy(deep=True)
    lies.quoted.values[masked] = random.random(masked.sum()) < 0.9
    lies.column.values[masked] = 1e9
    lies.token.values[masked] = "d"
    return lies


def joined(found):
    """Traces of different lengths, joined: labels and mask are filled up with NaN."""
    parts = []
    for rows in (slice(0, 10), slice(10, None)):
        part = padded(found, left=False).isel(example=rows)
        part = part.assign_coords(time=np.arange(part.sizes["time"]))
        parts.append(part.isel(time=slice(0, int(part.mask.sum("time").max()))))
    parts[1] = parts[1].isel(time=slice(0, 6))  # shorter, whatever it holds
    return xr.concat(parts, "example", join="outer"), parts


def tables(found):
    """What is computed from a signal with labels of steps."""
    few = {"resamples": 40, "seed": 3}
    probing = tg.probing
    for label in ("quoted", "column"):
        yield probing.unit_scores(found, label, "line", None, permutations=50, **few)
        yield probing.probe(found, label, "line", None, controls=1, folds=3, **few)
        yield probing.probe(found, label, "line", None, slice(1, 3), controls=0, folds=2, **few)
        yield probing.probe(found, label, None, None, [0, -1], controls=0, folds=2, **few)
        yield probing.sparse_probe(found, label, "line", None, sizes=[1, 3], folds=3, **few)
        eraser = probing.leace(found, label)
        yield pd.DataFrame(eraser.projection).assign(rank=eraser.rank)
    square = probing.temporal_generalization(found, "quoted", None, None, [0, 1], folds=2, **few)
    yield square.to_dataframe()


def assert_same(found, expected):
    for one, other in zip(tables(found), tables(expected), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.law(11)
def test_padding_and_what_stands_in_it_have_no_say(rng):
    found = planted(rng)
    right = padded(found, left=False)
    assert_same(found, right)
    assert_same(padded(found, left=True), right)
    assert_same(with_lies(found, rng), right)
    wider = right.pad(time=(2, 3))  # the mask becomes an array of objects, with NaN
    assert wider.mask.dtype == object
    assert_same(wider, right)


@pytest.mark.law(11)
def test_joined_traces_are_what_their_parts_are(rng):
    whole, parts = joined(planted(rng))
    assert whole.mask.dtype != bool
    mask = np.zeros((24, whole.sizes["time"]), bool)
    arrays = {name: np.zeros(mask.shape, part.dtype) for name, part in parts[0].coords.items()
              if part.ndim == 2 and name != "mask"}  # fmt: skip
    values, start = np.zeros((*mask.shape, 5), "float32"), 0
    for part in parts:
        at = np.s_[start : start + len(part), : part.sizes["time"]]
        mask[at], values[at] = part.mask.values, np.nan_to_num(part.values)
        for name, array in arrays.items():
            array[at] = part[name].values
        start += len(part)
    assert_same(whole, data(values, mask, **arrays, line=np.arange(24) // 2))


@pytest.mark.law(11)
def test_an_example_that_is_all_masked_is_left_out(rng):
    found = planted(rng)
    there = [number for number in range(24) if number != 2]
    for one, other in zip(tables(found), tables(found.isel(example=there)), strict=True):
        if "left_out" in one:
            assert (one.left_out == other.left_out + 1).all()
            one, other = one.drop(columns="left_out"), other.drop(columns="left_out")
        if "groups" not in one or (one.groups == other.groups).all():
            pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.law(11)
def test_a_trace_of_padded_examples_is_that_of_each_alone(rng):
    model = keras.Sequential(
        [
            keras.Input((None, 3)), keras.layers.Masking(),
            keras.layers.LSTM(4, return_sequences=True, name="law_11"),
        ]
    )  # fmt: skip
    lengths = rng.integers(1, 7, 16)
    examples = [rng.normal(size=(n, 3)) for n in lengths]
    labels = [rng.random(n) < 0.5 for n in lengths]
    states = [
        tg.trace(model, x[None])["law_11"].cell_state.values[0] for x in examples
    ]  # fmt: skip
    for left in (False, True):
        x, quoted = np.zeros((16, 8, 3)), rng.random((16, 8)) < 0.5
        for row, n in enumerate(lengths):
            at = np.s_[row, 8 - n :] if left else np.s_[row, :n]
            x[at], quoted[at] = examples[row], labels[row]
        trace = tg.trace(model, x, step_labels={"quoted": quoted})
        task = task_of(trace, "quoted", None, "cell_state")
        sample = task.at("all")
        np.testing.assert_allclose(sample.values, np.concatenate(states), atol=1e-6)
        assert sample.targets.y.tolist() == np.concatenate(labels).astype(int).tolist()
        assert sample.rows.tolist() == np.repeat(np.arange(16), lengths).tolist()


# -- numbers against references ------------------------------------------------------------------


def flat(found, label):
    """The values, labels and groups of the unmasked steps, by NumPy alone."""
    mask = found.mask.values
    line = np.broadcast_to(found.line.values[:, None], mask.shape)
    return found.values[mask].astype(float), found[label].values[mask], line[mask]


def test_scores_over_steps_are_those_of_their_definitions(rng):
    found = planted(rng)
    found.values[..., 4] = np.where(found.mask, 0.1, np.nan)  # constant
    found.values[..., 0] = found.values[..., 0].round()  # ties
    values, high, line = flat(found, "quoted")
    scores = tg.probing.unit_scores(found, "quoted", "line", None, permutations=99, resamples=50)
    expected = effect_sizes(values, high)
    close = {"rtol": 1e-6, "atol": 1e-6}
    varying = slice(0, 4)
    np.testing.assert_allclose(scores.cohens_d[varying], expected.d[varying], **close)
    np.testing.assert_allclose(scores.hedges_g[varying], expected.g[varying], **close)
    np.testing.assert_allclose(scores.auc, auc(values, high), **close)
    np.testing.assert_allclose(scores.mean_high, values[high].mean(0), **close)
    assert (scores.cohens_d[4], scores.auc[4], scores.p[4]) == (0, 0.5, 1)
    groups = targets_of(high, line).groups
    low, upper = interval_of_d(values, high, groups, 50, 0)
    np.testing.assert_allclose(scores.d_low[varying], low[varying], **close)
    np.testing.assert_allclose(scores.d_high[varying], upper[varying], **close)
    tests = max_t(*blocks_of(values, high, groups), 99, 0)
    np.testing.assert_allclose(scores.t[varying], tests.t[varying], rtol=1e-4)
    np.testing.assert_allclose(scores.p_max[varying], tests.p_max[varying])
    assert scores.unit[scores.p_max < 0.05].tolist() == [2]
    assert (scores.steps[0], scores.clusters[0]) == (len(values), 12 - 0)
    assert scores.position[0] == "all"


def test_correlations_are_those_of_their_definition(rng):
    found = planted(rng)
    found.values[..., 4] = np.where(found.mask, 0.1, np.nan)
    values, column, line = flat(found, "column")
    scores = tg.probing.unit_scores(found, "column", "line", None, permutations=199, resamples=200)
    expected = [stats.pearsonr(values[:, unit], column).statistic for unit in range(4)]
    np.testing.assert_allclose(scores.correlation, [*expected, 0], atol=1e-6)
    assert scores.unit[scores.p_max < 0.05].tolist() == [3]
    assert (scores.low <= scores.correlation).all()
    assert (scores.correlation <= scores.high).all()
    # The interval by resampling rows, with the same draws.
    codes = targets_of(line, line).y
    count = codes.max() + 1
    drawn = np.random.default_rng([0, 1]).multinomial(count, np.full(count, 1 / count), size=200)
    resampled = []
    for weights in drawn:
        rows = np.repeat(np.arange(len(codes)), weights[codes])
        resampled.append([np.corrcoef(values[rows, u], column[rows])[0, 1] for u in range(4)])
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(scores.low[:4], low, atol=1e-6)
    np.testing.assert_allclose(scores.high[:4], high, atol=1e-6)


def test_signs_of_clusters_by_all_flips(rng):
    cluster = np.repeat(np.arange(6), 5)
    values, numbers = rng.normal(size=(30, 3)), rng.normal(size=30)
    _, tests = correlations(values, numbers, cluster, 20_000, 2, 0)
    x, y = values - values.mean(0), numbers - numbers.mean()
    shares = np.stack([(x * y[:, None])[cluster == c].sum(0) for c in range(6)])
    shares /= np.sqrt((shares**2).sum(0))
    every = np.abs([np.array(signs) @ shares for signs in itertools.product([-1, 1], repeat=6)])
    np.testing.assert_allclose(tests.t, shares.sum(0))
    exact = (every >= np.abs(tests.t) - 1e-9).mean(0)
    np.testing.assert_allclose(tests.p, exact, atol=0.015)
    exact = (every.max(1)[:, None] >= np.abs(tests.t) - 1e-9).mean(0)
    np.testing.assert_allclose(tests.p_max, exact, atol=0.015)


def test_r2_is_scikit_learns(rng):
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 2))
    y[:, 0] += x[:, 1]
    x[:, 3] = 7.0  # constant
    groups = np.arange(60) // 5
    splits = by_group(targets_of(groups % 2, groups), 4, 0)
    predicted = held_out_numbers(x, y, splits, strength=0.5)
    for train, test in splits:
        mean, spread = x[train].mean(0), np.where(x[train].std(0) > 0, x[train].std(0), 1)
        ridge = Ridge(alpha=2.0).fit((x[train] - mean) / spread, y[train])
        np.testing.assert_allclose(predicted[test], ridge.predict((x[test] - mean) / spread))
    errors = Errors.of(y[:, 0], predicted[:, 0], groups, 12)
    np.testing.assert_allclose(errors.r2(), r2_score(y[:, 0], predicted[:, 0]))
    found = measures_of_numbers(
        y[:, 0], predicted[:, 0], [], np.zeros(60, bool), groups, 100, seed=1
    )
    drawn = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=100)
    rows = [np.repeat(np.arange(60), weights[groups]) for weights in drawn]
    resampled = [r2_score(y[each, 0], predicted[each, 0]) for each in rows]
    np.testing.assert_allclose(
        [found["low"], found["high"]], np.quantile(resampled, [0.025, 0.975])
    )


def series(random, shape, memory=0.8):
    """Numbers that hang together along an example."""
    x = random.normal(size=shape)
    for step in range(1, shape[1]):
        x[:, step] = memory * x[:, step - 1] + np.sqrt(1 - memory**2) * x[:, step]
    return x


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_level_holds_where_steps_hang_together(kind):
    trials, hits, naive = 200, 0, 0
    for seed in range(trials):
        random = np.random.default_rng(seed)
        values, label = series(random, (16, 20, 4)), series(random, (16, 20))
        mask = np.ones((16, 20), bool)
        given = label > 0 if kind == "classes" else label
        scores = tg.probing.unit_scores(
            data(values, mask), given, None, None, permutations=99, resamples=2, seed=seed
        )
        hits += (scores.p_max < 0.05).any()
        naive += stats.pearsonr(values[..., 0].ravel(), label.ravel()).pvalue < 0.05
    assert hits <= stats.binom.ppf(0.999, trials, 0.05)
    assert naive > 40  # steps taken for independent: what this test is for


# -- probes ---------------------------------------------------------------------------------------


def test_a_probe_over_steps_finds_what_is_there(rng):
    found = planted(rng, examples=40)
    row = tg.probing.probe(found, "quoted", "line", None, controls=2).iloc[0]
    assert row.low <= row.accuracy <= row.high
    assert row.accuracy > 0.85 > row.majority + 0.1
    assert row.selectivity_low > 0.1
    assert (row.position, row.steps, row.examples) == ("all", found.mask.values.sum(), 39)
    number = tg.probing.probe(found, "column", "line", None, controls=2).iloc[0]
    assert 0.6 < number.low <= number.r2 <= number.high
    assert number.control < 0.2
    assert number.selectivity == pytest.approx(number.seen - number.control)
    assert "accuracy" not in number
    sparse = tg.probing.sparse_probe(found, "column", "line", None, sizes=[1])
    assert sparse.chosen[0] == "3"
    assert sparse.r2[0] > 0.6


@pytest.mark.parametrize("numbers", [False, True])
def test_what_knows_word_types_only_is_not_selective(rng, numbers):
    own = rng.normal(size=(12, 30)) * 3
    token = rng.integers(0, 12, (30, 10))
    label = rng.normal(size=12)[token] if numbers else np.arange(12)[token] % 2 == 0
    values = own[token] + 0.1 * rng.normal(size=(30, 10, 30))
    found = data(values, np.ones((30, 10), bool), token=token.astype(str))
    row = tg.probing.probe(found, label, None, None).iloc[0]
    assert row["r2" if numbers else "accuracy"] > 0.95
    assert abs(row.selectivity) < 0.05
    # Types as groups: none of them is seen in training, and the control task can't be measured.
    unseen = tg.probing.probe(found, label, "token", None).iloc[0]
    assert np.isnan(unseen.control)
    with pytest.raises(ValueError, match=r"needs the word type.*`types`.*Received: controls=3"):
        tg.probing.probe(found.drop_vars("token"), label, None, None)
    given = tg.probing.probe(
        found.drop_vars("token"), label, None, None, types=token.astype(str)
    ).iloc[0]
    assert given.selectivity == row.selectivity


def test_an_example_is_never_on_both_sides(rng):
    """The label follows from the example alone: remembering examples is all that can be done."""
    own = rng.normal(size=(40, 60)) * 3
    values = own[:, None] + 0.1 * rng.normal(size=(40, 8, 60))
    label = np.repeat(np.arange(40) % 2 == 0, 8).reshape(40, 8)
    found = data(values, np.ones((40, 8), bool))
    alone = tg.probing.probe(found, label, None, None, controls=0)
    assert 0.15 < alone.accuracy[0] < 0.85
    by_step = np.arange(320).reshape(40, 8)
    assert tg.probing.probe(found, label, by_step, None, controls=0).accuracy[0] > 0.99


def test_folds_of_numbers_are_of_whole_groups_and_of_equal_size(rng):
    groups = np.repeat(np.arange(30), rng.integers(1, 12, 30))
    numbers = Targets(rng.normal(size=len(groups)), groups, ())
    splits = by_group(numbers, 4, seed=1)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(groups)))
    for train, test in splits:
        assert len(train) + len(test) == len(groups)
        assert not set(groups[train]) & set(groups[test])
        assert abs(len(test) - len(groups) / 4) <= 3
    assert any(not np.array_equal(a[1], b[1])
               for a, b in zip(splits, by_group(numbers, 4, seed=2), strict=True))  # fmt: skip


def test_around_an_anchor_labels_are_those_of_each_step(rng):
    found = planted(rng, examples=40)
    anchor = rng.integers(0, 5, 40)
    options = {"controls": 0, "folds": 3, "resamples": 10}
    table = tg.probing.probe_over_positions(
        found, "quoted", "line", None, anchor, [0, 1, 9], **options
    ).set_index("position")
    rows = [row for row in range(40) if found.mask.values[row, anchor[row] + 1]]
    at = found.isel(example=xr.DataArray(rows, dims="example"),
                    time=xr.DataArray(anchor[rows] + 1, dims="example"))  # fmt: skip
    alone = xr.DataArray(at.values[:, None], dims=DIMS)
    expected = tg.probing.probe(alone, at.quoted.values, at.line.values, None, **options)
    assert table.accuracy[1] == expected.accuracy[0]
    assert (table.steps[1], table.examples[1]) == (len(rows), len(rows))
    assert np.isnan(table.accuracy[9])


def test_steps_are_chosen_in_every_way(rng):
    found = planted(rng)
    options = {"controls": 0, "folds": 2, "resamples": 10}
    chosen = rng.random(found.mask.shape) < 0.6
    named = found.assign_coords(late=(DIMS[:2], chosen))
    one = tg.probing.probe(found, "quoted", "line", None, chosen, **options)
    assert one.steps[0] == (chosen & found.mask.values).sum()
    assert one.position[0] == "chosen"
    other = tg.probing.probe(named, "quoted", "line", None, "late", **options)
    pd.testing.assert_frame_equal(one.drop(columns="position"), other.drop(columns="position"))
    first = tg.probing.probe(found, "quoted", "line", None, slice(0, 2), **options)
    lengths = found.mask.values.sum(1)
    assert first.steps[0] == np.minimum(lengths, 2).sum()
    assert first.position[0] == "0:2"
    # A class of examples, read at all their steps.
    whole = tg.probing.probe(found, found.line.values % 2, "line", None, "all", **options)
    assert whole.steps[0] == lengths.sum()
    # Where there is no label, a step takes no part, whatever its kind.
    quoted = found.quoted.values
    missing = ~chosen
    for given in (
        xr.DataArray(np.where(missing, np.nan, quoted), attrs={"label": "bool"}),
        np.where(missing, "", np.where(quoted, "yes", "no")),
        np.where(missing, None, quoted),
    ):
        again = tg.probing.probe(found, given, "line", None, **options)
        assert again.accuracy[0] == one.accuracy[0]
        assert again.steps[0] == one.steps[0]
    column = np.where(missing, None, found.column.values)  # numbers, as objects
    assert tg.probing.probe(found, column, "line", None, **options).steps[0] == one.steps[0]
    # Groups may be anything; what has none takes no part.
    halves = np.where(missing, np.nan, np.arange(24)[:, None] % 2)
    assert tg.probing.probe(found, "quoted", halves, None, **options).groups[0] == 2


def test_labels_of_words_are_probed_at_their_words():
    from textgate.models import LanguageModel
    from textgate.tokenizers import WordTokenizer

    words = [f"w{number}" for number in range(8)]
    lm = LanguageModel(WordTokenizer(words), units=12, seed=1)
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, size)) for size in random.integers(2, 7, 30)]
    odd = [[int(word[1:]) % 2 for word in text.split()] for text in texts]
    trace = tg.trace(lm, texts, step_labels={"odd": odd})
    table = tg.probing.probe(trace, "odd", None, "cell_state", controls=1)
    assert table.steps[0] == sum(map(len, odd))  # and not <bos>
    assert table.accuracy[0] > 0.9  # the word itself says so
    known = tg.probing.word_embeddings(lm, texts)
    table = tg.probing.probe(trace, "odd", None, "cell_state", controls=0, embedding=known)
    assert table.embedding[0] > 0.9
    scores = tg.probing.unit_scores(trace, "odd", None, "cell_state", permutations=19)
    assert (scores.low_class[0], scores.high_class[0]) == ("0", "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"labels": np.zeros((24, 8), bool)}, r"`labels`.*\(24, 9\).*\(24, 8\)"),
        ({"labels": np.zeros((24, 9), bool)}, "two classes"),
        ({"labels": np.full((24, 9), np.nan)}, "none in 24 examples"),
        ({"labels": np.zeros((24, 9))}, "true and false.*0 and 1"),
        ({"labels": np.tile([1, 0, np.nan], (24, 3))}, "true and false.*0 and 1"),
        ({"labels": np.full((24, 9), 0.5)}, "two values"),
        ({"groups": np.zeros((24, 8), int)}, r"`groups`.*\(24, 8\)"),
        ({"groups": "nothing"}, "'nothing'"),
        ({"groups": np.zeros(24)}, "groups|clusters"),
        ({"position": "most"}, "'most'"),
        ({"position": np.ones((24, 8), bool)}, r"\(24, 8\)"),
        ({"position": np.full((24, 9), 0.5)}, "float64"),
        ({"position": np.zeros((24, 9), bool)}, "position=chosen"),
        ({"anchor": np.zeros(24, int), "position": "all"}, "position=all"),
    ],
)
def test_says_what_is_wrong(arguments, said):
    found = planted(np.random.default_rng(0))
    given = {"labels": "quoted", "groups": "line", "signal": None, **arguments}
    for function in (tg.probing.probe, tg.probing.unit_scores, tg.probing.sparse_probe):
        with pytest.raises(ValueError, match="Received: ") as caught:
            function(found, **given)
        assert "\n" not in str(caught.value)
        assert pd.Series([str(caught.value)]).str.contains(said).all(), caught.value


def test_erasing_over_steps_leaves_nothing_to_read_there(rng):
    found = planted(rng, examples=40)
    values, quoted, _ = flat(found, "quoted")
    eraser = tg.probing.leace(found, "quoted")
    assert eraser.rank == 1
    erased = eraser.transform(values)
    np.testing.assert_allclose(erased[quoted].mean(0), erased[~quoted].mean(0), atol=1e-6)
    matched = tg.probing.random_eraser(found, displacement=eraser.displacement, seed=1)
    assert matched.displacement == pytest.approx(eraser.displacement, abs=1e-3)
    np.testing.assert_allclose(
        matched.projection,
        tg.probing.random_eraser(values, displacement=eraser.displacement, seed=1).projection,
    )
    clean = found.copy(data=np.where(found.mask.values[..., None], eraser.transform(found), np.nan))
    before, after = (
        tg.probing.probe(data, "quoted", "line", None, controls=0) for data in (found, clean)
    )
    assert after.accuracy[0] <= after.majority[0] + 0.02 < before.accuracy[0] - 0.1
    number = tg.probing.leace(found, "column").transform(values)
    assert np.abs(np.corrcoef(number.T, flat(found, "column")[1])[-1, :-1]).max() < 1e-5
    with pytest.raises(ValueError, match=r"go with a trace\. Received"):
        tg.probing.leace(values, quoted, position="all")


def test_an_unmasked_step_without_values_is_named(rng):
    found = planted(rng)
    found.values[0, 4, 1] = np.nan
    with pytest.raises(ValueError, match=r"1 steps that haven't, the first in example 0 at step 4"):
        tg.probing.unit_scores(found, "quoted", "line", None)
    numbers = {"labels": "column", "groups": "line", "signal": None}
    found = planted(rng)
    with pytest.raises(ValueError, match="must be classes"):
        tg.probing.temporal_generalization(found, positions=[0], **numbers)
    with pytest.raises(ValueError, match="'l1'"):
        tg.probing.sparse_probe(found, ranking="l1", **numbers)
