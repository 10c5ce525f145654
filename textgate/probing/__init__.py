"""What can be read off a trace: diagnostic classifiers with controls, unit scores, linear erasure.

A probe shows that a feature is *encoded*. Whether the model *uses* it is asked by interventions, in
`textgate.interchange`.

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
