"""The shape of the house: what may import what, what is public, and how long a function may get."""

import ast
import graphlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import textgate

PACKAGE = Path(textgate.__file__).parent
ROOT = PACKAGE.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.M)  # in their order
LINES, PARAMETERS = 60, 12  # of a function, its docstring not counted

# Public modules that nobody outside their room imports, each with its reason.
PLACES_TO_READ = {
    "textgate.recurrence.steps": "the equations",
    "textgate.recurrence.signals": "the names of signals",
    "textgate.recurrence.fast.tensorflow_common": "beside the two loops that use it",
    "textgate.recurrence.fast.tensorflow_gru": "the loop and its gradient",
    "textgate.recurrence.fast.tensorflow_lstm": "the loop and its gradient",
    "textgate.datasets.pronoun_agreement.pronoun_agreement_dataset_builder": "TFDS's name for it",
}
# Functions that are long, or take many arguments, for a reason.
LARGE_FUNCTIONS = {
    "recurrence.fast.tensorflow_gru.run": "a loop and its gradient, which share their names",
    "recurrence.fast.tensorflow_gru.run.backward": "the equations of the gradient, one a line",
    "recurrence.fast.tensorflow_lstm.run": "a loop and its gradient, which share their names",
    "interchange._contrasts.contrasts": "pairs, or one argument for each part of an item",
    "probing._sparse.sparse_probe": "one argument for each choice of the experiment",
    "probing._probe.probe": "one argument for each choice of the experiment",
    "unit_search._protocol.find_units": "one argument for each choice of the experiment",
}
# What doesn't hold yet. Take out what you mend, and add nothing.
NOT_YET = {
    "tracing.program.Program._body",
}
CIRCULAR_YET: set[str] = set()


def dotted(path: Path) -> str:
    """The name of the module in a file: `textgate/layers/_gru.py` is `textgate.layers._gru`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
STUBS = {dotted(path): path for path in sorted(PACKAGE.rglob("*.pyi"))}
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
SCRIPTS = {dotted(path): path for path in sorted((ROOT / "scripts").rglob("*.py"))}


def room_of(module: str) -> str:
    """The room a module is in; that of what stands at the top of the package is `""`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def nodes_of(tree: ast.AST, type_checking: bool = True) -> Iterator[ast.AST]:
    """All nodes of a tree, those that only type checkers read on request."""
    for node in ast.iter_child_nodes(tree):
        if type_checking or not is_for_type_checkers(node):
            yield node
            yield from nodes_of(node, type_checking)


