"""The equations of LSTM, GRU and simple RNN, as pure functions on tensors."""

from textgate.recurrence.signals import CELLS, DERIVED, GRU, LSTM, SIMPLE_RNN, Cell

__all__ = ["CELLS", "DERIVED", "GRU", "LSTM", "SIMPLE_RNN", "Cell"]
