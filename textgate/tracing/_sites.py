"""Where a model computes a recurrence: its recurrent layers, by containment path.

A *site* is one recurrent cell in a model: the cell of an `LSTM`, `GRU`, `SimpleRNN` or `RNN`
layer, or one cell of a stack of cells. Its path names the containers from the model down to it,
the model's own name left out: `encoder/bidirectional/forward_lstm`. Keras's `layer.path` would not
do: it doesn't tell apart two submodels that have a layer `lstm` each.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

from textgate import recurrence
from textgate._received import check_backend, check_model
from textgate.layers import is_known_cell, spec_of


@dataclass(frozen=True)
class Site:
    """One recurrent cell of a model.

    Attributes:
        path: Its containment path, which is its node's name in a trace.
        layer: The layer that runs the cell over a sequence.
        cell: The cell.
        spec: The cell's equations.
        position: The cell's place in a stack of cells; 0 if it isn't in one.
        around: The `TimeDistributed` layers that the layer is in.
    """

    path: str
    layer: keras.layers.RNN
    cell: Any
    spec: recurrence.Spec
    position: int = 0
    around: tuple[keras.layers.TimeDistributed, ...] = ()


@dataclass(frozen=True)
class Untraceable:
    """A recurrent layer whose loop cannot be read, with the reason and the way out."""

    path: str
    reason: str


def find_sites(model: keras.Model) -> tuple[list[Site], list[Untraceable]]:
    """Find the recurrent cells of a model.

    Args:
        model: A built Keras model.

    Returns:
        The sites, in the order in which Keras lists the layers, and what cannot be traced.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4, name="memory")])
    >>> [site.path for site in find_sites(model)[0]]
    ['memory']
    """
    sites: list[Site] = []
    problems: list[Untraceable] = []
    seen: set[int] = {id(model)}
    for path, layer, around in _walk(model, (), (), seen):
        if isinstance(layer, keras.layers.RNN):
            found = _sites_of(path, layer, around)
            if isinstance(found, Untraceable):
                problems.append(found)
            else:
                sites.extend(found)
        elif is_known_cell(layer):
            problems.append(
                Untraceable(
                    path, "the model calls this cell by itself; run it by keras.layers.RNN(cell)"
                )
            )
    return sites, problems


def checked_sites(model: Any, warn: bool = False) -> list[Site]:
    """Return a model's sites, or say why it has none.

    Args:
        model: What should be a built Keras model with recurrent layers.
        warn: Whether to warn of recurrent layers that cannot be traced.

    Raises:
        TypeError: If it is not a Keras model.
        ValueError: If it isn't built or has no recurrent layer that can be traced, or Keras runs on
            a backend that textgate doesn't compute with.
    """
    check_model(model)
    check_backend()
    if not model.built:
        raise ValueError(
            "The model has no weights yet; call it once on a batch, or `model.build(input_shape)`. "
            f"Received: model {model.name!r}, which is not built"
        )
    sites, problems = find_sites(model)
    if any(not site.cell.built for site in sites):
        raise ValueError(
            "The model's recurrent layers have no weights yet; call the model once on a batch. "
            f"Received: model {model.name!r}, which is not built"
        )
    listed = "; ".join(f"layer {p.path!r}: {p.reason}" for p in problems)
    if not sites:
        raise ValueError(
            f"The model has no recurrent layer that can be traced. {listed or 'It has none at all'}"
            f". Received: model {model.name!r}"
        )
    if problems and warn:
        warnings.warn(f"Not traced: {listed}.", UserWarning, stacklevel=3)
    return sites


def _children(layer: Any) -> list[Any]:
    # A Model lists its layers as its author knows them; any other layer keeps them tracked.
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    return layer._flatten_layers(include_self=False, recursive=False)


def _walk(
    parent: Any, prefix: tuple[str, ...], around: tuple[Any, ...], seen: set[int]
) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Go through a model: each layer's path, itself, and the `TimeDistributed` around it."""
    if isinstance(parent, keras.layers.TimeDistributed):
        around = (*around, parent)
    names: dict[str, int] = {}
    for child in _children(parent):
        if id(child) in seen:
            continue
        seen.add(id(child))
        # Siblings of one name can only be in a subclassed model; number them.
        count = names[child.name] = names.get(child.name, 0) + 1
        path = (*prefix, child.name if count == 1 else f"{child.name}-{count}")
        yield "/".join(path), child, around
        if isinstance(child, keras.layers.RNN):
            seen.update(id(cell) for cell in child._flatten_layers())
        yield from _walk(child, path, around, seen)


