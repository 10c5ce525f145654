"""Pickles read as data: only containers, numbers, strings and tensors come out of them.

A pickle is a program that may call anything. This reader lets it call nothing of its own choice:
every name that it looks up becomes one of a few functions below, which build tensors and
containers, or else a class made for the occasion, whose instances only remember what they were
given. So a whole pickled module can be read without its class, and without PyTorch.
"""

import collections
import dataclasses
import mmap
import pickle
import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import numpy as np

# The names of PyTorch's storages, and their numbers. There is no bfloat16 in NumPy: its two bytes
# are the upper ones of a float32.
STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<?",
}
_DTYPES = {
    "float64": "<f8",
    "double": "<f8",
    "float32": "<f4",
    "float": "<f4",
    "float16": "<f2",
    "half": "<f2",
    "bfloat16": "bfloat16",
    "int64": "<i8",
    "long": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "<i1",
    "uint8": "<u1",
    "bool": "<?",
}


class Record:
    """What stands for an object whose class isn't known here: what it was made of, and no code.

    Attributes:
        module: The module of its class.
        name: The name of its class.
        args: What it was made with.
        state: What was set on it: for most objects, its attributes.
        items: What it was given as a container: pairs of a dictionary.
        elements: What it was given as a container: elements of a list.
    """

    module = name = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.state: Any = kwargs
        self.items: dict[Any, Any] = {}
        self.elements: list[Any] = []

    def __setstate__(self, state: Any) -> None:
        vars(self).setdefault("args", ())
        vars(self).setdefault("items", {})
        vars(self).setdefault("elements", [])
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def append(self, element: Any) -> None:
        """Keep an element."""
        self.elements.append(element)

    def add(self, element: Any) -> None:
        """Keep an element."""
        self.elements.append(element)


@dataclasses.dataclass(eq=False)
class Storage:
    """A row of numbers that tensors are views of.

    Attributes:
        dtype: A NumPy dtype, or `"bfloat16"`.
        numel: How many numbers there are.
        read: Returns its bytes.
        start: The first number, if it is a part of what `read` returns.
    """

    dtype: str
    numel: int
    read: Callable[[], bytes]
    start: int = 0

    def array(self, dtype: str | None = None) -> np.ndarray:
        """Return the numbers.

        Raises:
            ValueError: If the file holds fewer than it says.
        """
        dtype = dtype or self.dtype
        data = self.read()
        plain = np.dtype("<u2" if dtype == "bfloat16" else dtype)
        size = plain.itemsize
        if len(data) < (self.start + self.numel) * size or self.numel < 0:
            raise ValueError(
                f"the file is truncated or damaged: it holds fewer numbers than it says. "
                f"Received: {len(data) // size} of {self.numel}"
            )
        numbers = np.frombuffer(data, plain, self.numel, self.start * size)
        if dtype == "bfloat16":
            return (numbers.astype("<u4") << 16).view("<f4")
        return numbers


class Tensor:
    """A tensor that isn't read yet: which numbers of which storage, in which shape.

    Args:
        storage: The storage, or another tensor that this one is a copy of.
        offset: The first number.
        size: The shape.
        stride: How many numbers lie between neighbours, for each axis.
        dtype: The dtype, if the storage doesn't tell.
    """

    def __init__(
        self,
        storage: Any = None,
        offset: int = 0,
        size: Any = (),
        stride: Any = (),
        dtype: str | None = None,
    ) -> None:
        self._set(storage, offset, size, stride)
        self._dtype = dtype

    def _set(self, storage: Any, offset: Any, size: Any, stride: Any) -> None:
        self._storage, self._offset = storage, offset
        self.shape = tuple(size)
        self._stride = tuple(stride)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 4:  # as the first versions had it
            self._set(*state)

    def array(self) -> np.ndarray:
        """Return the tensor's values.

        Raises:
            ValueError: If it is larger than its storage.
        """
        storage, numbers = self._storage, (self._offset, *self.shape, *self._stride)
        if (
            not isinstance(storage, Storage)
            or len(self.shape) != len(self._stride)
            or any(not isinstance(n, int) or n < 0 for n in numbers)
        ):
            raise ValueError(f"a tensor of the file is damaged. Received: {self!r}")
        count = 1
        for length in self.shape:
            count *= length
        steps = zip(self.shape, self._stride, strict=True)
        last = self._offset + sum((length - 1) * stride for length, stride in steps)
        if count and (count > storage.numel or last >= storage.numel):
            raise ValueError(
                f"a tensor of the file is larger than what the file holds of it. Received: shape "
                f"{self.shape} in a storage of {storage.numel} numbers"
            )
        values = storage.array(self._dtype)[self._offset :]
        strides = [stride * values.itemsize for stride in self._stride]
        return np.array(np.lib.stride_tricks.as_strided(values, self.shape, strides))

    def __repr__(self) -> str:
        return f"Tensor(shape={self.shape})"


