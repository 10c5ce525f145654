"""Figures that explain themselves, drawn with Matplotlib.

Every function returns a `matplotlib.figure.Figure`, to be shown in a notebook or saved by
`figure.savefig("name.png")`.
"""

from textgate.plots.heatmap import heatmap

__all__ = ["heatmap"]
