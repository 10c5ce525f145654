"""What notebooks show of results: a heading, a sentence or two, and tables that are folded.

Everything is escaped: verdicts quote words, and words come from anybody's data.
"""

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 40  # of a table; the object itself has all


def as_html(
    title: str,
    lines: Iterable[str],
    tables: Mapping[str, "pd.DataFrame"],
    opened: str | None = None,
) -> str:
    """Return a piece of HTML that needs nothing else.

    Args:
        title: The heading.
        lines: A paragraph each.
        tables: Tables by their captions; empty ones are left out.
        opened: The one that isn't folded.

    Example:

    >>> import pandas as pd
    >>> page = as_html("Unit <3>", ["One & only."], {"what": pd.DataFrame({"a": ["<b>"]})})
    >>> "<b>Unit &lt;3&gt;</b>" in page, "One &amp; only." in page, "&lt;b&gt;" in page
    (True, True, True)
    """
    parts = [f"<p><b>{html.escape(title)}</b></p>"]
    parts += [f"<p>{html.escape(line)}</p>" for line in lines]
    for name, table in tables.items():
        if len(table):
            rows = f", the first {_ROWS} of {len(table)} rows" if len(table) > _ROWS else ""
            grid = table.head(_ROWS).to_html(index=False, float_format="{:.4g}".format, na_rep="")
            parts.append(
                f"<details{' open' * (name == opened)}><summary>{html.escape(name)}{rows}</summary>"
                f'<div style="overflow-x:auto">{grid}</div></details>'
            )
    return f'<div class="textgate">{"".join(parts)}</div>'
