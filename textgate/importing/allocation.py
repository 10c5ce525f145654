"""No model is made larger than the file it comes from: sizes are checked before they are taken.

A file describes a model first, and Keras makes its weights before it looks for their values. So a
file of a kilobyte could ask for all memory. Within `no_larger_than`, a weight is only made if the
file can hold the values of all that were made so far.
"""

import contextlib
import contextvars
import functools
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from textgate.importing._archives import MOST_COMPRESSION

# How much a file's weights may be compressed, and how much is allowed besides: there are weights
# that no file holds, such as dropout's seeds.
_COMPRESSION, _BESIDES = 8, 1 << 24

_left: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("left", default=None)


@contextlib.contextmanager
def no_larger_than(path: Path) -> Iterator[None]:
    """Within the block, refuse to make more weights of Keras than a file or directory can hold.

    Args:
        path: A file, a ZIP archive, or a directory.

    Raises:
        ValueError: In the block, when a weight is made that exceeds it.
    """
    _watch()
    token = _left.set([_COMPRESSION * _bytes_of(path) + _BESIDES])
    try:
        yield
    except BaseException:
        _forget_unmade()
        raise
    finally:
        _left.reset(token)


def _forget_unmade() -> None:
    """Take back the weights that Keras has noted to make later.

    They are those of the model that wasn't read. Keras would try to make them, and fail, whenever
    a model is built afterwards.
    """
    from keras.src.backend.common import global_state

    global_state.set_global_attribute("uninitialized_variables", [])


def _bytes_of(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(
            min(info.file_size, MOST_COMPRESSION * info.compress_size)
            for info in archive.infolist()
        )


@functools.cache
def _watch() -> None:
    """Ask before Keras makes a weight, once for the process; outside of the blocks all may be."""
    import keras

    initialize: Callable[..., Any] = keras.Variable._initialize_with_initializer

    @functools.wraps(initialize)
    def asked(variable: Any, initializer: Any) -> Any:
        left = _left.get()
        if left is not None:
            left[0] -= math.prod(variable._shape) * _bytes_of_one(variable.dtype)
            if left[0] < 0:
                raise ValueError(
                    "the file describes a model with more weights than it can hold. Received: "
                    f"{variable.path!r} of shape {tuple(variable._shape)}"
                )
        return initialize(variable, initializer)

    keras.Variable._initialize_with_initializer = asked


def _bytes_of_one(dtype: str) -> int:
    bits = re.search(r"\d+", dtype)  # float32, bfloat16, float8_e4m3fn; bool has none
    return max(1, int(bits[0]) // 8) if bits else 1
