"""In which direction an answer is to be changed: from the base's class to the source's."""

from dataclasses import dataclass

_ARROW = "→"


@dataclass(frozen=True)
class Direction:
    """A direction between two classes.

    Attributes:
        base: The class of the sentence that the model reads.
        source: The class of its counterpart, which lends values.

    Example:

    >>> direction = Direction("feminine", "masculine")
    >>> print(direction)
    feminine→masculine
    >>> Direction.parse("feminine→masculine") == direction
    True
    """

    base: str
    source: str

    @classmethod
    def parse(cls, text: str) -> "Direction":
        """Return the direction that a table names.

        Raises:
            ValueError: If the text names none.
        """
        base, arrow, source = text.partition(_ARROW)
        if not arrow:
            raise ValueError(f"a direction is written base{_ARROW}source. Received: {text!r}")
        return cls(base, source)

    def __str__(self) -> str:
        return f"{self.base}{_ARROW}{self.source}"
