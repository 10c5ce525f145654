"""Labelled gate traces of any Keras model with recurrent layers.

`trace` calls a model on inputs and returns every gate and state of its recurrent layers as an
`xarray.DataTree`, in memory or streamed to a Zarr store, which `open` opens again. `save` writes a
trace that is in memory to such a store.

The traces are exact and cost about as much as the model itself, because nothing is computed twice:
for the time of compiling, a loop of `textgate.recurrence` stands in for each layer's own
(`intercept`), which returns the gates besides the outputs. `find_sites` and `resolve` say which
recurrent layers a model has and what they are called; interventions use the same three.
"""

from textgate.tracing._fingerprint import fingerprint
from textgate.tracing._nodes import as_booleans, as_traced, matching_nodes, nodes_of
from textgate.tracing._opening import open_store as open
from textgate.tracing._saving import save
from textgate.tracing._sites import (
    Site,
    SiteCall,
    Untraceable,
    checked_sites,
    find_sites,
    one_site,
    resolve,
)
from textgate.tracing._tracer import trace
from textgate.tracing.interception import Call, intercept

__all__ = [
    "Call",
    "Site",
    "SiteCall",
    "Untraceable",
    "as_booleans",
    "as_traced",
    "checked_sites",
    "find_sites",
    "fingerprint",
    "intercept",
    "matching_nodes",
    "nodes_of",
    "one_site",
    "open",
    "resolve",
    "save",
    "trace",
]
