"""Models from elsewhere: the files of Keras 1 and 2, and weights of PyTorch, for Keras 3.

`textgate.load` and `textgate.from_torch` are the doors; this room has the readers behind them. They
take a file for what it is, data: no code of it is run.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
