"""The public names of `textgate.interchange`, and the module that each comes from."""

from ._ablation_effects import ablation_effects as ablation_effects
from ._contrasts import contrasts as contrasts
from ._directions import Direction as Direction
from ._erased_runs import erasure_effect as erasure_effect
from ._items import Contrasts as Contrasts
from ._model_runner import ModelRunner as ModelRunner
from ._runner import Runner as Runner
from ._runner import runner_for as runner_for
from ._stack_runner import StackRunner as StackRunner
from ._sweeps import sweep as sweep
from ._units import Units as Units

__all__ = [
    "Contrasts",
    "Direction",
    "ModelRunner",
    "Runner",
    "StackRunner",
    "Units",
    "ablation_effects",
    "contrasts",
    "erasure_effect",
    "runner_for",
    "sweep",
]
