"""Files of others, read with distrust: what is wrong with one is said in one line that names it.

A file may be cut short, damaged, somebody else's, or made to do harm. So nothing is allocated that
the file's own size doesn't warrant, text goes by in lines of bounded length, and whatever a parser
raises becomes a `ValueError` that ends in `Received:` and the path.
"""

import contextlib
import gzip
import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from textgate._files import FORMULA

if TYPE_CHECKING:
    import pandas as pd

# Characters of one line. Nothing that was written to be read has more without a line's end.
LONGEST_LINE = 1 << 20


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read or isn't UTF-8.
    """
    with _refusing(path):
        return path.read_text(encoding="utf-8")


def read_json(path: Path, expected: type = dict) -> Any:
    """Return what a JSON file holds.

    Args:
        path: The file.
        expected: What it must hold: an object (`dict`), a list, ….

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, isn't JSON, or holds something else.
    """
    text = read_text(path)
    with _refusing(path):
        value = parse_json(text)
        if not isinstance(value, expected):
            raise ValueError(f"it holds {type(value).__name__}, not {expected.__name__}")
    return value


def parse_json(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: If it is none, nested too deeply, or names half of a surrogate pair, which no
            text can have.
    """
    try:
        value = json.loads(text)
        # Only an escape can name half of a pair; most texts have none.
        if (b"\\ud" if isinstance(text, bytes) else "\\ud") in text.lower():  # type: ignore[operator]
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text in it has half of a surrogate pair") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def read_table(path: Path, columns: Sequence[str] = (), **options: Any) -> "pd.DataFrame":
    """Return a table of a CSV file.

    Args:
        path: The file.
        columns: The columns that it must have.
        options: As for `pandas.read_csv`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, is empty, or lacks a column.
    """
    import pandas as pd

    with _refusing(path):
        table = pd.read_csv(path, **options)
        for number, kind in enumerate(table.dtypes):
            if kind.kind in "OTU":
                table.isetitem(number, table.iloc[:, number].map(_as_it_was))
        table = table.rename(columns=_as_it_was)
        missing = [column for column in columns if column not in table]
        if missing:
            raise ValueError(f"it lacks the column {missing[0]!r}")
        if columns and table.empty:
            raise ValueError("it has no rows")
    return table


def _as_it_was(value: Any) -> Any:
    """Take away the apostrophe that `textgate._files.write_table` put before a formula."""
    is_marked = isinstance(value, str) and value.startswith("'") and FORMULA.match(value)
    return value[1:] if is_marked else value


def read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what `textgate._files.write_arrays` has written: the arrays, and an object of JSON.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, is damaged, or is another file.
    """
    with _refusing(path):
        with zipfile.ZipFile(path) as archive:
            arrays = {
                info.filename.removesuffix(".npy"): _member(archive, info)
                for info in archive.infolist()
            }
        state = parse_json(arrays.pop("__state__").tobytes())
        if not isinstance(state, dict):
            raise ValueError("its state is no object")
    return arrays, state


def read_array(path: Path) -> np.ndarray:
    """Return the array of a `.npy` file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, is damaged, or is another file.
    """
    with _refusing(path), path.open("rb") as file:
        return _array(file, path.stat().st_size)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError("it is compressed")
    with archive.open(info) as file:
        return _array(file, info.file_size)


def _array(file: IO[bytes], size: int) -> np.ndarray:
    """Return an array in NumPy's format, whose bytes are all there."""
    form = np.lib.format
    is_first = form.read_magic(file) == (1, 0)
    read_header = form.read_array_header_1_0 if is_first else form.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    there = size - file.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != there:
        raise ValueError(f"an array of shape {shape} is not what its {there} bytes hold")
    return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if is_fortran else "C")


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, or of one in gzip, with their ends as they are.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, is damaged, isn't UTF-8, is binary, or a line has more than
            `LONGEST_LINE` characters.
    """
    for number, line in enumerate(read_parts(path, LONGEST_LINE, newline=""), 1):
        if len(line) >= LONGEST_LINE and not line.endswith("\n"):
            raise ValueError(
                f"Line {number} has more than {LONGEST_LINE:,} characters, which no text has; "
                f"break it into lines. Received: {str(path)!r}"
            )
        yield line


def read_parts(path: Path, size: int, newline: str | None = None) -> Iterator[str]:
    """Yield the lines of a text file, or of one in gzip; longer ones than `size` in parts.

    Args:
        path: The file; a mark of byte order at its beginning is no part of the text.
        size: The most characters of a part.
        newline: As for `open`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it can't be read, is damaged, isn't UTF-8, or is binary.
    """
    number = 0
    is_gzip = path.name.endswith(".gz")
    try:
        with (
            gzip.open(path) if is_gzip else path.open("rb") as raw,
            io.TextIOWrapper(raw, "utf-8-sig", newline=newline) as file,
        ):
            while line := file.readline(size):
                if "\0" in line:
                    raise ValueError(
                        "The file is binary, not text: it has a NUL character. Received: "
                        f"{str(path)!r}, line {number + 1}"
                    )
                number += line.endswith(("\n", "\r"))
                yield line
    except UnicodeDecodeError as error:
        raise ValueError(
            "The file is not UTF-8 text; convert it, for example with iconv. Received: "
            f"{str(path)!r}, byte {error.object[error.start]:#04x} after line {number}"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"The gzip file is damaged; get it again. Received: {str(path)!r} ({error})"
        ) from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"The file can't be read ({error.strerror}). Received: {path}") from error


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn whatever is wrong with a file into one line."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ValueError(
            f"the file can't be read: it is damaged, or something else "
            f"({' '.join(reason.split())[:120]}). Received: {path}"
        ) from error
