"""Old files, made once by tf_keras in a process of its own: it is another Keras."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import time

import pytest


@pytest.fixture(scope="session")
def old_files(tmp_path_factory):
    """The directory of the files of `old_keras.py`, made by one process for all of pytest's."""
    if importlib.util.find_spec("tf_keras") is None:
        pytest.skip("tf_keras is not installed")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    directory = shared / "old_keras"
    done = shared / "old_keras_done"
    try:
        directory.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.2)
        return directory
    script = pathlib.Path(__file__).with_name("old_keras.py")
    made = subprocess.run(
        [sys.executable, script, directory], capture_output=True, text=True, check=False
    )
    done.touch()
    assert made.returncode == 0, made.stderr[-3000:]
    return directory
