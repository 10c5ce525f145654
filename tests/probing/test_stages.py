"""Progress goes to stderr when asked for, and TensorFlow's warnings of many shapes don't."""

import logging

import pytest

from textgate.probing.stages import stages


@pytest.mark.parametrize("shown", [True, False, None])
def test_stages_are_named_on_stderr_if_asked_for(shown, capsys):
    with stages(shown, 3) as stage:
        stage("reading", 1)
        stage("confirming", 2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("confirming" in printed.err) == (shown is True)


def test_warnings_of_retracing_are_held_back_for_the_time_being(caplog):
    logger = logging.getLogger("tensorflow")
    with stages(False):
        logger.warning("5 calls triggered tf.function retracing")
        logger.warning("something else")
    logger.warning("retracing afterwards")
    assert [r.getMessage() for r in caplog.records if r.name == "tensorflow"] == [
        "something else",
        "retracing afterwards",
    ]
