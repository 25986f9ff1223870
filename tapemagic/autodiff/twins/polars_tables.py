"""Tables of polars."""

import polars as pl

from .tables import stand_for_tables

stand_for_tables(pl, pl.DataFrame, pl.Series)
