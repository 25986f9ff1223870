"""Tables of pandas. What came into one by an assignment is plain after the cell."""

from __future__ import annotations

import pandas as pd

from tapemagic.autodiff import later
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, plain

from .tables import stand_for_tables

stand_for_tables(pd, pd.DataFrame, pd.Series)


def _is_traced(column: pd.Series) -> bool:
    return column.dtype == object and any(type(x) in HANDLE_TYPES for x in column)


def _empty_series(column: pd.Series) -> None:
    if _is_traced(column):
        # pandas has no public way to give a column another dtype in place
        column._mgr = pd.Series(plain(list(column)), column.index)._mgr


def _empty_frame(frame: pd.DataFrame) -> None:
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        if _is_traced(column):
            frame.isetitem(i, plain(list(column)))


later.EMPTIERS[pd.Series] = _empty_series
later.EMPTIERS[pd.DataFrame] = _empty_frame
