"""What was retained and what was written: the two terms of a gated cell's new state.

    LSTM   c_t = f_t ⊙ c_{t-1}  +  i_t ⊙ g_t
    GRU    h_t = z_t ⊙ h_{t-1}  +  (1 − z_t) ⊙ ĥ_t
                 retained          written

A unit's state can stay the same because everything was retained, or because as much was written as
was lost; only the two terms tell these apart. A simple RNN retains nothing as it was and writes its
whole new state.
"""

import xarray as xr

from textgate.mechanics._nodes import DIMS, Node, attributes_of, flow_of, labels_of, node_of


def retained_and_written(node: Node) -> xr.Dataset:
    """Split each new state into what was retained of the old one and what was written.

    Args:
        node: One layer of a trace, of an LSTM, a GRU or a simple RNN.

    Returns:
        `retained` and `written`, with the dims `(example, time, unit)`, the coordinates of the
        trace's steps, and NaN at masked steps. They sum to the cell state (LSTM) or hidden state.

    Raises:
        TypeError: If `node` is not a trace's node.
        ValueError: If it lacks signals or steps, or its signals don't obey the cell's equation.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4, name="lstm")])
    >>> trace = tg.trace(model, np.ones((1, 5, 3)))
    >>> parts = retained_and_written(trace["lstm"].to_dataset())
    >>> off = parts.retained + parts.written - trace["lstm"].cell_state
    >>> bool(abs(off).max() < 1e-5)
    True
    """
    node = node_of(node)
    flow = flow_of(node)
    dtype = node[next(iter(node.data_vars))].dtype
    parts = {"retained": flow.keep * flow.old, "written": flow.write}
    result = xr.Dataset(
        {
            name: (DIMS, flow.in_time(values).astype(dtype), {"long_name": name})
            for name, values in parts.items()
        },
        labels_of(node),
        attributes_of(node),
    )
    return result.where(result["mask"])
