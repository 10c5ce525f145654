"""Data: generated sentences, minimal pairs, plain text, and the batches that models train on.

Names are imported when they are first used, so that TensorFlow is loaded by those that need it;
`__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
