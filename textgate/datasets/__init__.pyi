"""The public names of `textgate.datasets`, and the module that each comes from."""

from ._counterparts import counterparts as counterparts
from ._encoded import EncodedText as EncodedText
from ._generated import is_generated as is_generated
from ._generated import sentences as sentences
from ._pairs import minimal_pairs as minimal_pairs
from ._pipelines import SentenceBatch as SentenceBatch
from ._pipelines import SentenceBatches as SentenceBatches
from ._pipelines import UnknownDropout as UnknownDropout
from ._pipelines import WindowBatch as WindowBatch
from ._pipelines import WindowBatches as WindowBatches
from .corpus import Corpus as Corpus
from .features import FEATURES as FEATURES
from .features import Feature as Feature

__all__ = [
    "FEATURES",
    "Corpus",
    "EncodedText",
    "Feature",
    "SentenceBatch",
    "SentenceBatches",
    "UnknownDropout",
    "WindowBatch",
    "WindowBatches",
    "counterparts",
    "is_generated",
    "minimal_pairs",
    "sentences",
]
