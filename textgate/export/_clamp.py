"""The clamps of the endpoint `edit`, chosen when it is called: one graph for every intervention.

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

MOST = 64  # interventions of one call


def editable(site: Site) -> tuple[str, ...]:
    """Return the names of the signals of a site that can be held at a value."""
    cell = site.spec.cell
    derived = (name for name in recurrence.DERIVED if cell.derived(name)[1] != 0.0)
    return (*cell.signals, *derived)


class Clamp:
    """One intervention or several, given by tensors. Of several at one place the last counts.

    Args:
        sites: The model's sites, of one kind of cell.
        layer: Which of them: a string, or one for each intervention.
        signal: Which signal: likewise.
        units: Numbers of the units, `int32` of shape `(number,)`; of several interventions
            `(interventions, number)`, filled up with -1 where one has fewer.
        value: What they are held at: a number, or one for each intervention.
        steps: The steps [begin, end) at which they are, `int32` of shape `(2,)`, counted as in
            `gates`, where `<bos>` is step 0; or one such pair for each intervention; or empty for
            all steps.
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
        layer = self._checked_layer(_counted(layer, signal, value))
        self.number = tf.size(layer)
        self.is_layer = layer[:, None] == tf.constant(self.paths)  # (interventions, layers)
        with tf.control_dependencies([layer]):
            self.signal = _checked_signal(tf.reshape(signal, [-1]), editable(sites[0]))
        with tf.control_dependencies([self.signal]):
            self.units = self._checked_units(units, sites)
        with tf.control_dependencies([self.units]):
            message = "`value` must be a finite number."
            value = tf.reshape(value, [-1])
            value = demand(value, tf.reduce_all(tf.math.is_finite(value)), message, value)
            pairs = self._pairs(steps)
        self.begin, self.end = pairs[:, 0], pairs[:, 1]
        self.value = self._checked_steps(value, steps, lengths)

    def _checked_layer(self, layer: tf.Tensor) -> tf.Tensor:
        return demand(
            layer,
            tf.reduce_all(tf.reduce_any(layer[:, None] == tf.constant(self.paths), axis=1)),
            f"The model has no such recurrent layer; it has {', '.join(self.paths)}.",
            layer,
        )

    def _checked_units(self, units: tf.Tensor, sites: Sequence[Site]) -> tf.Tensor:
        """Return the units, `(interventions, number)`, -1 where there are fewer."""
        several = self.number > 1
        is_even = tf.logical_or(
            tf.logical_not(several),
            tf.logical_and(tf.rank(units) == 2, tf.shape(units)[:1] == [self.number])[0],
        )
        units = demand(
            units,
            is_even,
            "`units` of several interventions must have a row for each, filled up with -1.",
            units,
        )
        sizes = tf.constant([site.spec.units for site in sites])
        last = tf.reduce_sum(tf.where(self.is_layer, sizes, 0), axis=1) - 1
        units = tf.reshape(units, tf.stack([self.number, tf.size(units) // self.number]))
        least = tf.where(several, -1, 0)
        are_there = tf.reduce_all(tf.logical_and(units >= least, units <= last[:, None]))
        has_one = tf.reduce_all(tf.reduce_any(units >= 0, axis=1))
        return demand(
            units,
            tf.logical_and(are_there, tf.logical_or(has_one, tf.reduce_any(units < least))),
            "`units` must be at least one number of a unit of the layer, from 0 to its last.",
            units,
            "where the last is:",
            last,
        )

    def _pairs(self, steps: tf.Tensor) -> tf.Tensor:
        """Return the steps of each intervention, `(interventions, 2)`."""
        size = tf.size(steps)
        is_pair = (size == 0) | (size == 2) | (size == 2 * self.number)
        message = "`steps` must be [begin, end], or one such pair for each intervention, or empty."
        flat = demand(tf.reshape(steps, [-1]), is_pair, message, steps)
        flat = tf.concat([flat, [0, tf.int32.max]], axis=0)[: tf.maximum(size, 2)]
        return tf.broadcast_to(tf.reshape(flat, (-1, 2)), tf.stack([self.number, 2]))

    def _checked_steps(self, value: tf.Tensor, steps: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Return the value, once the steps are steps of the texts."""
        longest = tf.reduce_max(lengths)
        is_inside = tf.logical_or(self.begin < longest, tf.size(lengths) == 0)
        return demand(
            value,
            tf.reduce_all((self.begin >= 0) & (self.begin < self.end) & is_inside),
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
        steps = (time >= self.begin[:, None]) & (time < self.end[:, None])
        units = tf.reduce_any(tf.range(size)[:, None] == self.units[:, None, :], axis=2)
        chosen = self.is_layer[:, self.paths.index(call.site.path)]
        # (interventions, time, units)
        where = steps[:, :, None] & units[:, None, :] & chosen[:, None, None]
        order = tf.range(self.number)[:, None, None]
        edits = []
        for name in editable(call.site):
            source, value = name, tf.cast(self.value, call.inputs.dtype)
            if name not in cell.signals:
                source, scale, offset = cell.derived(name)
                value = (value - offset) / scale
            here = where & (self.signal == name)[:, None, None]
            last = tf.reduce_max(tf.where(here, order, 0), axis=0)
            edits.append(
                Edit(
                    source,
                    mask=tf.reduce_any(here, axis=0)[None],
                    value=tf.gather(value, last)[None],
                )
            )
        return edits

    @staticmethod
    def signature() -> list[tf.TensorSpec]:
        """Return the names and types of the tensors, in the order of `edit`."""
        types = {
            "layer": tf.string,
            "signal": tf.string,
            "units": tf.int32,
            "value": tf.float32,
            "steps": tf.int32,
        }
        return [tf.TensorSpec(None, dtype, name) for name, dtype in types.items()]


def _counted(layer: tf.Tensor, signal: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return the layers as a vector, once there are as many signals and values."""
    number = tf.size(layer)
    are_as_many = (tf.size(signal) == number) & (tf.size(value) == number)
    return demand(
        tf.reshape(layer, [-1]),
        (number >= 1) & (number <= MOST) & are_as_many,
        f"`layer`, `signal` and `value` must be one of each, or as many, up to {MOST}.",
        tf.stack([number, tf.size(signal), tf.size(value)]),
    )


def _checked_signal(signal: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    return demand(
        signal,
        tf.reduce_all(tf.reduce_any(signal[:, None] == tf.constant(names), axis=1)),
        f"The layer has no such signal; it has {', '.join(names)}.",
        signal,
    )
