"""Progress goes to stderr, if it is asked for or takes long on a terminal."""

import logging

import pytest

from textgate import _progress as progress
from textgate._progress import COUNT, Progress, stages


@pytest.mark.parametrize("shown", [True, False, None])
def test_stages_are_named_on_stderr_if_asked_for(shown, capsys):
    with stages(shown, 3) as stage:
        stage("reading", 1)
        stage("confirming", 2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("confirming" in printed.err) == (shown is True)


def test_nothing_is_shown_that_nobody_can_see_or_asked_for(capsys):
    for shown in (None, False):
        with Progress(shown, "counting", 3) as bar:
            bar.advance(2)
            bar.show(3)
            bar.say("a line")
    assert capsys.readouterr().err == ""


def test_a_bar_counts_what_is_done_and_prints_lines(capsys):
    columns = ("{task.description}", COUNT, "loss {task.fields[loss]:.1f}")
    with Progress(True, "counting", 8, columns) as bar:
        bar.show(2, loss=0.5)
        bar.advance(3)
        bar.say("[a line]")
    shown = capsys.readouterr().err
    assert "counting 5/8 loss 0.5" in shown
    assert "[a line]" in shown


def test_on_a_terminal_a_bar_waits_until_it_takes_long(monkeypatch):
    now = 100.0
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Progress(None, "counting", 3) as bar:
        bar.advance()
        assert not bar._bar.live.is_started
        now += 2.5
        bar.advance()
        assert bar._bar.live.is_started
        assert bar._bar.tasks[0].completed == 2
    assert not bar._bar.live.is_started


def test_stages_hold_back_the_warning_of_compiling_for_many_shapes(caplog):
    logger = logging.getLogger("tensorflow")
    with stages(False, 3):
        logger.warning("5 out of 5 calls triggered tf.function retracing")
        logger.warning("something else")
    logger.warning("5 out of 5 calls triggered tf.function retracing again")
    assert caplog.messages == [
        "something else",
        "5 out of 5 calls triggered tf.function retracing again",
    ]


def test_notebooks_are_not_asked_for_widgets(monkeypatch, capsys):
    import rich.console

    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    with Progress(True, "working", 2) as bar:  # rich would warn that ipywidgets are missing
        bar.advance(2)
    assert "working" in capsys.readouterr().err
