"""Running a model with sets of units changed, and reading its decision.

`contrasts` makes minimal pairs ready for intervention, a *runner* runs the model on them with the
units of many sets changed, `sweep` does so for every single unit, and `erasure_effect` for the
directions that linear probes read.

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
