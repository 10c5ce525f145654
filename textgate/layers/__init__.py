"""LSTM and GRU layers whose gates can be read: drop-in for `keras.layers.LSTM` and `GRU`."""

from textgate.layers._activations import keras2_hard_sigmoid
from textgate.layers._checking import check_cell
from textgate.layers._convert import convert
from textgate.layers._equations import is_known_cell, register_cell, spec_of, weights_of
from textgate.layers._gru import GRU
from textgate.layers._lstm import LSTM
from textgate.layers._outputs import outputs_of

__all__ = [
    "GRU",
    "LSTM",
    "check_cell",
    "convert",
    "is_known_cell",
    "keras2_hard_sigmoid",
    "outputs_of",
    "register_cell",
    "spec_of",
    "weights_of",
]
