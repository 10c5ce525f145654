"""Where the tables of lexicon and grammar lie, and how they are read.

In a checkout (and an editable installation) they are the files of `data/` at the root of the
repository; in an installed wheel they are the same files under `textgate/_data`.
"""

import functools
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_data", _PACKAGE.parent / "data")


def directory() -> Path:
    """Return the folder that holds the tables.

    Raises:
        FileNotFoundError: If neither place has them: the installation is not whole.
    """
    for place in _PLACES:
        if (place / "templates.tsv").is_file():
            return place
    looked = " and ".join(str(place) for place in _PLACES)
    raise FileNotFoundError(
        f"textgate's tables of words are missing; install the package again. Received: {looked}"
    )


@functools.cache
def read(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a tab-separated table, each a dictionary from column to text.

    Args:
        name: File name without its ending, such as `"verbs"`.
    """
    lines = (directory() / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    rows = (line.split("\t") for line in lines[1:] if line)
    return tuple(dict(zip(columns, row, strict=True)) for row in rows)
