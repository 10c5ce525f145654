"""Runs the recurrent layers' tests from Keras's own wheel, unmodified, with our classes.

Run as a script, in a process of its own: it exchanges `LSTM` and `GRU` in the namespace that
Keras's tests take them from, and Keras's tests emit warnings that ours don't allow.
"""

import functools
import sys
from pathlib import Path

import keras
import pytest
from keras.src import layers as namespace

from textgate import layers

made = 0


def count(cls):
    """Count the layers that are made, so that a rename in Keras can't leave ours untested."""
    init = cls.__init__

    @functools.wraps(init)
    def counting(self, *args, **kwargs):
        global made
        made += 1
        init(self, *args, **kwargs)

    cls.__init__ = counting
    return cls


if __name__ == "__main__":
    folder = Path(keras.__file__).parent / "src" / "layers" / "rnn"
    namespace.LSTM, namespace.GRU = count(layers.LSTM), count(layers.GRU)
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder)]
    code = pytest.main([*options, str(folder / "lstm_test.py"), str(folder / "gru_test.py")])
    print(f"layers of ours made: {made}")
    sys.exit(code or (1 if made < 50 else 0))
