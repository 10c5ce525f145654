"""The recurrent cells once more, in float64 NumPy, written from the equations of the papers.

Nothing here is shared with textgate: loops over examples and steps, one weight matrix a gate.
"""

import numpy as np

ORDER = {"lstm": "ifgo", "gru": "zrh", "simple_rnn": "h"}


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def split(kind, kernel):
    """Return {letter: the columns of that gate}."""
    letters = ORDER[kind]
    return dict(
        zip(letters, np.split(np.asarray(kernel, "float64"), len(letters), axis=-1), strict=True)
    )


def run(
    kind,
    inputs,
    kernel,
    recurrent_kernel,
    bias=None,
    initial_states=None,
    mask=None,
    go_backwards=False,
    reset_after=True,
    activation=np.tanh,
    recurrent_activation=sigmoid,
    edit=lambda name, value, example, step: value,
    coupled=False,
    leak=True,
):
    """Return {signal: (batch, time, units)} in input order, and the list of final states."""
    inputs = np.asarray(inputs, "float64")
    batch, time, _ = inputs.shape
    units = np.asarray(recurrent_kernel).shape[0]
    W, U = split(kind, kernel), split(kind, recurrent_kernel)
    zero = np.zeros(np.asarray(kernel).shape[-1])
    bias = zero if bias is None else np.asarray(bias, "float64")
    two = bias.ndim == 2
    b, b2 = split(kind, bias[0] if two else bias), split(kind, bias[1] if two else zero)
    names = {
        "lstm": "input_gate forget_gate candidate output_gate cell_state hidden_state",
        "gru": "update_gate reset_gate candidate hidden_state",
        "simple_rnn": "hidden_state",
    }[kind].split()
    signals = {name: np.zeros((batch, time, units)) for name in names}
    count = 2 if kind == "lstm" else 1
    if initial_states is None:
        initial_states = [np.zeros((batch, units))] * count
    final = [np.array(state, "float64") for state in initial_states]
    act, rec = activation, recurrent_activation
    for n in range(batch):
        h = final[0][n].copy()
        c = final[1][n].copy() if kind == "lstm" else None
        for t in reversed(range(time)) if go_backwards else range(time):
            if mask is not None and not mask[n][t]:
                signals["hidden_state"][n, t] = h
                if kind == "lstm":
                    signals["cell_state"][n, t] = c
                continue

            def changed(name, value, n=n, t=t):
                value = edit(name, value, n, t)
                signals[name][n, t] = value
                return signals[name][n, t]

            x = inputs[n, t]
            if kind == "lstm":
                f = changed("forget_gate", rec(x @ W["f"] + h @ U["f"] + b["f"]))
                i = 1 - f if coupled else rec(x @ W["i"] + h @ U["i"] + b["i"])
                i = changed("input_gate", i)
                g = changed("candidate", act(x @ W["g"] + h @ U["g"] + b["g"]))
                o = changed("output_gate", rec(x @ W["o"] + h @ U["o"] + b["o"]))
                c = changed("cell_state", f * c + i * g)
                h = changed("hidden_state", o * act(c))
            elif kind == "gru":
                z = changed("update_gate", rec(x @ W["z"] + h @ U["z"] + b["z"] + b2["z"]))
                r = changed("reset_gate", rec(x @ W["r"] + h @ U["r"] + b["r"] + b2["r"]))
                past = r * (h @ U["h"] + b2["h"]) if reset_after else (r * h) @ U["h"]
                g = changed("candidate", act(x @ W["h"] + b["h"] + past))
                h = changed("hidden_state", (z * h if leak else 0) + (1 - z) * g)
            else:
                h = changed("hidden_state", act(x @ W["h"] + h @ U["h"] + b["h"]))
        final[0][n] = h
        if kind == "lstm":
            final[1][n] = c
    return signals, final


def random_weights(rng, kind, features, units, bias=True, reset_after=True):
    """Random weights, biases included: constant ones would hide exchanged gates."""
    columns = len(ORDER[kind]) * units
    shape = (2, columns) if kind == "gru" and reset_after else (columns,)
    return (
        rng.normal(size=(features, columns)),
        rng.normal(size=(units, columns)) / np.sqrt(units),
        rng.normal(size=shape) if bias else None,
    )


MASKS = {
    "none": None,
    "right padding": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]],
    "left padding": [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 1]],
    "gaps": [[1, 0, 1, 0, 1], [0, 1, 0, 0, 1], [1, 1, 0, 1, 0]],
    "a row all masked": [[0, 0, 0, 0, 0], [1, 0, 1, 1, 1], [1, 1, 1, 1, 0]],
    "all masked": [[0] * 5] * 3,
}


def mask_of(name):
    """The mask of that name, `(3, 5)` booleans, or None."""
    return None if MASKS[name] is None else np.array(MASKS[name], bool)
