"""From blocks to HTML: the templates, what they need of scripts and data, and what makes text safe.

A page holds Plotly's library once, the code that its blocks need, and their data as JSON.
"""

import json
import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from textgate._version import __version__
from textgate.report._blocks import Block

_MARKS = ((r"\*\*(.+?)\*\*", "strong"), (r"\*(.+?)\*", "em"), (r"`(.+?)`", "code"))


def render(
    template: str, blocks: Sequence[Block], include_plotlyjs: bool = True, **names: Any
) -> Markup:
    """Return a template, filled in.

    Args:
        template: Its name.
        blocks: All blocks that stand on it; their scripts and data come with them.
        include_plotlyjs: Whether to include Plotly's library, if a script needs it.
        names: What else the template speaks of.
    """
    scripts = dict.fromkeys(name for block in blocks for name in block.scripts)
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"marked": marked, "json": as_json}
    html = environment.get_template(template).render(
        blocks=blocks,
        kind=lambda block: type(block).__name__,
        embedded={key: value for block in blocks for key, value in block.embedded.items()},
        library=Markup(_library()) if include_plotlyjs else "",
        scripts=Markup("".join(map(_part, scripts))),
        styles=Markup(_part("style.css") + _part("print.css")),
        version=__version__,
        **names,
    )
    return Markup(html)


def marked(text: str) -> Markup:
    """Return text with *emphasis*, **strong** and `code` as HTML, everything else escaped.

    Example:

    >>> marked("**Two** of *<b>*")
    Markup('<strong>Two</strong> of <em>&lt;b&gt;</em>')
    """
    html = str(escape(text))
    for pattern, tag in _MARKS:
        html = re.sub(pattern, rf"<{tag}>\1</{tag}>", html)
    return Markup(html)


def as_json(value: Any) -> Markup:
    """Return JSON that is safe within a script element."""
    text = json.dumps(
        value,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
        default=lambda number: number.item(),  # NumPy's
    )
    for character, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, code)
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _part(name: str) -> str:
    return (resources.files("textgate.report") / "templates" / name).read_text(encoding="utf-8")


def _library() -> str:
    """Return Plotly's library, which comes with its Python package."""
    file = resources.files("plotly") / "package_data" / "plotly.min.js"
    return file.read_text(encoding="utf-8").replace("</script", "<\\/script")
