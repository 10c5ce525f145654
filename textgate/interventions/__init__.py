"""Interventions: change a signal inside a run, and see what follows from it.

That a probe reads gender from a unit shows that it is *encoded*. Whether the model *uses* it shows
in an intervention: the unit's signal is given another value, right where the step computes it, and
everything after follows from that, the rest of the step and, through the states, all later steps.

    edited = intervene(model, [ZeroAblation("lstm", "cell_state", units=[3, 17])])
    edited.predict(inputs)

- `ZeroAblation`, `MeanAblation`, `ResampleAblation` take away what units say (is it needed?);
- `Patch` gives them what they say in another run (does it suffice?);
- `Clamp` holds a gate or a state at a value, `Steer` pushes it along a direction, `Affine` maps it,
  `Apply` makes of it what a function of yours says.

Each acts on chosen units at chosen steps, and, if asked to, along chosen directions only: an
ablation of a `subspace` takes out what these directions hold, a patch exchanges it.

Interventions compose in the order given, act on every model that `textgate.trace` takes, and leave
the model alone. `to_json` and `from_json` keep them.
"""

from textgate.interventions._ablations import MeanAblation, ResampleAblation, ZeroAblation
from textgate.interventions._affine import Affine
from textgate.interventions._apply import Apply
from textgate.interventions._base import Intervention
from textgate.interventions._clamp import Clamp
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._edited import Edited, EditedLanguageModel, intervene
from textgate.interventions._json import from_json, to_json
from textgate.interventions._patch import Patch
from textgate.interventions._steer import Steer

__all__ = [
    "Affine",
    "Apply",
    "Clamp",
    "Contribution",
    "Edited",
    "EditedLanguageModel",
    "Intervention",
    "MeanAblation",
    "Patch",
    "ResampleAblation",
    "Steer",
    "Target",
    "ZeroAblation",
    "from_json",
    "intervene",
    "to_json",
]
