"""The public names of `textgate.probing`, and the module that each comes from."""

from ._generalization import temporal_generalization as temporal_generalization
from ._probe import probe as probe
from ._probe import probe_over_positions as probe_over_positions
from ._scores import unit_scores as unit_scores
from ._signals import word_embeddings as word_embeddings
from ._sparse import sparse_probe as sparse_probe
from .erasure import Eraser as Eraser
from .erasure import leace as leace
from .erasure import random_eraser as random_eraser

__all__ = [
    "Eraser",
    "leace",
    "probe",
    "probe_over_positions",
    "random_eraser",
    "sparse_probe",
    "temporal_generalization",
    "unit_scores",
    "word_embeddings",
]
