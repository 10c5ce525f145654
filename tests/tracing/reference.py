"""The recurrences in float64 NumPy, step by step, straight from the equations.

Independent of textgate and of Keras's loops: only a cell's weights are taken from Keras.
"""

import keras
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _lstm(w, x, state, act, gate, options):
    u = w["units"]
    h, c = state
    z = x @ w["kernel"] + h @ w["recurrent"] + w["bias"]
    i, f, g, o = (z[:, k * u : (k + 1) * u] for k in range(4))
    i, f, g, o = gate(i), gate(f), act(g), gate(o)
    c = f * c + i * g
    h = o * act(c)
    return (h, c), {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c,
        "hidden_state": h,
        "retention": f,
        "writing": i,
    }


def _gru(w, x, state, act, gate, options):
    u = w["units"]
    (h,) = state
    kernel, recurrent = w["kernel"], w["recurrent"]
    outer, inner = w["bias"] if w["bias"].ndim == 2 else (w["bias"], np.zeros(3 * u))
    update, reset, new = (slice(k * u, (k + 1) * u) for k in range(3))

    def part(columns):
        return x @ kernel[:, columns] + outer[columns]

    def past(columns):
        return h @ recurrent[:, columns] + inner[columns]

    z, r = gate(part(update) + past(update)), gate(part(reset) + past(reset))
    if options["reset_after"]:
        g = act(part(new) + r * past(new))
    else:
        g = act(part(new) + (r * h) @ recurrent[:, new])
    h = z * h + (1 - z) * g
    return (h,), {
        "update_gate": z,
        "reset_gate": r,
        "candidate": g,
        "hidden_state": h,
        "retention": z,
        "writing": 1 - z,
    }


def _simple(w, x, state, act, gate, options):
    (h,) = state
    h = act(x @ w["kernel"] + h @ w["recurrent"] + w["bias"])
    return (h,), {"hidden_state": h, "retention": 0 * h, "writing": 0 * h + 1}


def run(
    cell,
    x,
    mask=None,
    initial=None,
    backwards=False,
    activation=np.tanh,
    recurrent_activation=sigmoid,
):
    """Run a Keras cell's weights over `x` (batch, time, features), one example at a time.

    Returns the signals in the time order of `x`, NaN where masked, with the keys `initial` (the
    states before) and `final` (those after), and `last`: the hidden states with a masked step
    repeating the step before, for the layers above.
    """
    x = np.asarray(x, "float64")
    batch, time, _ = x.shape
    units = cell.units
    arrays = [numpy(v).astype("float64") for v in cell.weights]
    weights = {"units": units, "kernel": arrays[0], "recurrent": arrays[1]}
    weights["bias"] = arrays[2] if len(arrays) > 2 else np.zeros(arrays[0].shape[1])
    step = {"LSTMCell": _lstm, "GRUCell": _gru}.get(kind_of(cell), _simple)
    options = {"reset_after": getattr(cell, "reset_after", None)}
    states = 2 if step is _lstm else 1
    if initial is None:
        initial = [np.zeros((batch, units))] * states
    mask = np.ones((batch, time), bool) if mask is None else mask
    names = step(
        weights, x[:1, 0], [s[:1] for s in initial], activation, recurrent_activation, options
    )[1]
    result = {name: np.full((batch, time, units), np.nan) for name in names}
    last, final = np.zeros((batch, time, units)), []
    for n in range(batch):
        state = tuple(np.asarray(s, "float64")[n : n + 1] for s in initial)
        for t in reversed(range(time)) if backwards else range(time):
            if mask[n, t]:
                state, signals = step(
                    weights, x[n : n + 1, t], state, activation, recurrent_activation, options
                )
                for name, value in signals.items():
                    result[name][n, t] = value[0]
            last[n, t] = state[0][0]
        final.append([s[0] for s in state])
    result["initial"] = [np.asarray(s, "float64") for s in initial]
    result["final"] = [np.stack(s) for s in zip(*final, strict=True)]
    result["last"] = last
    return result


def kind_of(cell):
    for owner in type(cell).__mro__:
        if owner.__name__ in ("LSTMCell", "GRUCell", "SimpleRNNCell"):
            return owner.__name__
    raise AssertionError(type(cell))


def embed(layer, ids):
    return numpy(layer.embeddings).astype("float64")[ids]


def numpy(variable):
    return np.asarray(keras.ops.convert_to_tensor(variable)).copy()
