"""Whether registered equations are those of their Keras cell."""

import keras
import numpy as np

from textgate.layers._equations import spec_of, weights_of
from textgate.recurrence import step


def check_cell(cell: keras.layers.Layer, features: int = 3, seed: int = 0) -> None:
    """Compare one step of a Keras cell with its equations, on random numbers.

    The weights are random for the time of the check, too, because those that begin at zero hide
    mistakes. To be called in a test of the cell.

    Args:
        cell: A cell whose class is registered; it is built if it isn't yet.
        features: The width of its input.
        seed: Of the random numbers.

    Raises:
        ValueError: If the equations are not known, or give another output or other states than the
            cell, naming the signal.
    """
    random = np.random.default_rng(seed)
    spec = spec_of(cell)
    inputs = random.normal(size=(4, features)).astype("float32")
    states = [random.normal(size=(4, spec.units)).astype("float32") for _ in spec.cell.states]
    cell(inputs, states)
    weights = cell.get_weights()
    try:
        cell.set_weights([random.normal(0.0, 0.5, weight.shape) for weight in weights])
        output, expected = cell(inputs, states)
        signals = step(spec, inputs, states, weights_of(cell))
    finally:
        cell.set_weights(weights)
    pairs = zip(("hidden_state", *spec.cell.states), (output, *expected), strict=True)
    for name, value in pairs:
        apart = float(np.abs(np.asarray(signals[name]) - np.asarray(value)).max())
        if not apart < 1e-4:
            raise ValueError(
                f"The step of a {spec.cell.title} must give the {name.replace('_', ' ')} that its "
                f"Keras cell gives. Received: {type(cell).__name__}, up to {apart:.3g} apart"
            )
