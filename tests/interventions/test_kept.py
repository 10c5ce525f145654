"""Interventions as values: frozen, readable, equal, and kept as JSON beside their traces."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import textgate as tg
from tests.interventions import models
from textgate.interventions import from_json, to_json

ROWS = np.array([[True, False, True, True, False]] * 6)


@pytest.fixture(scope="module")
def own():
    return tg.trace(models.model_of("lstm"), models.inputs())


def every_kind(source):
    return [
        tg.ZeroAblation("low", "cell_state", units=[3, 1], steps=slice(1, None, 2)),
        tg.MeanAblation("top", "writing", 2, reference=source, by_position=True),
        tg.ResampleAblation("low", "cell_state", slice(1, 3), reference=source, seed=7),
        tg.Clamp("both", "forget_gate", units=[0, 1], value=[0.1, 1 / 3], steps=ROWS),
        tg.Clamp("both", "forget_gate", value=np.float32(0.5)),
        tg.Clamp("both", "forget_gate", 1, value=np.full((6, 5, 1), 0.5)),
        tg.Patch("low", "hidden_state", units=np.array([2]), source=source),
        tg.Steer("low", "cell_state", direction=np.arange(4) / 7, scale=-2),
        tg.Affine("low", "cell_state", [0, 2], matrix=[[1, 0.5], [0, 1 / 3]], offset=[1, 2]),
        tg.Affine("both", "hidden_state", offset=0.5, steps=slice(2, 3)),
        tg.Patch("low", "hidden_state", source=source, subspace=[[0.6], [0], [-0.8], [0]]),
    ]


def test_they_read_well(own, tmp_path):
    stored = tg.tracing.save(own, tmp_path / "own.zarr")
    assert [repr(one) for one in every_kind(stored)] == [
        "ZeroAblation('low', 'cell_state', units=[3, 1], steps=slice(1, None, 2))",
        f"MeanAblation('top', 'writing', units=[2], reference=<trace '{tmp_path}/own.zarr'>, "
        "by_position=True)",
        "ResampleAblation('low', 'cell_state', units=slice(1, 3), "
        f"reference=<trace '{tmp_path}/own.zarr'>, seed=7)",
        "Clamp('both', 'forget_gate', units=[0, 1], steps=<18 of 6 × 5 steps>, "
        "value=[0.1, 0.333333])",
        "Clamp('both', 'forget_gate', value=0.5)",
        "Clamp('both', 'forget_gate', units=[1], value=<6 × 5 × 1 numbers of norm 2.74>)",
        f"Patch('low', 'hidden_state', units=[2], source=<trace '{tmp_path}/own.zarr'>)",
        "Steer('low', 'cell_state', direction=[0, 0.142857, 0.285714, 0.428571], scale=-2.0)",
        "Affine('low', 'cell_state', units=[0, 2], matrix=<2 × 2 numbers of norm 1.17>, "
        "offset=[1, 2])",
        "Affine('both', 'hidden_state', steps=slice(2, 3), offset=0.5)",
        "Patch('low', 'hidden_state', subspace=<4 × 1 numbers of norm 1>, "
        f"source=<trace '{tmp_path}/own.zarr'>)",
    ]
    edited = tg.intervene(models.model_of("lstm"), [tg.ZeroAblation("low", "candidate", 0)])
    assert repr(edited) == (
        "intervene(<model 'small'>, [\n    ZeroAblation('low', 'candidate', units=[0]),\n])"
    )


def test_they_are_frozen_and_equal_by_what_they_say(own):
    a, b = every_kind(own), every_kind(own)
    assert a == b
    assert len(set(a) | set(b)) == len(a)
    assert all(one != other for n, one in enumerate(a) for other in a[:n])
    with pytest.raises(dataclasses.FrozenInstanceError):
        a[0].units = (1,)
    rows = ROWS.copy()
    clamp = tg.Clamp("low", "candidate", value=1.0, steps=rows)
    rows[:] = False
    assert clamp.steps.sum() == 18
    with pytest.raises(ValueError, match="read-only"):
        clamp.steps[0] = True
    matrix = np.eye(2)
    mapped = tg.Affine("low", "candidate", [0, 1], matrix=matrix)
    matrix[:] = 0
    assert mapped.matrix.sum() == 2
    with pytest.raises(ValueError, match="read-only"):
        mapped.matrix[0] = 0


def test_json_and_back(own, tmp_path):
    made = every_kind(own)
    with pytest.raises(ValueError, match=r"traces=….*Received: MeanAblation"):
        to_json(made)
    text = to_json(made, tmp_path / "kept")
    assert len(list((tmp_path / "kept").iterdir())) == 3  # one for each signal that is read
    assert [one["intervention"] for one in json.loads(text)] == [type(m).__name__ for m in made]
    again = from_json(text)
    assert to_json(again) == text
    model, x = models.model_of("lstm"), models.inputs()
    np.testing.assert_array_equal(
        tg.intervene(model, again).predict(x), tg.intervene(model, made).predict(x)
    )
    for one, other in zip(made, again, strict=True):
        if not hasattr(one, "source") and not hasattr(one, "reference"):
            assert one == other == from_json(one.to_json())
    assert tg.intervene(model, again).to_json() == text
    shutil.move(tmp_path / "kept", tmp_path / "moved")
    with pytest.raises(FileNotFoundError, match="Received: "):
        from_json(text)
    assert len(from_json(text, traces=tmp_path / "moved")) == len(made)


def test_a_trace_that_changed_is_noticed(own, tmp_path):
    model, x = models.model_of("lstm"), models.inputs()
    stored = tg.trace(model, x, to=tmp_path / "own.zarr")
    text = tg.Patch("low", "cell_state", source=stored).to_json()
    assert json.loads(text)["source"]["path"] == str(tmp_path / "own.zarr")
    part = tg.Patch("low", "cell_state", source=stored.isel(example=[0, 1]))
    with pytest.raises(ValueError, match=r"not in a file as it is.*Received: Patch"):
        part.to_json()
    assert json.loads(part.to_json(tmp_path))["source"]["path"] != str(tmp_path / "own.zarr")
    shutil.rmtree(tmp_path / "own.zarr")
    tg.trace(model, x[:3], to=tmp_path / "own.zarr")
    with pytest.raises(ValueError, match=r"not the one.*Received: a trace with fingerprint"):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "ZeroAblation",
        "3",
        '{"intervention": "Ablation", "layer": "a", "signal": "candidate"}',
        '{"intervention": "Clamp", "layer": "a", "signal": "candidate"}',
        '{"intervention": "ZeroAblation", "layer": "a", "signal": "candidate", "value": 1}',
        '{"intervention": "ZeroAblation", "layer": "a", "signal": "candidate", "steps": [1]}',
        '{"intervention": "ZeroAblation", "layer": "a", "signal": "candidate", '
        '"steps": {"rows": ["012"], "steps": 3}}',
        '{"intervention": "Affine", "layer": "a", "signal": "candidate", "matrix": [[1, 2]]}',
        '{"intervention": "Affine", "layer": "a", "signal": "candidate", "matrix": [["a"]]}',
        '{"intervention": "Intervention", "layer": "a", "signal": "candidate"}',
        '{"intervention": "Patch", "layer": "a", "signal": "candidate", "source": "x.zarr"}',
    ],
)
def test_what_does_not_describe_interventions(text):
    with pytest.raises(ValueError, match="Received: ") as raised:
        from_json(text)
    assert "\n" not in str(raised.value)
