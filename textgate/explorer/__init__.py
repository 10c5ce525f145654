"""The live view: a page in which one types a sentence, holds a gate and sees what is said next.

    explore(tg.load("runs/she-her/lstm")).save("page.html")

A page is one HTML file with the model in it. It works offline, opened from a file, and asks the
network for nothing. `_payload` writes a model down for it, `_material` the sentences, the words and
the findings to play with, and `_page` puts them together with the page's own code:

- `page/engine/` computes what Keras computes, in plain JavaScript modules (law 10);
- `page/ui/` and `page/*.html` are what one sees and touches.

A model that a page can't hold gets the same page with a local server behind it (`_server`), which
answers the same questions (`_answers`).

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
