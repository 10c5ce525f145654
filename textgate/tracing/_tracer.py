"""`textgate.trace`: from a model and its inputs to a labelled trace.

The model is called once for each batch, by a compiled function that returns the signals of its
recurrent layers as well (`program`), while a second thread puts the batch before in its place, in
memory or on disk.
"""

import os
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import xarray as xr
from keras import tree

from textgate._progress import BAR, COUNT, LEFT, Progress
from textgate._received import check_plain
from textgate.tracing import _labelled as labelled
from textgate.tracing._edited import Editing, parts_of
from textgate.tracing._memory import Memory
from textgate.tracing._opening import open_store
from textgate.tracing._selection import Kept, select
from textgate.tracing._sites import checked_sites
from textgate.tracing._step_labels import step_labels_of
from textgate.tracing._store import Store, check_free, place_for
from textgate.tracing.inputs import Source, source_of, words_of
from textgate.tracing.program import NOTES, Program, program_for

_BATCH = 256
_BATCH_BYTES = 2**28  # of signals, in long sequences


def trace(
    model: keras.Model,
    inputs: Any,
    *,
    layers: str | Iterable[str] | None = None,
    signals: str | Iterable[str] | None = None,
    units: Any = None,
    steps: Any = None,
    batch_size: int | None = None,
    to: str | os.PathLike | None = None,
    labels: Any = None,
    step_labels: Mapping[str, Any] | None = None,
    tokens: Any = None,
    progress: bool | None = None,
) -> xr.DataTree:
    """Record what the gates and states of a model's recurrent layers do on inputs.

    The model is used as it is and left as it was: no rebuilding, no retraining, and weights,
    states of stateful layers and random generators are untouched.

    Args:
        model: Any built Keras model with `LSTM`, `GRU` or `SimpleRNN` layers, or `RNN` layers over
            their cells, at any depth and in any wrapper; or such a model with interventions, as
            `textgate.intervene` returns it.
        inputs: Whatever `model.predict` takes, or texts for a textgate language model.
        layers: Names of the layers to keep: a node's name (`encoder/lstm`), its end where unique
            (`lstm`), or a container's, which stands for all layers in it. All by default.
        signals: Names of the signals to keep. By default all of each cell; `retention` and
            `writing`, which follow from them, are then offered without being stored.
        units: Numbers of the units to keep, or a slice; a mapping from layers' names to those
            where layers differ. All by default.
        steps: The steps to keep: a slice or rising numbers, counted from the first. All by
            default.
        batch_size: Number of examples that are computed at a time; by default 256, fewer for long
            sequences. Data sets and generators keep their own batches.
        to: Path of a Zarr store to write to, batch by batch; memory then doesn't grow with the
            number of examples. Read it again with `textgate.tracing.open`.
        labels: Per-example labels to keep beside the signals: a mapping from names to values, or
            a DataFrame.
        step_labels: Labels of steps to keep beside the signals: a mapping from names to arrays of
            shape `(example, time)`, in the time order of the input. Bools, whole numbers and
            strings are classes, other numbers are numbers; a step without a label has `None`,
            `""` or NaN. For texts a list with a value for each word, a row a text, does as well:
            `<bos>` then has none. A label goes to each layer whose time axis is as long as it is;
            `{"tag": {"decoder": …}}` gives it to one layer only.
        tokens: The word at each step, of shape `(example, time)`, to keep beside the signals; a
            language model's are known.
        progress: Whether to show progress on stderr; by default where it takes long and stderr is
            a terminal.

    Returns:
        A `DataTree` with a node for each recurrent layer, named by its containment path
        (`encoder/bidirectional/forward_lstm`); for a layer that the model calls several times, a
        node for each call (`lstm/call_0`). A node has a variable for each signal, with dims
        `(example, time, unit)`, in the time order of the input (also where the layer goes
        backwards) and NaN at masked steps; and the coordinates `mask`, `token` and
        the labels of steps `(example, time)`, the labels `(example)`, and the states before the
        first step (`initial_hidden_state`, `initial_cell_state`, `(example, unit)`).

    Raises:
        ValueError: If the model isn't built or has no recurrent layer that can be traced; if a
            layer, signal, unit or step is unknown; if the inputs don't fit the model; if a label
            is of another shape, or fits the steps of several inputs.
        TypeError: If `model` is not a Keras model or another argument is of the wrong kind.
        FileExistsError: If something is at `to` already.
        CannotWriteError: If the disk is full.

    Example:

    >>> import keras, numpy as np
    >>> inputs = keras.Input((None,), dtype="int32")
    >>> x = keras.layers.Embedding(100, 8, mask_zero=True)(inputs)
    >>> model = keras.Model(inputs, keras.layers.LSTM(4, name="memory")(x))
    >>> found = trace(model, np.array([[5, 7, 2], [9, 1, 0]]))
    >>> found["memory"]["forget_gate"].sizes
    Frozen({'example': 2, 'time': 3, 'unit': 4})

    Labels of steps, such as those of a tagger:

    >>> tags = [["D", "N", "V"], ["N", "V", ""]]
    >>> found = trace(model, np.array([[5, 7, 2], [9, 1, 0]]), step_labels={"tag": tags})
    >>> found["memory"]["tag"].values[0].tolist()
    ['D', 'N', 'V']
    """
    model, editing = parts_of(model)
    sites = checked_sites(model, warn=layers is None)
    kept = select(sites, layers, signals, units, steps)
    path = None if to is None else check_free(to)
    check_plain(inputs)
    given_labels = labelled.labels_of(labels)
    given_step_labels = step_labels_of(step_labels, kept, words_of(model, inputs), given_labels)
    batch_size = _batch_size(batch_size, model, kept, inputs)
    source = source_of(model, inputs, batch_size, tokens, editing is not None and editing.aligned)
    if source.examples is not None:
        labelled.check_labels(given_labels, source.examples)
        given_step_labels.check_examples(source.examples)
    attributes = labelled.model_attributes(model)
    if editing is not None:
        attributes["interventions"] = editing.description
    plan = None if editing is None else editing.plan
    program = program_for(model, {k.site.path: k.sources for k in kept}, plan)
    sink: Memory | Store
    if path is None:
        sink = Memory(kept, attributes, source.examples, source.steps, given_step_labels)
        examples = _run(program, source, sink, kept, progress, editing)
        labelled.check_labels(given_labels, examples)
        return sink.finish(examples, given_labels)
    with place_for(path) as partial:
        sink = Store(
            partial, kept, attributes, source.examples, source.steps, batch_size, given_step_labels
        )
        examples = _run(program, source, sink, kept, progress, editing)
        labelled.check_labels(given_labels, examples)
        sink.finish(examples, given_labels)
    return open_store(path)


