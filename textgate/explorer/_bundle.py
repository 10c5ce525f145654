"""The page's JavaScript modules as one script, so that imports work in a page opened from a file.

A browser loads no module from `file://`, and a page that may be mailed has no other files. So the
modules are put one after the other, each as a function that is run once and returns what it
exports:

    const $words = (() => { …; return { split }; })();
    const $main = (() => { const { split } = $words; …; return { start }; })();

They are written plainly, and what isn't plain is refused: `import { a, b } from "…"` at the top,
and `export` before a function, a class or a constant.

A module is named by its path below `page/` without `.js`: `ui/main`. It imports others by a path
(`"./words.js"`), or those of the engine by a bare name (`"textgate/engine.js"`).
"""

import posixpath
import re
from collections.abc import Callable

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";[^\S\n]*\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=((?:async )?function\*?|class|const|let) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
_NOTHING = re.compile(r"^export \{\};[^\S\n]*\n?", re.MULTILINE)  # says that a file is a module


def bundle(entry: str, read: Callable[[str], str]) -> str:
    r"""Return a module and all that it imports as one script.

    Args:
        entry: The module that is to run, such as `"engine/start"`.
        read: Returns the text of a module.

    Raises:
        ValueError: If a module imports or exports in another way, or modules import one another in
            a circle.

    Example:

    >>> modules = {"a": 'import { b } from "./b.js";\nb();', "b": "export function b() {}"}
    >>> print(bundle("a", modules.get))
    const $b = (() => {
    function b() {}
    return { b };
    })();
    const $a = (() => {
    const { b } = $b;
    b();
    return {  };
    })();
    """
    parts: dict[str, str] = {}
    _add(entry, read, parts, ())
    return "\n".join(parts.values())


def _add(
    name: str, read: Callable[[str], str], parts: dict[str, str], above: tuple[str, ...]
) -> None:
    if name in above:
        raise ValueError(f"Modules must not import one another. Received: {[*above, name]}")
    if name in parts:
        return
    text = _NOTHING.sub("", read(name))
    for _, path in _IMPORT.findall(text):
        _add(_resolved(path, name), read, parts, (*above, name))
    exported = [match[2] for match in _EXPORT.finditer(text)]

    def imported(match: re.Match[str]) -> str:
        names = " ".join(match[1].split()).replace(" as ", ": ")
        return f"const {{ {names} }} = {_variable(_resolved(match[2], name))};\n"

    body = _EXPORT.sub("", _IMPORT.sub(imported, text))
    if other := _OTHER.search(body):
        raise ValueError(
            'A module of the page has `import { … } from "…";` and `export` before functions, '
            f"classes and constants. Received: {other[0]!r} in {name}"
        )
    returned = ", ".join(exported)
    parts[name] = (
        f"const {_variable(name)} = (() => {{\n{body.strip()}\nreturn {{ {returned} }};\n}})();"
    )


def _resolved(path: str, importer: str) -> str:
    stem = path.removesuffix(".js")
    if stem.startswith("textgate/"):
        return f"engine/{stem.removeprefix('textgate/')}"
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), stem))


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)
