"""Units are one thing in their three forms: numbers, a mask, words in a table."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from textgate.interchange import Direction, Units


def test_units_in_their_forms_are_the_same_units() -> None:
    units = Units(np.array([17, 3, 17]))
    assert units == (17, 3)
    assert hash(units) == hash((17, 3))
    assert json.dumps(units) == "[17, 3]"
    assert str(units) == "17 3"
    assert Units.parse(str(units)) == units
    assert Units.from_mask(units.mask(20)) == units.sorted() == (3, 17)


def test_units_are_read_from_a_table_however_pandas_reads_its_column() -> None:
    for column, expected in ((["17 3", ""], [(17, 3), ()]), (["17", ""], [(17,), ()])):
        text = pd.DataFrame({"units": column, "n": 1}).to_csv(index=False)
        read = pd.read_csv(io.StringIO(text))["units"]
        assert [Units.parse(cell) for cell in read] == expected


def test_union_and_difference_keep_the_order() -> None:
    units = Units([9, 2, 5])
    assert units | [2, 1] == (9, 2, 5, 1)
    assert units - Units([9]) == (2, 5)


def test_a_direction_is_read_as_it_was_written() -> None:
    direction = Direction("feminine", "masculine")
    assert str(direction) == f"{direction}" == "feminine→masculine"
    assert Direction.parse(str(direction)) == direction
    with pytest.raises(ValueError, match=r"Received: 'both'"):
        Direction.parse("both")