def _batch_size(given: int | None, model: Any, kept: list[Kept], inputs: Any) -> int:
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ValueError(
                f"`batch_size` must be a whole number above 0. Received: batch_size={given!r}"
            )
        return given
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN) and layer.stateful and layer.states:
            return int(tree.flatten(layer.states)[0].shape[0])
    lengths = [x.shape[1] for x in tree.flatten(inputs) if len(getattr(x, "shape", ())) > 1]
    width = sum(k.site.spec.units * len(k.sources) for k in kept)
    fitting = _BATCH_BYTES // (4 * max([1, *lengths]) * max(1, width))
    return max(1, min(_BATCH, fitting))


def _run(
    program: Program,
    source: Source,
    sink: Memory | Store,
    kept: list[Kept],
    progress: bool | None,
    editing: Editing | None,
) -> int:
    """Go through the batches; return the number of examples."""
    if editing is not None:
        editing.begin(source.examples)
    examples = 0
    state = program.state()
    pending: Future | None = None
    longest: list[int] = []  # the lengths of the inputs, in the longest batch
    with _progress(progress, source) as bar, ThreadPoolExecutor(1) as writer:
        for inputs, size, tokens in source.batches():
            given = () if editing is None else editing.arrays(examples, size)
            records, state = program(state, inputs, given)
            if editing is not None:
                editing.check(records.pop(NOTES), examples, size)
            if pending is not None:
                pending.result()
                if source.steps is not None:  # no need to wait for the end
                    sink.step_labels.check_lengths(sink.lengths, longest)
            if examples == 0:
                _check_called(records, kept)
            lengths = _lengths(inputs)
            length = max(lengths, default=None)
            longest = max(longest, lengths, key=lambda found: max(found, default=0))
            pending = writer.submit(sink.write, examples, records, length, tokens)
            del records
            examples += size
            bar.advance(size)
        if pending is not None:
            pending.result()
    if not examples:
        raise ValueError("`inputs` must have at least one example. Received: none")
    if editing is not None:
        editing.begin(examples)
    _check_steps(kept, sink.lengths.values())
    sink.step_labels.check_examples(examples)
    sink.step_labels.check_lengths(sink.lengths, longest)
    return examples


def _progress(shown: bool | None, source: Source) -> Progress:
    columns = ("{task.description}", BAR, COUNT, "examples", LEFT)
    return Progress(shown, "tracing", source.examples, columns)


def _check_called(records: Mapping[str, list], kept: list[Kept]) -> None:
    """Say which of the layers the model didn't call, or not as often as is asked for."""
    calls = {k.site.path: len(records.get(k.site.path, ())) for k in kept}
    for k in kept:
        beyond = [n for n in k.calls or () if n >= calls[k.site.path]]
        if beyond:
            raise ValueError(
                f"Layer {k.site.path!r} is called {calls[k.site.path]} times. "
                f"Received: call_{min(beyond)}"
            )
    if not any(calls.values()):
        raise ValueError(
            "The model doesn't call any of these layers on these inputs. "
            f"Received: layers {sorted(calls)}"
        )
    silent = [path for path, count in calls.items() if not count]
    if silent:
        warnings.warn(
            f"Not traced: layers {silent}, which the model doesn't call on these inputs, or whose "
            "`call` doesn't run Keras's loop over the steps.",
            UserWarning,
            stacklevel=4,
        )


def _check_steps(kept: list[Kept], lengths: Iterable[int]) -> None:
    longest = max(lengths)
    for k in kept:
        if not isinstance(k.steps, slice) and k.steps.max() >= longest:
            raise ValueError(
                f"`steps` must be steps of the sequences, from 0 to {longest - 1}. "
                f"Received: steps={k.steps.tolist()}"
            )


def _lengths(inputs: Any) -> list[int]:
    return [int(x.shape[1]) for x in tree.flatten(inputs) if len(x.shape) > 1]
