"""Labelled gate traces of any Keras model with recurrent layers.

`trace` calls a model on inputs and returns every gate and state of its recurrent layers as an
`xarray.DataTree`, in memory or streamed to a Zarr store, which `open` opens again.

The traces are exact and cost about as much as the model itself, because nothing is computed twice:
for the time of compiling, a loop of `textgate.recurrence` stands in for each layer's own
(`intercept`), which returns the gates besides the outputs. `find_sites` and `resolve` say which
recurrent layers a model has and what they are called; interventions use the same three.
"""

from textgate.tracing.fingerprint import fingerprint
from textgate.tracing.interception import Call, intercept
from textgate.tracing.sites import Site, Untraceable, find_sites, resolve
from textgate.tracing.store import open_store as open
from textgate.tracing.tracer import trace

__all__ = [
    "Call",
    "Site",
    "Untraceable",
    "find_sites",
    "fingerprint",
    "intercept",
    "open",
    "resolve",
    "trace",
]
