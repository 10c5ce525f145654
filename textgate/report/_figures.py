"""Plotly figures as plain dictionaries: points with intervals, curves, bars.

Colours are those of `textgate.plots.palette`, which colour-blind readers can tell apart, and every
series has a marker or a dash of its own besides. Fonts, margins and widths are set on the page
(`templates/figures.js`), which knows how much room there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textgate.plots.palette import BLUE, GREEN, ORANGE, SKY, VERMILLION
from textgate.report._words import is_number

GREY = "#8A8F98"
MAUVE = "#B0568C"  # Okabe & Ito's purple, darker, as thin marks on white need it
COLOURS = (BLUE, VERMILLION, GREEN, MAUVE, ORANGE, SKY, GREY)
MARKERS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash")


@dataclass
class Series:
    """One series of points.

    Attributes:
        name: For the legend.
        at: Where each point stands: groups, words or numbers.
        values: The points.
        low: Lower ends of the intervals.
        high: Upper ends.
        hover: What hovering says, a text a point; Plotly's HTML, words from data `escaped`.
        labels: What stands beside each point of a cloud; such points are stars.
    """

    name: str
    at: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    low: list[Any] = field(default_factory=list)
    high: list[Any] = field(default_factory=list)
    hover: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def add(self, at: Any, value: Any, low: Any, high: Any) -> None:
        """Add a point with its interval."""
        self.at.append(at)
        self.values.append(value)
        self.low.append(low)
        self.high.append(high)


def dots(series: Sequence[Series], title: str, chance: float | None = None) -> dict[str, Any]:
    """Return points with intervals, a line for each group, in percent.

    Args:
        series: Of shares between 0 and 1.
        title: Of the axis.
        chance: Where to draw a line for what chance would give.
    """
    groups = list(dict.fromkeys(str(group) for one in series for group in one.at))
    data = []
    lowest = 1.0
    for number, one in enumerate(series):
        values = _clean(one.values)
        ends = [*values, *_clean(one.low)]
        lowest = min([lowest, *(v for v in ends if v is not None)])
        # Series stand beside one another instead of hiding one another.
        offset = 0.36 * (number - (len(series) - 1) / 2) / max(1, len(series) - 1)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escaped(one.name),
                "x": [None if v is None else round(100 * v, 3) for v in values],
                "y": [groups.index(str(group)) + offset for group in one.at],
                "text": [escaped(group) for group in one.at],
                "customdata": list(one.hover) or [escaped(one.name)] * len(values),
                "hovertemplate": "%{text}<br>%{x:.1f} % (%{customdata})<extra></extra>",
                "marker": {
                    "color": COLOURS[number % len(COLOURS)],
                    "symbol": MARKERS[number % len(MARKERS)],
                    "size": 9,
                },
                **_error(values, one.low, one.high),
            }
        )
    low = max(0.0, np.floor(100 * lowest / 5) * 5 - 5) if lowest < 1 else 90.0
    if chance is not None:
        low = min(low, 100 * chance - 5)
    shapes = []
    if chance is not None:
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": 100 * chance,
                "x1": 100 * chance,
                "y0": 0,
                "y1": 1,
                "line": {"color": GREY, "dash": "dot", "width": 1},
            }
        )
    layout = {
        "xaxis": {"title": {"text": title}, "range": [low, 101.5], "zeroline": False},
        "yaxis": {
            "tickvals": list(range(len(groups))),
            "ticktext": [escaped(group) for group in groups],
            "range": [len(groups) - 0.4, -0.6],
            "zeroline": False,
            "automargin": True,
        },
        "shapes": shapes,
        "showlegend": len(series) > 1,
    }
    return {"data": data, "layout": layout}


def escaped(text: Any) -> str:
    """Return text so that Plotly, which knows a little HTML, shows it as it is."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clean(values: Sequence[Any]) -> list[float | None]:
    return [float(v) if is_number(v) else None for v in values]


def _error(
    values: Sequence[float | None], low: Sequence[float], high: Sequence[float]
) -> dict[str, Any]:
    if not len(low):
        return {}
    above, below = [], []
    for value, least, most in zip(values, _clean(low), _clean(high), strict=True):
        there = value is not None and least is not None and most is not None
        above.append(round(100 * max(0.0, most - value), 3) if there else 0.0)  # type: ignore[operator]
        below.append(round(100 * max(0.0, value - least), 3) if there else 0.0)  # type: ignore[operator]
    return {
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "thickness": 1.4,
            "width": 3,
        }
    }