def load(
    file: BinaryIO | mmap.mmap,
    storage_of: Callable[[Any], Any] | None = None,
    encoding: str = "utf-8",
) -> Any:
    """Read one pickle from where a file stands.

    Args:
        file: The file, open for reading bytes.
        storage_of: Returns the object for a persistent id, for a file of PyTorch a storage.
        encoding: Of the strings of Python 2.

    Returns:
        Numbers, strings, containers, `Tensor`, and a `Record` for anything else.

    Raises:
        ValueError: If it is no pickle, or damaged.
    """
    reader = _Reader(file, encoding=encoding, errors="surrogateescape")
    reader.storage_of = storage_of
    try:
        _check_sizes(file)
        return reader.load()
    except ValueError as error:
        if "Received: " in str(error):
            raise
        raise ValueError(_damaged(error)) from error
    except Exception as error:  # whatever a damaged or hostile pickle comes to
        raise ValueError(_damaged(error)) from error


def _check_sizes(file: BinaryIO | mmap.mmap) -> None:
    """Go through a pickle's operations before any is carried out, and back to where it begins.

    So lengths that it only claims, and places in memory far away, take no memory.
    """
    start = file.tell()
    for count, (operation, argument, _) in enumerate(pickletools.genops(cast(BinaryIO, file))):
        if "PUT" in operation.name and isinstance(argument, int) and argument > count + 1:
            raise ValueError(f"a place in memory that is too far away: {argument}")
    file.seek(start)


def _damaged(error: Exception) -> str:
    reason = " ".join(str(error).split())[:100]
    return (
        "the pickle is truncated or damaged, or does what isn't allowed. "
        f"Received: {type(error).__name__}: {reason}"
    )


class _Reader(pickle.Unpickler):
    storage_of: Callable[[Any], Any] | None = None

    def find_class(self, module: str, name: str) -> Any:
        classes = vars(self).setdefault("classes", {})
        if (module, name) not in classes:
            classes[module, name] = _stand_in(module, name)
        return classes[module, name]

    def persistent_load(self, pid: Any) -> Any:
        if self.storage_of is None:
            raise ValueError(f"the pickle refers to what isn't in it. Received: {pid!r:.80}")
        return self.storage_of(pid)


def _stand_in(module: str, name: str) -> Any:
    """Return what a name in a pickle stands for here."""
    if (module, name) in _FUNCTIONS:
        return _Function(_FUNCTIONS[module, name])
    if module.partition(".")[0] == "torch":
        if name in STORAGES or name in _DTYPES:
            return _Name(name)
        if name in ("Parameter", "Variable", "Buffer"):
            return _Function(_parameter)
        if name == "Tensor" or name.endswith("Tensor"):
            return type(name, (Tensor,), {})
    return type(name.rpartition(".")[2] or "Record", (Record,), {"module": module, "name": name})


class _Name(str):
    """The name of a storage's class, or of a dtype."""

    __slots__ = ()


class _Function:
    """A function that a pickle can call and not change."""

    __slots__ = ("_run",)

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def __call__(self, *args: Any) -> Any:
        return self._run(*args)

    def __setstate__(self, state: Any) -> None:
        raise ValueError(f"the pickle would change a function. Received: {state!r:.80}")


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    return Tensor(storage, offset, size, stride)


def _rebuild_tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    return Tensor(storage, offset, size, stride, _DTYPES.get(str(dtype)))


def _parameter(data: Any = None, *_: Any) -> Any:
    return Tensor() if data is None else data


def _new(cls: Any, *args: Any) -> Any:
    return cls(*args)


def _reconstructed(cls: Any, *_: Any) -> Any:
    return cls()


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


def _ordered(*args: Any) -> dict[Any, Any]:
    return collections.OrderedDict(*args)


def _size(lengths: Any = ()) -> tuple[Any, ...]:
    return tuple(lengths)


def _set(elements: Any = ()) -> set[Any]:
    return set(elements)


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _ordered,
    ("builtins", "set"): _set,
    ("__builtin__", "set"): _set,
    ("_codecs", "encode"): _encoded,
    ("copyreg", "__newobj__"): _new,
    ("copy_reg", "__newobj__"): _new,
    ("copyreg", "_reconstructor"): _reconstructed,
    ("copy_reg", "_reconstructor"): _reconstructed,
    ("torch", "Size"): _size,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
}
