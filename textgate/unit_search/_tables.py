"""Tables put together."""

from collections.abc import Iterable

import pandas as pd


def stacked(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return tables below one another, empty ones left out."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
