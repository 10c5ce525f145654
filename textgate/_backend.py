"""What differs between the backends that Keras runs on; all else is written with `keras.ops`.

A backend is a class here and, if it has loops that are faster than its own, two modules in
`textgate.recurrence.fast`. Others than these run what `Backend` says, which compiles nothing.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

# A tensor of whatever backend Keras runs on, which has no type in common with the others.
Tensor = Any

# A shape, `None` where a size varies, and a type.
Signature = Sequence[tuple[tuple[int | None, ...], str]]

# (states, this step's slices) -> (new states, this step's results)
Body = Callable[[list[Tensor], Any], tuple[list[Tensor], list[Tensor]]]


_by_xla = threading.local()


class Backend:
    """What any backend does with Keras's own functions.

    Attributes:
        name: As Keras calls it.
        reads_variables: Whether a compiled function reads variables anew whenever it is called;
            others are to be given the values.
        compiles_each_length: Whether every length of a batch costs a compilation.
        outputs_begin_with_zeros: Whether Keras's own loops put out zeros, not the initial state,
            at masked steps that none but masked ones come before.
        masks_outputs_in_input_order: Whether unrolled loops of Keras lay the mask over the outputs
            in the order of the inputs, also where outputs run backwards.
    """

    name = "other"
    reads_variables = False
    compiles_each_length = False
    outputs_begin_with_zeros = False
    masks_outputs_in_input_order = False

    def tensor(self, value: Any) -> Tensor:
        """Return anything that is like an array as a tensor."""
        from keras import ops

        return ops.convert_to_tensor(value)

    def compiled(self, function: Callable) -> Callable:
        """Return a function on tensors of fixed shapes, compiled."""
        return function

    def compiled_for_all(self, function: Callable, signature: Signature | None = None) -> Callable:
        """Return a function on tensors, compiled once for all sizes, if the backend can do that.

        Args:
            function: The function.
            signature: The shapes and types of its arguments; `None` for what they turn out to be.
        """
        return function

    def compiled_by_batch(self, function: Callable, fixed: Callable[[], bool]) -> Callable:
        """Return a function `(state, weights, batch)` of structures of tensors, compiled.

        Args:
            function: The function.
            fixed: Whether the number of examples has to be known when it is compiled.
        """
        return function

    def compiled_for_shape(self, function: Callable) -> Callable:
        """Return such a function, compiled for the very shapes it gets, by XLA.

        That takes seconds, and what is compiled can be twice as fast.
        """
        return function

    def is_compiling_for_shape(self) -> bool:
        """Whether a function is being compiled for its shape, by this thread."""
        return False

    def scan(
        self, body: Body, states: list[Tensor], xs: Any, results: int, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Go through `xs` step by step; see `textgate.recurrence._loops.scan`."""
        from keras import ops

        states, stacked = ops.scan(body, states, xs, reverse=reverse)
        return list(states), list(stacked)

    def graph(self) -> Any:
        """Return the graph that is being built, or the loop or branch of it; `None` if none is."""
        return None

    def is_symbolic(self, tensor: Tensor) -> bool:
        """Whether a tensor has no value yet, since a function is being compiled."""
        return False

    def has_gpu(self) -> bool:
        """Whether Keras's loops of cuDNN could run."""
        return False

    def test_step(self, model: Any, data: Any) -> dict[str, Tensor]:
        """Return the metrics of a model after a batch `(x, y, sample_weight)`, as Keras has it."""
        from keras import tree

        # Keras's own has another signature for each backend; this is what it computes.
        x, y, weights = data
        outputs = model(x, training=False) if model._call_has_training_arg else model(x)
        loss = model._compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights, training=False)
        model._loss_tracker.update_state(loss, sample_weight=tree.flatten(x)[0].shape[0])
        return model.compute_metrics(x, y, outputs, sample_weight=weights)


class _Jax(Backend):
    name = "jax"
    compiles_each_length = True

    def compiled(self, function: Callable) -> Callable:
        import jax

        return jax.jit(function)

    def compiled_by_batch(self, function: Callable, fixed: Callable[[], bool]) -> Callable:
        return self.compiled(function)

    def compiled_for_shape(self, function: Callable) -> Callable:
        return self.compiled(function)

    def is_symbolic(self, tensor: Tensor) -> bool:
        import jax

        return isinstance(tensor, jax.core.Tracer)

    def has_gpu(self) -> bool:
        import jax

        return jax.default_backend() == "gpu"


