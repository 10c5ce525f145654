"""What TensorFlow says without need is kept back, and nothing else."""

import logging
import os

import pytest

from textgate._quiet import compiling_is_meant, quiet_stderr


def test_only_the_warning_of_compiling_is_held_back_and_only_meanwhile(caplog):
    logger = logging.getLogger("tensorflow")
    with caplog.at_level(logging.WARNING, "tensorflow"):
        with compiling_is_meant():
            logger.warning("5 out of the last 5 calls triggered tf.function retracing.")
            logger.warning("something else")
        logger.warning("retracing, afterwards")
    told = [record.getMessage() for record in caplog.records if record.name == "tensorflow"]
    assert told == ["something else", "retracing, afterwards"]


def test_a_failing_import_says_why(capfd):
    def fail():
        with quiet_stderr():
            os.write(2, b"the reason")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == "the reason"
    with quiet_stderr():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""
