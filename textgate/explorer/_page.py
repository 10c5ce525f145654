"""The page put together: its HTML, its styles, its script and the data, in one file.

Text from data never runs. It stands in a script element of a type that isn't a script's, with
`<`, `>` and `&` written as escapes; and a content security policy lets no script run but the page's
own, which it names by its hash, and forbids every request.
"""

import base64
import functools
import hashlib
import json
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from textgate.explorer._bundle import bundle

TITLE = "textgate: hold a gate"
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def page(data: dict[str, Any], title: str = TITLE, reaches: str = "'none'") -> str:
    """Return the page.

    Args:
        data: What the page's JSON holds.
        title: The page's title.
        reaches: What the page may make requests to, for its content security policy.
    """
    script = _script()
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'unsafe-inline'; "
        f"img-src data: blob:; connect-src {reaches}; base-uri 'none'; form-action 'none'"
    )
    environment = jinja2.Environment(autoescape=True, keep_trailing_newline=True)
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return environment.from_string(_text("explorer.html")).render(
        title=title,
        policy=Markup(head),
        style=Markup(_styles()),
        data=as_json(data),
        scripts=Markup(f'<script type="module">{script}</script>'),
    )


def as_json(value: Any) -> Markup:
    r"""Return JSON that is safe within a script element.

    Example:

    >>> as_json(["</script>"])
    Markup('["\\u003c/script\\u003e"]')
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)


@functools.cache
def _script() -> str:
    """Return the page's code. `</` in it would end the element that it stands in."""
    return bundle("engine/start", lambda name: _text(f"{name}.js")).replace("</", "<\\/")


@functools.cache
def _styles() -> str:
    folder = resources.files("textgate.explorer") / "page"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".css"))
    return "".join(_text(name) for name in names)


def _text(name: str) -> str:
    folder = resources.files("textgate.explorer") / "page"
    return folder.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
