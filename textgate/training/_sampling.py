"""Training with a part of the vocabulary: the softmax over candidates instead of all words.

Of a vocabulary of thousands, a batch needs the logits of its own targets, and what it takes to
estimate the normaliser Σ_w exp(logit_w). Most of that sum lies on the frequent words, which are
always candidates; the rest of it is estimated from a sample of the other words, each of which
stands for (number of others / number sampled) of them:

    Z ≈ Σ_{w ∈ targets ∪ frequent} exp(logit_w) + (others / sampled) Σ_{w ∈ sample} exp(logit_w)

This estimate of Z is unbiased (importance sampling: Bengio & Senécal 2003; Jean et al. 2015), and
only training uses it: validation and every score are of the whole softmax. The sample of a step is
a function of the seed and the step, so that a resumed training draws the same.
"""

from typing import NamedTuple

import numpy as np

_PURPOSE = 77  # keeps these random numbers apart from those of the data with the same seed


class Candidates(NamedTuple):
    """The words whose logits a training step computes.

    Attributes:
        ids: Which they are, int32 of shape `(candidates,)`, each once.
        correction: What to add to their logits: the logarithm of how many words each stands for;
            float32 of shape `(candidates,)`.
        targets: The batch's targets as indices of `ids`, int32 of the targets' shape.
    """

    ids: np.ndarray
    correction: np.ndarray
    targets: np.ndarray


class Sampler:
    """Draws candidates.

    Args:
        counts: How often each word occurs, of shape `(vocabulary,)`.
        frequent: How many of the most frequent words are always candidates.
        sampled: How many of the other words are drawn in each step.
        seed: Seed.
    """

    def __init__(self, counts: np.ndarray, frequent: int, sampled: int, seed: int) -> None:
        self._size, self._sampled, self._seed = len(counts), sampled, seed
        self._always = np.zeros(len(counts), bool)
        self._always[np.argsort(-counts, kind="stable")[:frequent]] = True

    def draw(self, targets: np.ndarray, step: int) -> Candidates:
        """Return the candidates for a batch's targets in a step of the training."""
        chosen = self._always.copy()
        chosen[targets.ravel()] = True
        certain, others = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        random = np.random.default_rng([self._seed, _PURPOSE, step])
        drawn = random.permutation(others)[: self._sampled]
        ids = np.concatenate([certain, drawn]).astype(np.int32)
        correction = np.zeros(len(ids), np.float32)
        if len(drawn):
            correction[len(certain) :] = np.log(len(others) / len(drawn))
        place = np.zeros(self._size, np.int32)
        place[certain] = np.arange(len(certain), dtype=np.int32)
        return Candidates(ids, correction, place[targets])