def imported_names(tree: ast.AST, package: str = "", type_checking: bool = True) -> set[str]:
    """The dotted names below `textgate` that a module imports or uses, wherever in it.

    `from textgate.layers import LSTM`, `import textgate as tg; tg.layers.LSTM` and
    `import_module("textgate.layers.LSTM")` are all `"textgate.layers.LSTM"`.
    """
    names: set[str] = set()
    aliases: dict[str, str] = {}  # what a variable stands for
    nodes = list(nodes_of(tree, type_checking))
    for node in nodes:
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    aliases[alias.asname or top] = alias.name if alias.asname else top
                    names.add(alias.name)
            case ast.ImportFrom():
                parents = package.split(".")[: 1 - node.level or None] if node.level else []
                module = ".".join([*parents, *([node.module] if node.module else [])])
                for alias in node.names:
                    aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
                    names.add(f"{module}.{alias.name}")
            case ast.Call(args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(node.func).endswith("import_module"):
                    names.add(name)
    for node in nodes:
        if isinstance(node, ast.Attribute):
            top, *rest = ast.unparse(node).split(".")
            if aliases.get(top, "").split(".")[0] == "textgate":
                names.add(".".join([aliases[top], *rest]))
    return {name for name in names if name.split(".")[0] == "textgate"}


def exports(package: str) -> dict[str, str]:
    """The public names of a package, and the dotted name that each stands for."""
    tree = parsed(STUBS.get(package, MODULES[package]))
    return {
        alias.asname or alias.name: name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        for name in imported_names(
            ast.Module([ast.ImportFrom(node.module, [alias], node.level)], []), package
        )
    }


EXPORTS = {package: exports(package) for package in PACKAGES}


def modules_behind(name: str) -> set[str]:
    """The modules that a dotted name leads to: that which holds it and those it is handed on by."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if module in MODULES:
            break
    else:
        return set()
    behind = {module}
    if length < len(parts) and parts[length] in EXPORTS.get(module, {}):
        behind |= modules_behind(EXPORTS[module][parts[length]])
    return behind


def is_private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


# Nothing flows back.


def later_rooms(tree: ast.AST, room: str) -> set[str]:
    used = {room_of(m) for name in imported_names(tree) for m in modules_behind(name)} - {""}
    return used - set(ROOMS[: ROOMS.index(room) + 1])


@pytest.mark.parametrize("module", [m for m in MODULES if m.count(".") > 1 or m in PACKAGES])
def test_nothing_flows_back(module):
    if module == "textgate":
        return
    assert room_of(module), f"{module} is in a room that the architecture doesn't have"
    assert not later_rooms(parsed(MODULES[module]), room_of(module))


def test_the_check_sees_imports_of_every_form():
    source = """
import textgate.cli
from textgate import study
import textgate as tg
def function():
    from textgate.probing import probe
    tg.find_units()
    import_module("textgate.report._page")
"""
    seen = {"cli", "study", "probing", "unit_search", "report"}
    assert later_rooms(ast.parse(source), "recurrence") == seen
    assert later_rooms(ast.parse(source), "cli") == set()


# What has an underscore is for its own room.


def foreign_private_modules(tree: ast.AST, room: str) -> set[str]:
    """The private modules of other rooms that are imported by name."""
    return {
        module
        for name in imported_names(tree)
        for module in [max(modules_behind(name) & prefixes(name), key=len, default="")]
        if is_private(module) and room_of(module) and room_of(module) != room
    }


def foreign_private_names(tree: ast.AST) -> set[str]:
    """The names with an underscore that are taken from another module."""
    return {
        name
        for name in imported_names(tree)
        for last in [name.rpartition(".")[2]]
        if last.startswith("_") and not last.startswith("__") and name not in MODULES
    }


def prefixes(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


@pytest.mark.parametrize("module", [*MODULES, *SCRIPTS])
def test_private_modules_are_for_their_own_room(module):
    path = MODULES.get(module) or SCRIPTS[module]
    if module in NOT_YET:
        return
    assert not foreign_private_modules(parsed(path), room_of(module))
    assert not foreign_private_names(parsed(path))


def test_the_check_sees_private_modules():
    source = "import textgate as tg; tg.layers._gru.GRU; from textgate.probing import _scores"
    seen = {"textgate.layers._gru", "textgate.probing._scores"}
    assert foreign_private_modules(ast.parse(source), "") == seen
    assert foreign_private_modules(ast.parse(source), "probing") == {"textgate.layers._gru"}
    assert not foreign_private_modules(ast.parse("from textgate.layers import GRU"), "")
    source = "from textgate.recurrence.steps import _x, gru_step; from textgate import _files"
    assert foreign_private_names(ast.parse(source)) == {"textgate.recurrence.steps._x"}


# What has none is for others, and isn't called like something that its package exports.


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_public_module_bears_the_name_of_something_else(package):
    public = {m.rpartition(".")[2]: m for m in MODULES if m.rpartition(".")[0] == package}
    assert not misnamed(public, EXPORTS[package])


def misnamed(public: dict[str, str], exported: dict[str, str]) -> set[str]:
    return {name for name, module in public.items() if exported.get(name, module) != module}


def test_the_check_sees_a_module_with_the_name_of_its_function():
    public = {"trace": "textgate.tracing.trace", "presets": "textgate.training.presets"}
    exported = {"trace": "textgate.tracing.trace.trace", "presets": "textgate.training.presets"}
    assert misnamed(public, exported) == {"trace"}


def used_elsewhere(trees: dict[str, ast.Module]) -> set[str]:
    """The modules that somebody outside their room imports by name."""
    return {
        module
        for user, tree in trees.items()
        for name in imported_names(tree)
        for module in modules_behind(name) & prefixes(name)
        if room_of(module) != room_of(user)
    }


def test_public_modules_are_used_by_other_rooms():
    trees = {name: parsed(path) for name, path in (MODULES | SCRIPTS).items()}
    public = {m for m in MODULES if m not in PACKAGES and room_of(m) and not is_private(m)}
    assert not public - used_elsewhere(trees) - set(PLACES_TO_READ), "these need an underscore"


def test_the_check_sees_who_uses_a_module():
    tree = ast.parse("from textgate.recurrence.steps import step")
    assert "textgate.recurrence.steps" in used_elsewhere({"textgate.layers._gru": tree})
    assert "textgate.recurrence.steps" not in used_elsewhere({"textgate.recurrence._plain": tree})


# No module needs itself, by whatever way.


def circle(trees: dict[str, ast.Module]) -> list[str]:
    """Modules that import one another in a circle, if there are any."""
    graph = {
        module: {
            other
            for name in imported_names(tree, type_checking=False)
            for other in modules_behind(name)
        }
        - {module, "textgate"}
        for module, tree in trees.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_there_are_no_import_circles():
    trees = {name: parsed(path) for name, path in MODULES.items() if name not in CIRCULAR_YET}
    assert not circle(trees)


def test_the_check_sees_circles():
    one = ast.parse("def function():\n from textgate.layers import _lstm")
    other = ast.parse("import textgate.layers._gru")
    pair = {"textgate.layers._gru": one, "textgate.layers._lstm": other}
    assert set(circle(pair)) == set(pair)
    harmless = ast.parse("if TYPE_CHECKING:\n import textgate.layers._gru")
    assert not circle({**pair, "textgate.layers._lstm": harmless})


# A function fits on a page.


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        name = prefix
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{prefix}.{node.name}".lstrip(".")
        if isinstance(node, ast.FunctionDef):
            yield name, node
        yield from functions(node, name)


def lines_of(function: ast.FunctionDef) -> int:
    """The lines of a function, its docstring and decorators not counted."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        assert text.end_lineno is not None
        lines -= text.end_lineno - text.lineno + 1
    return lines


def parameters_of(function: ast.FunctionDef) -> int:
    return sum(1 for node in ast.walk(function.args) if isinstance(node, ast.arg))


def too_large(
    trees: dict[str, ast.Module], size: Callable[[ast.FunctionDef], int], limit: int
) -> dict[str, int]:
    return {
        f"{module.removeprefix('textgate.')}.{name}": size(function)
        for module, tree in trees.items()
        for name, function in functions(tree)
        if size(function) > limit
    }


def test_a_function_fits_on_a_page():
    trees = {name: parsed(path) for name, path in MODULES.items()}
    large = too_large(trees, lines_of, LINES) | too_large(trees, parameters_of, PARAMETERS)
    assert not {
        name: n for name, n in large.items() if name not in LARGE_FUNCTIONS.keys() | NOT_YET
    }
    assert not set(LARGE_FUNCTIONS) - set(large), "these need no exception any more"


def test_the_check_sees_large_functions():
    source = "class C:\n  def f(self, a, *, b):\n    '''One.\n\n    Two.\n    '''\n    return a"
    trees = {"textgate.cli": ast.parse(source)}
    assert too_large(trees, lines_of, 1) == {"cli.C.f": 2}
    assert too_large(trees, parameters_of, 2) == {"cli.C.f": 3}
    assert not too_large(trees, lines_of, 2)


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES)
def test_a_file_says_what_it_is_for(path):
    assert ast.get_docstring(parsed(path)) or path.name == "_version.py"


