"""The clamp of the endpoint `edit`, chosen when it is called: one graph for every intervention.

Which layer, which signal and which units are held at a value is only known to the caller, so every
signal of every layer gets an edit, where(mask, value, signal), inside its step, and the masks of
all but the chosen one are false everywhere. At the chosen one the value takes part in the rest of
the step and, through the states, in all later ones, as with `textgate.intervene`.
"""

from collections.abc import Sequence

import tensorflow as tf

from textgate import recurrence
from textgate.export._demands import demand
from textgate.recurrence import Edit
from textgate.tracing import Call, Site


def editable(site: Site) -> tuple[str, ...]:
    """Return the names of the signals of a site that can be held at a value."""
    cell = site.spec.cell
    derived = (name for name in recurrence.DERIVED if cell.derived(name)[1] != 0.0)
    return (*cell.signals, *derived)


class Clamp:
    """One intervention, given by tensors.

    Args:
        sites: The model's sites, of one kind of cell.
        layer: Which of them: a scalar string.
        signal: Which signal: a scalar string.
        units: Numbers of the units, `int32` of shape `(number,)`.
        value: What they are held at: a scalar.
        steps: The steps [begin, end) at which they are, `int32` of shape `(2,)`, counted as in
            `gates`, where `<bos>` is step 0; or of shape `(0,)` for all steps.
        lengths: The texts' lengths, `int32` of shape `(batch,)`.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        layer: tf.Tensor,
        signal: tf.Tensor,
        units: tf.Tensor,
        value: tf.Tensor,
        steps: tf.Tensor,
        lengths: tf.Tensor,
    ) -> None:
        self.paths = [site.path for site in sites]
        layer = self._checked_layer(layer)
        self.is_layer = layer == tf.constant(self.paths)
        with tf.control_dependencies([layer]):
            self.signal = _checked_signal(signal, editable(sites[0]))
        with tf.control_dependencies([self.signal]):
            self.units = self._checked_units(units, sites)
        with tf.control_dependencies([self.units]):
            message = "`value` must be a finite number."
            value = demand(value, tf.math.is_finite(value), message, value)
            is_pair = tf.logical_or(tf.size(steps) == 0, tf.size(steps) == 2)
            message = "`steps` must be [begin, end], or empty for all steps."
            steps = demand(steps, is_pair, message, steps)
        bounds = tf.concat([steps, [0, tf.int32.max]], axis=0)
        self.begin, self.end = bounds[0], bounds[1]
        self.value = self._checked_steps(value, steps, lengths)

    def _checked_layer(self, layer: tf.Tensor) -> tf.Tensor:
        return demand(
            layer,
            tf.reduce_any(layer == tf.constant(self.paths)),
            f"The model has no such recurrent layer; it has {', '.join(self.paths)}.",
            layer,
        )

    def _checked_units(self, units: tf.Tensor, sites: Sequence[Site]) -> tf.Tensor:
        sizes = tf.constant([site.spec.units for site in sites])
        last = tf.reduce_sum(tf.where(self.is_layer, sizes, 0)) - 1
        are_there = tf.reduce_all(tf.logical_and(units >= 0, units <= last))
        return demand(
            units,
            tf.logical_and(are_there, tf.size(units) > 0),
            "`units` must be at least one number of a unit of the layer, from 0 to its last.",
            units,
            "where the last is:",
            last,
        )

    def _checked_steps(self, value: tf.Tensor, steps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Return the value, once the steps are steps of the texts."""
        longest = tf.reduce_max(lengths)
        is_inside = tf.logical_or(self.begin < longest, tf.size(lengths) == 0)
        return demand(
            value,
            (self.begin >= 0) & (self.begin < self.end) & is_inside,
            "`steps` must be [begin, end] with 0 <= begin < end, and begin within the longest "
            "text, whose first step is <bos>; or empty for all steps.",
            steps,
            "and a longest text of this many steps:",
            longest,
        )

    def __call__(self, call: Call) -> list[Edit]:
        """Return the edits of one call of a site, for `tracing.intercept`."""
        cell, size = call.site.spec.cell, call.site.spec.units
        time = tf.range(tf.shape(call.inputs)[1])
        steps = (time >= self.begin) & (time < self.end)
        units = tf.reduce_any(tf.range(size)[:, None] == self.units[None, :], axis=1)
        chosen = self.is_layer[self.paths.index(call.site.path)]
        where = (steps[:, None] & units[None, :] & chosen)[None]  # (1, time, units)
        edits = []
        for name in editable(call.site):
            source, value = name, tf.cast(self.value, call.inputs.dtype)
            if name not in cell.signals:
                source, scale, offset = cell.derived(name)
                value = (value - offset) / scale
            edits.append(Edit(source, mask=where & (self.signal == name), value=value))
        return edits

    @staticmethod
    def signature() -> list[tf.TensorSpec]:
        """Return the names and types of the tensors, in the order of `edit`."""
        return [
            tf.TensorSpec((), tf.string, "layer"),
            tf.TensorSpec((), tf.string, "signal"),
            tf.TensorSpec((None,), tf.int32, "units"),
            tf.TensorSpec((), tf.float32, "value"),
            tf.TensorSpec((None,), tf.int32, "steps"),
        ]


def _checked_signal(signal: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    return demand(
        signal,
        tf.reduce_any(signal == tf.constant(names)),
        f"The layer has no such signal; it has {', '.join(names)}.",
        signal,
    )
