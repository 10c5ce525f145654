"""Numbers and lists as words for the page."""

import math
from collections.abc import Iterable, Sequence
from typing import Any


def is_number(value: Any) -> bool:
    """Whether a value is a number that can be shown."""
    try:
        return value is not None and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def percent(share: Any, digits: int | None = None) -> str:
    r"""Return a share of 1 as a percentage, such as "99.1 %"; "–" if it isn't known.

    Example:

    >>> percent(0.9912), percent(1.0), percent(0.9998), percent(float("nan"))
    ('99.1\xa0%', '100\xa0%', '99.98\xa0%', '–')
    """
    if not is_number(share):
        return "–"
    value = 100 * float(share)
    if digits is None:
        digits = 1
        if value in (0.0, 100.0):
            digits = 0
        elif 99.95 <= value < 100 or 0 < value < 0.05:  # not all, not none
            digits = 2
    return f"{value:.{digits}f}\u00a0%".replace("-", "−")


def interval(low: Any, high: Any) -> str:
    """Return a 95 % interval of shares, such as "98.4–99.6"; empty if it isn't known."""
    if not (is_number(low) and is_number(high)):
        return ""
    return f"{100 * float(low):.1f}–{100 * float(high):.1f}"


def share_with(row: Any, name: str = "accuracy", ends: tuple[str, str] = ("low", "high")) -> str:
    """Return a share with its interval, such as "99.1 % (98.4–99.6)"."""
    ends = ends if ends[0] in row else (f"{name}_low", f"{name}_high")
    within = interval(row.get(ends[0]), row.get(ends[1]))
    return percent(row[name]) + (f" ({within})" if within else "")


def number(value: Any, digits: int = 2) -> str:
    """Return a number with a true minus; "∞" and "–" where it is infinite or unknown."""
    if value is None:
        return "–"
    real = float(value)
    if math.isnan(real):
        return "–"
    if math.isinf(real):
        return "∞" if real > 0 else "−∞"
    return f"{round(real, digits) + 0.0:,.{digits}f}".replace("-", "−")


def count(value: Any) -> str:
    """Return a whole number with separators."""
    return f"{int(value):,}" if is_number(value) else "–"


def listed(parts: Iterable[Any], last: str = "and") -> str:
    """Return "a, b and c".

    Example:

    >>> listed([3, 17, 40])
    '3, 17 and 40'
    """
    words = [str(part) for part in parts]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def units(members: Sequence[int]) -> str:
    """Return "unit 17" or "units 3, 17 and 40"."""
    return ("unit " if len(members) == 1 else "units ") + listed(members)


def counted(amount: int, noun: str, plural: str | None = None) -> str:
    """Return "one unit", "two units", "13 units"."""
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    word = names[amount] if 0 <= amount < len(names) else f"{amount:,}"
    return f"{word} {noun if amount == 1 else plural or noun + 's'}"


def sentence(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


def seconds(value: float) -> str:
    """Return a duration, such as "4 min 20 s"."""
    whole = round(float(value))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


def slug(text: str) -> str:
    """Return a text as part of an id of an element."""
    return "".join(c if c.isalnum() else "-" for c in text.lower())
