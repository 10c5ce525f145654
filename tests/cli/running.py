"""Runs a command of `textgate` in this process, as the shell would."""

import sys
from functools import partial

import pytest

from textgate import cli


def command(name):
    """A function that runs one command with its arguments and returns the exit code."""
    return partial(_run, name)


def _run(name, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", name, *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0
