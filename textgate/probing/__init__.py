"""Which units hold a feature: sweeps, probes with controls, erasure, and the protocol."""

from textgate.probing.contrasts import Contrasts, contrasts

__all__ = ["Contrasts", "contrasts"]
