"""textgate: what the gates of LSTMs and GRUs do with text.

`import textgate as tg` is cheap: every name below is imported when it is first used, so that
neither TensorFlow nor Keras is loaded before it is needed. Two things happen at once all the same,
because they can't happen later:

- TensorFlow's start-up messages are silenced (unless `TF_CPP_MIN_LOG_LEVEL` is set already);
- textgate's layers are registered with Keras as soon as Keras is there, so that
  `keras.saving.load_model` knows them (see `textgate._registration`).
"""

import os

import lazy_loader as _lazy

from textgate import _registration

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# `__init__.pyi` lists the names; type checkers and editors read it as well.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)

_registration.watch_imports()
