"""The tests of the recurrent layers that Keras ships pass unmodified with our classes."""

import os
import re
import subprocess
import sys
from pathlib import Path


def test_kerass_own_tests_pass_with_our_layers():
    script = Path(__file__).with_name("keras_own_tests.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed.group(1)) >= 14, done.stdout