def curves(
    series: Sequence[Series], x: str, y: str, logarithmic: bool = False, markers: bool = True
) -> dict[str, Any]:
    """Return curves over numbers.

    Args:
        series: The curves.
        x: Title of the x axis.
        y: Title of the y axis.
        logarithmic: Whether the y axis is.
        markers: Whether the points are marked.
    """
    data = []
    for number, one in enumerate(series):
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if markers else "lines",
                "name": escaped(one.name),
                "x": [float(at) for at in one.at],
                "y": _clean(one.values),
                "line": {
                    "color": COLOURS[number % len(COLOURS)],
                    "dash": DASHES[number % len(DASHES)],
                    "width": 2,
                },
                "marker": {"symbol": MARKERS[number % len(MARKERS)], "size": 7},
            }
        )
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": x}, "zeroline": False},
        "yaxis": {"title": {"text": y}, "automargin": True},
        "showlegend": len(series) > 1,
    }
    if logarithmic:
        layout["yaxis"] |= {"type": "log", "dtick": "D2", "tickformat": "~g"}
    return {"data": data, "layout": layout}


def bars(series: Sequence[Series], y: str, labels: Sequence[str] | None = None) -> dict[str, Any]:
    """Return bars over words; `at` counts places, which `labels` name."""
    data = [
        {
            "type": "bar",
            "name": escaped(one.name),
            "x": [int(at) for at in one.at],
            "y": _clean(one.values),
            "customdata": list(one.hover),
            "hovertemplate": "%{customdata}<extra></extra>" if len(one.hover) else "%{y:.2f}",
            "marker": {
                "color": COLOURS[number % len(COLOURS)],
                "pattern": {
                    "shape": ("", "/", ".", "x")[number % 4],
                    "fillmode": "overlay",
                    "fgcolor": "white",
                },
            },
        }
        for number, one in enumerate(series)
    ]
    axis: dict[str, Any] = {"automargin": True, "zeroline": False, "showgrid": False}
    if labels is not None:
        axis |= {
            "tickvals": list(range(len(labels))),
            "ticktext": [escaped(label) for label in labels],
        }
    return {
        "data": data,
        "layout": {
            "barmode": "group",
            "xaxis": axis,
            "yaxis": {"title": {"text": y}, "automargin": True},
            "showlegend": len(series) > 1,
        },
    }


def split_by_units(
    numbers: Iterable[int],
    own: Sequence[int],
    x: Sequence[float],
    y: Sequence[float],
    hover: Sequence[str],
) -> list[Series]:
    """Return points, one a unit, as two series: the units found stand apart, with their numbers.

    Args:
        numbers: The units' numbers.
        own: Those that were found.
        x: Where each unit stands.
        y: Its value.
        hover: What hovering says of it.
    """
    points = list(zip(map(int, numbers), x, y, hover, strict=True))
    others = Series("other units" if any(unit in own for unit, *_ in points) else "units")
    marked = Series("units found")
    for unit, at, value, text in points:
        one = marked if unit in own else others
        one.at.append(at)
        one.values.append(value)
        one.hover.append(f"unit {unit}: {text}")
        if one is marked:
            one.labels.append(str(unit))
    return [one for one in (others, marked) if one.at]


def cloud(series: Sequence[Series], x: str, y: str) -> dict[str, Any]:
    """Return clouds of points over two shares from 0 to 1.

    Args:
        series: `at` and `values` are the coordinates; `hover` what hovering says.
        x: Title of the x axis.
        y: Title of the y axis.
    """
    data = []
    for number, one in enumerate(series):
        label = bool(one.labels)
        data.append(
            {
                "type": "scatter",
                "mode": "markers+text" if label else "markers",
                "name": escaped(one.name),
                "x": _clean(one.at),
                "y": _clean(one.values),
                "customdata": list(one.hover),
                "text": list(one.labels) or None,
                "textposition": "top center",
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {
                    "color": COLOURS[number % len(COLOURS)],
                    "symbol": "star" if label else MARKERS[number % len(MARKERS)],
                    "size": 12 if label else 6,
                    "opacity": 1 if label else 0.6,
                    "line": {"width": 1 if label else 0, "color": "black"},
                },
            }
        )
    return {
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": x}, "range": [-0.03, 1.05], "zeroline": False},
            "yaxis": {"title": {"text": y}, "range": [-0.03, 1.08], "zeroline": False},
            "showlegend": True,
        },
    }
