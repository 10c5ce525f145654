"""Stages are done once, and again when what they read has changed or they had failed."""

import pytest

from textgate.study._stages import Stages


def test_a_stage_is_done_again_when_what_it_reads_changes(tmp_path):
    source, target, times = tmp_path / "in", tmp_path / "out", []
    source.write_text("1")

    def work():
        times.append(source.read_text())
        target.write_text("done")

    def do(settings=None):
        return Stages(tmp_path, lambda line: None).do("copy", work, [source], [target], settings)

    assert [do(), do()] == [True, False]
    source.write_text("2")
    assert [do(), do()] == [True, False]
    target.unlink()
    assert [do(), do()] == [True, False]
    assert [do({"seed": 1}), do({"seed": 1})] == [True, False]
    assert times == ["1", "2", "2", "2"]


def test_a_stage_that_fails_is_not_done(tmp_path):
    target = tmp_path / "out"

    def fail():
        target.write_text("half")
        raise KeyboardInterrupt

    stages = Stages(tmp_path, lambda line: None)
    assert stages.do("work", lambda: target.write_text("whole"), [], [target], 1)
    with pytest.raises(KeyboardInterrupt):
        stages.do("work", fail, [], [target], 2)
    # Not even with the first settings: what is there is the half of the second.
    assert stages.do("work", lambda: target.write_text("whole"), [], [target], 1)
