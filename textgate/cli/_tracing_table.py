"""The table of `textgate trace`: a line a word, with the units that tell most about the text.

Which units these are: those that were asked for; else those that were found to hold a feature, if
the run has a finding; else those that tell the text from its twin at every word; else those that
vary most.
"""

from pathlib import Path
from typing import Any

from textgate.cli._twins import found_units, twin_of, units_apart, units_varying

_COLUMNS = 8  # side by side
_WORD, _NUMBER = 16, 9  # characters of a word and of a number


def print_layers(
    model: Any, traced: Any, sentences: list[str], example: int, choice: dict[str, Any], run: Path
) -> None:
    """Print each layer's units on one example, beside those on its twin where there is one.

    Args:
        model: The model.
        traced: Its trace.
        sentences: What was traced, if it was text.
        example: The number of the example.
        choice: The layers, signals and units that were asked for, as `textgate.trace` takes them.
        run: The model's place.
    """
    from textgate.tracing import nodes_of

    nodes = nodes_of(traced)
    count = next(iter(nodes.values())).sizes["example"]
    if not 0 <= example < count:
        raise ValueError(
            f"--example must be a number from 0 to {count - 1}. Received: --example {example}"
        )
    twin, of_twin = _twin(model, sentences, example, choice)
    is_open = choice["signals"] is None and choice["units"] is None
    found = found_units(run) if is_open else None
    for name, node in nodes.items():
        one = _unmasked(node, example)
        other = _unmasked(of_twin[name], 0) if name in of_twin else None
        if one.sizes["time"]:
            _print_layer(name, one, other, found, is_open)
    if twin is not None:
        print(f"twin: {twin}")
    if is_open and found is None and sentences:
        print("`textgate units` says which units hold a feature, and how that is known.")


def layer_to_draw(
    model: Any, traced: Any, sentences: list[str], example: int, choice: dict[str, Any], run: Path
) -> tuple[str | None, list[int]]:
    """Return which layer to draw, and its units that are drawn in any case.

    The arguments are those of `print_layers`. The layer is that in which units were found, if the
    run has a finding, else the first one.
    """
    from textgate.recurrence import cell_of
    from textgate.tracing import nodes_of

    nodes = nodes_of(traced)
    found = found_units(run)
    if found is not None and found[1] in nodes:
        there = nodes[found[1]]["unit"].values
        return found[1], [unit for unit in found[2] if unit in there]
    name, node = next(iter(nodes.items()))
    _, of_twin = _twin(model, sentences, example, choice)
    if name not in of_twin:
        return None, []
    one, other = _unmasked(node, example), _unmasked(of_twin[name], 0)
    return None, units_apart(one, other, cell_of(node.attrs["cell"]).memory)


def _twin(
    model: Any, sentences: list[str], example: int, choice: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """Return a sentence's twin and the nodes of its trace, unless signals or units were chosen."""
    import textgate
    from textgate.tracing import nodes_of

    is_open = choice["signals"] is None and choice["units"] is None
    if not (sentences and is_open and 0 <= example < len(sentences)):
        return None, {}
    twin = twin_of(model, sentences[example])
    return twin, {} if twin is None else nodes_of(textgate.trace(model, [twin], **choice))


def _unmasked(node: Any, example: int) -> Any:
    import numpy as np

    one = node.isel(example=example)
    return one.isel(time=np.flatnonzero(one["mask"].values)).load()


def _print_layer(name: str, node: Any, twin: Any, found: Any, is_open: bool) -> None:
    """Print one layer: why these units, and their signals word by word."""
    from textgate.recurrence import cell_of

    cell, every = cell_of(node.attrs["cell"]), node.attrs["layer_units"]
    signals = [str(signal) for signal in node.data_vars]
    units, why = [int(unit) for unit in node["unit"].values], "as asked for"
    if is_open:
        signals = [cell.memory, *(["retention"] if cell.keeping else [])]
        if found is not None and found[1] == name:
            units, why = list(found[2]), f"found to hold {found[0]}"
        elif twin is not None:
            units = units_apart(node, twin, cell.memory)
            why = "which tell the text from its twin most at every word"
        else:
            units, why = units_varying(node, cell.memory), "which vary most"
    numbered = ("unit " if len(units) == 1 else "units ") + ", ".join(map(str, units[:20]))
    more = f" and {len(units) - 20} more" if len(units) > 20 else ""
    columns = _columns(node, twin, units, signals)
    meanings = "; ".join(_meaning(node, cell, signal) for signal in signals) if is_open else ""
    print(f"{name}: {numbered}{more} of {every}, {why}{meanings and f' ({meanings})'}")
    words = node["token"].values if "token" in node.coords else node["time"].values
    for start in range(0, len(columns), _COLUMNS):
        part = columns[start : start + _COLUMNS]
        print(" " * _WORD + "".join(f"{title:>{_NUMBER}}" for title, _ in part))
        for step, word in enumerate(words):
            numbers = "".join(f"{values[step]:>{_NUMBER}.3f}" for _, values in part)
            print(f"{str(word)[: _WORD - 1]:<{_WORD}}{numbers}")


def _columns(node: Any, twin: Any, units: list[int], signals: list[str]) -> list[tuple[str, Any]]:
    """Return the title and the values of each column."""
    columns = []
    for unit in units:
        for signal in signals:
            title = f"{_letter(node, signal)} {unit}"
            columns.append((title, node[signal].sel(unit=unit).values))
            if twin is not None and twin.sizes["time"] == node.sizes["time"]:
                columns.append(("twin", twin[signal].sel(unit=unit).values))
    return columns


def _letter(node: Any, signal: str) -> str:
    return node[signal].attrs.get("symbol") or signal


def _meaning(node: Any, cell: Any, signal: str) -> str:
    return f"{_letter(node, signal)}: {cell.meanings[signal]}"
