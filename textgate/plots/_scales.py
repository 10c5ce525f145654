"""The colours of a signal's values: gates from closed to open, what has a sign around zero."""

from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, to_hex

from textgate.recurrence import DERIVED, Cell

# Gates from closed (light) to open (dark); what has a sign in two colours, white at zero.
_GATES, _SIGNED = "YlGnBu", "RdBu_r"
_MANY = 500  # values among which the few largest would wash out the others


class Scale(NamedTuple):
    """Which colours stand for which values.

    Attributes:
        low: The value of the first colour.
        high: The value of the last one.
        colours: The colours from the first to the last.
        is_gate: Whether the values run from closed to open, rather than around zero.
    """

    low: float
    high: float
    colours: Colormap
    is_gate: bool

    @property
    def ticks(self) -> tuple[tuple[float, ...], tuple[str, ...]]:
        """Three values to label, and their labels."""
        if self.is_gate:
            return (0, 0.5, 1), ("0", "½", "1")
        return (self.low, 0, self.high), (f"−{self.high:.2g}", "0", f"{self.high:.2g}")

    def hex(self, value: float) -> str:
        """Return the colour of a value, as `"#rrggbb"`."""
        share = (value - self.low) / (self.high - self.low)
        return to_hex(self.colours(float(np.clip(share, 0, 1))))


def scale_of(cell: Cell, signal: str, values: np.ndarray) -> Scale:
    """Return the scale for values of a signal; NaN is left out."""
    if signal in (*cell.gates, *DERIVED):
        return Scale(0.0, 1.0, colormaps[_GATES], True)
    share = 100 if values.size < _MANY else 99.5
    high = float(np.nanpercentile(np.abs(values), share)) or 1.0
    return Scale(-high, high, colormaps[_SIGNED], False)


def ink_on(colour: str) -> str:
    """Return black or white, whichever is read better on a colour `"#rrggbb"`.

    The contrast is that of WCAG 2.1, which is at least 4.5 for one of the two on any colour.
    """
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "#000000" if (luminance + 0.05) ** 2 >= 0.05 * 1.05 else "#ffffff"
