"""The order of the rooms: a module imports only from its own room and from those before it."""

import ast
from pathlib import Path

import pytest

import textgate

ROOMS = [
    "recurrence",
    "layers",
    "datasets",
    "tokenizers",
    "models",
    "training",
    "tracing",
    "interventions",
    "mechanics",
    "evaluation",
    "probing",
    "interchange",
    "unit_search",
    "plots",
    "report",
    "export",
    "study",
    "cli",
]
PACKAGE = Path(textgate.__file__).parent
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def imported_rooms(source):
    """The rooms that a module imports from, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "textgate" and rest.split(".")[0] in ROOMS:
                yield rest.split(".")[0]


@pytest.mark.parametrize("path", [p for p in FILES if len(p.parts) > 1], ids=str)
def test_nothing_flows_back(path):
    room = path.parts[0]
    assert room in ROOMS, f"{path} lives in a room that the design doesn't have"
    allowed = ROOMS[: ROOMS.index(room) + 1]
    later = set(imported_rooms((PACKAGE / path).read_text(encoding="utf-8"))) - set(allowed)
    assert not later, f"{path} imports from {sorted(later)}"


def test_the_check_sees_imports_of_every_form():
    source = (
        "import textgate.cli\nfrom textgate import study\ndef f():\n from textgate.probing import x"
    )
    assert set(imported_rooms(source)) == {"cli", "study", "probing"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_says_what_it_is_for_and_stays_short(path):
    source = (PACKAGE / path).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)) or path.name == "_version.py"
    assert source.count("\n") <= 400