def _sites_of(
    path: str, layer: keras.layers.RNN, around: tuple[Any, ...]
) -> list[Site] | Untraceable:
    if not _has_known_loop(layer):
        return Untraceable(
            path,
            f"{type(layer).__qualname__} overrides `inner_loop`, so its equations are not known; "
            "let the layer inherit it, or give its cell to keras.layers.RNN",
        )
    stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
    cells = list(layer.cell.cells) if stacked else [layer.cell]
    sites = []
    for position, cell in enumerate(cells):
        try:
            spec = spec_of(cell)
        except ValueError:
            return Untraceable(
                path,
                f"the equations of its cell {type(cell).__qualname__} are not known; use "
                "keras.layers.LSTMCell, GRUCell or SimpleRNNCell, or a subclass that doesn't "
                f"override `call`, or register them: textgate.register_cell({type(cell).__name__}, "
                "textgate.recurrence.Cell(…))",
            )
        inner = f"/{layer.cell.name}/{_unique_name(cells, position)}" if stacked else ""
        sites.append(Site(path + inner, layer, cell, spec, position, around))
    return sites


def _has_known_loop(layer: keras.layers.RNN) -> bool:
    """Whether the loop is Keras's or ours: whoever overrides it may compute anything."""
    for owner in type(layer).__mro__:
        if "inner_loop" in vars(owner):
            return owner.__module__.partition(".")[0] in ("keras", "textgate")
    return False


def _unique_name(cells: Sequence[Any], position: int) -> str:
    name = cells[position].name
    before = sum(cell.name == name for cell in cells[:position])
    return name if not before else f"{name}-{before + 1}"


def resolve(name: str, sites: Sequence[Site]) -> list[tuple[Site, int | None]]:
    """Find the sites that a name stands for.

    Args:
        name: A node's name (`encoder/lstm`, `lstm/call_1`), the end of one where that is unique
            (`lstm`), or a container of recurrent layers (`bidirectional`), which stands for all
            in it.
        sites: The model's sites.

    Returns:
        Pairs of a site and the number of the call that is meant, or `None` for all its calls.

    Raises:
        ValueError: If the name is unknown or stands for several layers, listing the known ones.
    """
    known = f"its recurrent layers are {[site.path for site in sites]}"
    if not isinstance(name, str):
        raise TypeError(f"A layer is given by its name; {known}. Received: {name!r}")
    base, _, last = name.rpartition("/")
    if base and last.startswith("call_") and last[5:].isdigit():
        return [(site, int(last[5:])) for site, _ in resolve(base, sites)]
    exact = [site for site in sites if site.path == name]
    if exact:
        return [(exact[0], None)]
    ends = [site for site in sites if site.path.endswith(f"/{name}")]
    if len(ends) == 1:
        return [(ends[0], None)]
    if len(ends) > 1:
        raise ValueError(
            f"More than one layer is called so, {[site.path for site in ends]}; give the path. "
            f"Received: {name!r}"
        )
    inside = {
        "/".join(site.path.split("/")[: at + 1])
        for site in sites
        for at, part in enumerate(site.path.split("/"))
        if part == name or "/".join(site.path.split("/")[: at + 1]) == name
    }
    if len(inside) > 1:
        raise ValueError(
            f"More than one container is called so, {sorted(inside)}; give the path. "
            f"Received: {name!r}"
        )
    below = [site for site in sites if inside and site.path.startswith(f"{min(inside)}/")]
    if below:
        return [(site, None) for site in below]
    raise ValueError(f"The model has no such recurrent layer; {known}. Received: {name!r}")


class SiteCall(NamedTuple):
    """One of a site's calls: the site, and the number of the call."""

    site: Site
    call: int


def one_site(model: keras.Model, layer: str | None = None) -> SiteCall:
    """Return the one recurrent layer that a name stands for, and which call of it.

    Args:
        model: A built Keras model.
        layer: The layer's name, as `resolve` takes it; it may be left out where the model has only
            one recurrent layer.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the name is unknown, stands for several layers, or has to be given.
    """
    check_model(model)
    sites, _ = find_sites(model)
    matches = [(site, None) for site in sites] if layer is None else resolve(layer, sites)
    if len(matches) != 1:
        raise ValueError(
            "Choose one recurrent layer of the model by `layer`; it has "
            f"{[site.path for site in sites]}. Received: layer={layer!r}"
        )
    site, call = matches[0]
    return SiteCall(site, call or 0)