class _TensorFlow(Backend):
    name = "tensorflow"
    reads_variables = True
    outputs_begin_with_zeros = True
    masks_outputs_in_input_order = True

    def tensor(self, value: Any) -> Tensor:
        import tensorflow as tf

        return tf.convert_to_tensor(value)

    def compiled(self, function: Callable) -> Callable:
        import tensorflow as tf

        # Not by XLA: with blocks that fit the cache it is no faster, and it takes seconds to
        # compile where a graph takes a fraction of one.
        return tf.function(function, autograph=False)

    def compiled_for_all(self, function: Callable, signature: Signature | None = None) -> Callable:
        import tensorflow as tf

        if signature is None:
            return tf.function(function, reduce_retracing=True, autograph=False)
        specs = [tf.TensorSpec(shape, dtype) for shape, dtype in signature]
        return tf.function(function, input_signature=specs, autograph=False)

    def compiled_by_batch(self, function: Callable, fixed: Callable[[], bool]) -> Callable:
        return _ByBatch(function, fixed)

    def compiled_for_shape(self, function: Callable) -> Callable:
        import tensorflow as tf

        def once(state: list[Tensor], batch: Any) -> Any:
            outer = self.is_compiling_for_shape()
            _by_xla.active = True
            try:
                return function(state, [], batch)  # weights are read from their variables
            finally:
                _by_xla.active = outer

        compiled = tf.function(once, jit_compile=True, autograph=False)
        return lambda state, weights, batch: compiled(state, batch)

    def is_compiling_for_shape(self) -> bool:
        return getattr(_by_xla, "active", False)

    def scan(
        self, body: Body, states: list[Tensor], xs: Any, results: int, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        import tensorflow as tf
        from keras import tree

        steps = tf.shape(tree.flatten(xs)[0])[0]
        like = states[0]
        arrays = [
            tf.TensorArray(like.dtype, size=steps, element_shape=like.shape) for _ in range(results)
        ]

        def one(t: Tensor, states: list, arrays: list) -> tuple:
            states, written = body(states, tree.map_structure(lambda x: x[t], xs))
            arrays = [a.write(t, w) for a, w in zip(arrays, written, strict=True)]
            return (t - 1 if reverse else t + 1), list(states), arrays

        _, states, arrays = tf.while_loop(
            (lambda t, *_: t >= 0) if reverse else (lambda t, *_: t < steps),
            one,
            (steps - 1 if reverse else tf.constant(0), list(states), arrays),
            parallel_iterations=1,
            maximum_iterations=steps,
        )
        return list(states), [array.stack() for array in arrays]

    def graph(self) -> Any:
        import tensorflow as tf

        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()

    def is_symbolic(self, tensor: Tensor) -> bool:
        return self.graph() is not None

    def has_gpu(self) -> bool:
        import tensorflow as tf

        return bool(tf.config.list_logical_devices("GPU"))

    def test_step(self, model: Any, data: Any) -> dict[str, Tensor]:
        return model.test_step(data)


class _ByBatch:
    """A function `(state, weights, batch)` that TensorFlow compiles for ever more general shapes.

    For the first batch the number of examples is left open, from the second length on the length
    as well. Code that needs to know a size gets to know it.

    Args:
        function: The function. It reads weights from their variables, and is given none.
        fixed: Whether the number of examples has to be known.
    """

    def __init__(self, function: Callable, fixed: Callable[[], bool]) -> None:
        self._function, self._fixed = function, fixed
        # By structure, types and shapes of a batch, as they are or with `None` for an open size.
        self.compiled: dict[tuple, Callable] = {}
        self._lock = threading.RLock()

    def __call__(self, state: list[Tensor], weights: Any, batch: Any) -> Any:
        from keras import tree

        # What stands where comes first: the same arrays may come as a list or by their names.
        structure = str(tree.map_structure(lambda _: 0, batch))
        parts = ((x.dtype.name, tuple(x.shape)) for x in tree.flatten(batch))
        exact = ((structure, ()), *parts)
        with self._lock:
            function = self.compiled.get(exact) or self._for(exact, state, batch)
            self.compiled[exact] = function
        return function(state, batch)

    def _for(self, exact: tuple, state: list[Tensor], batch: Any) -> Callable:
        """Return a function for batches like this, compiled or one that was before."""
        for shapes, function in self.compiled.items():
            if _covers(shapes, exact):
                return function
        attempts = [] if self._fixed() else [_opened(exact)]
        if attempts and any(_is_same_kind(shapes, exact) for shapes in self.compiled):
            attempts.insert(0, _opened(exact, lengths=True))
        for general in [*attempts, exact]:
            try:
                self.compiled[general] = self._traced(general, state, batch)
            except Exception:
                # Whatever is wrong with the very sizes of the batch, is wrong.
                if general is exact:
                    raise
                continue
            return self.compiled[general]
        raise AssertionError("unreachable")

    def _traced(self, shapes: tuple, state: list[Tensor], batch: Any) -> Callable:
        import tensorflow as tf
        from keras import tree

        specs = [tf.TensorSpec(shape, dtype) for dtype, shape in shapes[1:]]
        signature = [
            [tf.TensorSpec(value.shape, value.dtype) for value in state],
            tree.pack_sequence_as(batch, specs),
        ]
        function = tf.function(
            lambda state, batch: self._function(state, [], batch),
            input_signature=signature,
            autograph=False,
        )
        function.get_concrete_function()
        return function


def _opened(exact: tuple, lengths: bool = False) -> tuple:
    """Return types and shapes with the number of examples left open, and the lengths as well."""
    number = 2 if lengths else 1
    return tuple((dtype, (None,) * min(number, len(s)) + s[number:]) for dtype, s in exact)


def _covers(general: tuple, exact: tuple) -> bool:
    return _is_same_kind(general, exact) and all(
        size is None or size == other
        for (_, shape), (_, sizes) in zip(general, exact, strict=True)
        for size, other in zip(shape, sizes, strict=True)
    )


def _is_same_kind(shapes: tuple, exact: tuple) -> bool:
    """Whether types and numbers of axes are the same, which no compiled function can leave open."""
    return len(shapes) == len(exact) and all(
        a[0] == b[0] and len(a[1]) == len(b[1]) for a, b in zip(shapes, exact, strict=True)
    )


@functools.cache
def backend() -> Backend:
    """Return the backend that Keras runs on."""
    import keras

    backends: dict[str, Backend] = {each.name: each() for each in (_TensorFlow, _Jax)}
    return backends.get(keras.backend.backend()) or Backend()


def require_tensorflow(what: str) -> None:
    """Raise unless Keras runs on TensorFlow.

    Args:
        what: The beginning of the message: "A SavedModel needs".

    Raises:
        ValueError: If Keras runs on another backend.
    """
    if backend().name != "tensorflow":
        import keras

        raise ValueError(
            f"{what} Keras's TensorFlow backend (KERAS_BACKEND=tensorflow). "
            f"Received: backend {keras.backend.backend()!r}"
        )
