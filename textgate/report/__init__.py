"""The report: one HTML page that reads like a short paper and needs nothing but itself.

    textgate report runs/she-her

`read` collects what the stages of a study left on disk as `Findings`, plain tables and traces;
`render` makes the page from them, and `write` puts it beside the tables that it shows. Nothing is
computed anew but sums and shares, so that a page is rebuilt in seconds. No result is written into
the templates: the sentences are chosen by what the tables say, also where there is nothing to
say.

The page holds Plotly's library once and the traces of the gate view as packed numbers. A content
security policy forbids it every request, and all text from data is escaped.

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
