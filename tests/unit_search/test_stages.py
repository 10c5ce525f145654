"""Progress goes to stderr when asked for."""

import pytest

from textgate.unit_search._stages import stages


@pytest.mark.parametrize("shown", [True, False, None])
def test_stages_are_named_on_stderr_if_asked_for(shown, capsys):
    with stages(shown, 3) as stage:
        stage("reading", 1)
        stage("confirming", 2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("confirming" in printed.err) == (shown is True)