# The stub of a package that imports its names late is true.


def defined_in(tree: ast.Module) -> set[str]:
    """The names that a module's own statements give a meaning to; imports aren't among them."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def not_defined(exported: dict[str, str]) -> set[str]:
    """The exported names that are neither modules nor defined by the module they are said to be."""
    return {
        name
        for name, target in exported.items()
        if target not in MODULES
        and target.rpartition(".")[0] not in PACKAGES
        and name not in defined_in(parsed(MODULES[target.rpartition(".")[0]]))
    }


@pytest.mark.parametrize("package", sorted(STUBS))
def test_a_stub_lists_what_the_modules_define(package):
    assert not not_defined(EXPORTS[package])
    (listed,) = (n.value for n in parsed(STUBS[package]).body if isinstance(n, ast.Assign))
    assert sorted(ast.literal_eval(listed)) == sorted(EXPORTS[package])  # ruff holds the order
    assert sorted(__import__(package, fromlist=["*"]).__all__) == sorted(EXPORTS[package])


def test_the_check_sees_a_stub_that_is_wrong():
    exported = {
        "step": "textgate.recurrence.steps.step",
        "walk": "textgate.recurrence.steps.walk",
        "ops": "textgate.recurrence.steps.ops",
    }
    assert not_defined(exported) == {"walk", "ops"}
