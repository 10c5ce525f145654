"""Figures that explain themselves, drawn with Matplotlib.

Every function returns a `matplotlib.figure.Figure`, to be shown in a notebook or saved by
`figure.savefig("name.png")`.

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
