"""The pages about the code are true to it: rooms, files, names, laws and examples."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import textgate

ROOT = Path(textgate.__file__).parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = {ROOT / "docs" / "architecture.md": ARCHITECTURE, ROOT / "CONTRIBUTING.md": CONTRIBUTING}


def missing_files(text, folder):
    """The files that a page links to or names and that aren't there.

    A path with a name in angle brackets stands for a file yet to be written; its folder is there.
    """
    linked = [folder / path for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    named = re.findall(r"(?<![\w/.])((?:textgate|tests|docs|data|scripts)/[\w./<>-]*\w)", text)
    paths = [
        *linked,
        *(
            ROOT / name.partition("<")[0].rpartition("/")[0] if "<" in name else ROOT / name
            for name in named
        ),
    ]
    return {str(path) for path in paths if not path.exists()}


def missing_targets(text):
    """The commands of `make` that a page names and that the Makefile doesn't have."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    return set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)(?=`|  |:|$)", text, flags=re.M)) - targets


def missing_headings(text, folder):
    """The links to a heading of a page that has no such heading."""
    missing = set()
    for path, anchor in re.findall(r"\]\(([^)#:]+)#([^)]+)\)", text):
        headings = re.findall(r"^#+ (.*)$", (folder / path).read_text(encoding="utf-8"), re.M)
        if anchor not in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}:
            missing.add(f"{path}#{anchor}")
    return missing


def missing_names(text):
    """The dotted names below `textgate` that a page names and that aren't there."""
    missing = set()
    for name in re.findall(
        r"`(?:textgate|tg)\.([\w.]+)", re.sub(r"```.*?```", "", text, flags=re.S)
    ):
        parts, module = name.split("."), textgate
        for part in parts:
            try:
                module = getattr(module, part)
            except AttributeError:
                try:
                    module = importlib.import_module(f"{module.__name__}.{part}")
                except (ImportError, AttributeError):
                    missing.add(name)
                    break
    return missing


def numbers_of_laws(source):
    """The laws that a test file is marked with."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.law"
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_a_page_names_is_there(path):
    assert not missing_files(PAGES[path], path.parent)
    assert not missing_names(PAGES[path])
    assert not missing_targets(PAGES[path])
    assert not missing_headings(PAGES[path], path.parent)


def test_the_checks_see_what_is_missing():
    text = (
        "[a](../nothing.md) [b](../CONTRIBUTING.md#nothing) [c](../CONTRIBUTING.md#set-up)\n"
        "`textgate/nothing.py` `textgate/layers/_<name>.py` `textgate/nothing/_<name>.py`\n"
        "`tg.layers.Nothing` `tg.layers.LSTM`\n    pytest tests/nothing.py -k this\n"
        "`make test`, `make nothing`"
    )
    assert missing_files(text, ROOT / "docs") == {
        str(ROOT / "docs" / "../nothing.md"),
        *(
            str(ROOT / name)
            for name in ("textgate/nothing.py", "textgate/nothing", "tests/nothing.py")
        ),
    }
    assert missing_names(text) == {"layers.Nothing"}
    assert missing_targets(text) == {"nothing"}
    assert missing_headings(text, ROOT / "docs") == {"../CONTRIBUTING.md#nothing"}
    assert numbers_of_laws("@pytest.mark.law(3)\ndef test(): pass") == {3}


@pytest.mark.tensorflow_only
def test_the_examples_run(tmp_path):
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", ARCHITECTURE, flags=re.S)):
        file = tmp_path / f"example{number}.py"
        file.write_text(code, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", file], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "light_gru.png").exists()


def test_the_laws_are_those_that_tests_state():
    page = {int(number) for number in re.findall(r"^(\d+)\. \*\*", ARCHITECTURE, flags=re.M)}
    files = sorted((ROOT / "tests").rglob("*.py"))
    cited = {n for path in files for n in numbers_of_laws(path.read_text(encoding="utf-8"))}
    assert page == cited


def test_the_rooms_are_the_packages():
    rooms = re.findall(r"^\| `(\w+)` \|", ARCHITECTURE, flags=re.M)
    assert sorted(rooms) == sorted(path.parent.name for path in ROOT.glob("textgate/*/__init__.py"))
    picture = re.search("```mermaid(.*?)```", ARCHITECTURE, re.S)[1]
    assert set(rooms) <= set(re.findall(r"\w+", picture))


def test_the_modules_of_all_rooms_are_named():
    for path in ROOT.glob("textgate/_[a-z]*.py"):
        assert f"`{path.name}`" in ARCHITECTURE or path.name == "_version.py"
