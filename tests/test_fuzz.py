"""A small, fixed share of what `scripts/fuzz.py` tries at will."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "fuzz.py"
_spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
fuzz = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fuzz)

pytestmark = pytest.mark.tensorflow_only
SHARE = {"traces": 20, "commands": 30, "runs": 60}


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_whatever_is_read_raises_nothing_but_what_is_documented(name):
    wrong = [*fuzz.fuzz([name], seed=0, inputs=SHARE.get(name, 150))]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no. Received: 1"), None),
        (ValueError("no"), "ValueError without Received"),
        (ValueError("no\nno. Received: 1"), "several lines"),
        (KeyError("a"), "KeyError"),
        (RecursionError("Received: "), "RecursionError"),
    ],
)
def test_what_is_wrong_is_seen(error, said):
    assert fuzz.wrong(error) == said
