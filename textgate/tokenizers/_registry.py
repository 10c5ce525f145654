"""Tokenizers by the name of their kind, so that a saved model gets the one that it had."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from textgate._files import write_text
from textgate._reading import read_json
from textgate.tokenizers._protocol import Tokenizer

# What configurations of before there were kinds describe.
_FIRST = "words"


class _Configurable(Protocol):
    """A class of tokenizers that can be made again."""

    kind: str

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the tokenizer that `get_config` described."""


_KINDS: dict[str, type[_Configurable]] = {}
_Class = TypeVar("_Class", bound=type)


def register(cls: _Class) -> _Class:
    """Make a class of tokenizers known by its `kind`, so that models with it can be loaded.

    Args:
        cls: A `Tokenizer` class with a class method `from_config`. What its `get_config` returns
            must have its `kind` under `"kind"`.

    Raises:
        TypeError: If it lacks `kind` or `from_config`.
        ValueError: If another class has that name.

    Example:
        >>> from textgate.tokenizers import WhitespaceTokenizer
        >>> register(WhitespaceTokenizer).kind
        'whitespace'
    """
    kind = getattr(cls, "kind", None)
    if not isinstance(kind, str) or not callable(getattr(cls, "from_config", None)):
        raise TypeError(
            "A tokenizer class needs a `kind` (a string) and a class method `from_config`. "
            f"Received: {cls.__name__}"
        )
    if _KINDS.get(kind, cls) is not cls:
        raise ValueError(
            f"There is another class of tokenizers of the kind {kind!r}, {_KINDS[kind].__name__}; "
            f"give it a name of its own. Received: {cls.__name__}"
        )
    _KINDS[kind] = cls
    return cls


def from_config(config: Mapping[str, Any]) -> Any:
    """Make the tokenizer that its `get_config` described.

    Raises:
        ValueError: If no class of that kind is registered.
    """
    kind = config.get("kind", _FIRST)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(
            f"Tokenizers are of the kinds {', '.join(_KINDS)}; import the module of another one, "
            f"which calls textgate.tokenizers.register. Received: kind={kind!r}"
        )
    return _KINDS[kind].from_config(dict(config))


def save(tokenizer: Tokenizer, path: str | os.PathLike[str]) -> None:
    """Write a tokenizer to a JSON file. An old one stays whole until the new one is."""
    text = json.dumps(tokenizer.get_config(), ensure_ascii=False, indent=0)
    write_text(pathlib.Path(path), text)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a tokenizer of any kind that `save` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no tokenizer, or of a kind that isn't registered.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no tokenizer file. Received: {str(path)!r}")
    try:
        config = read_json(path)
    except ValueError:
        config = {}
    if not isinstance(config.get("vocabulary"), list) and "kind" not in config:
        raise ValueError(f"The file is not a saved tokenizer. Received: {str(path)!r}")
    try:
        return from_config(config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{error}, in the file {str(path)!r}") from None
