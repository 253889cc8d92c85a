"""Responses that the graph has already: an answered decision comes back in the operator's feed."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from lake import successions
from lake.tables import Lake

KEY = ["user", "offer", "decision"]


class Answered:
    """The answers that were recorded through the API, as the lake's table `answers` has them."""

    def __init__(self, lake: Lake | None) -> None:
        self._keys = None
        if lake is not None and lake.has("answers"):
            keys = pl.DataFrame(lake.read("answers", KEY)).drop_nulls()
            if lake.has(successions.NAME):  # the feed's rows have the number, whoever held it
                number = pl.DataFrame(lake.read(successions.NAME)).select("former", number="user")
                keys = keys.join(number, left_on="user", right_on="former", how="left", maintain_order="left")
                keys = keys.with_columns(user=pl.coalesce("number", "user")).select(KEY)
            self._keys = keys.unique()

    def left_out(self, rows: pa.Table) -> pa.Table:
        """Rows of the feed `responses` without those whose customer, offer and decision are answered, in order."""
        if self._keys is None or self._keys.height == 0 or rows.num_rows == 0:
            return rows
        keys = pl.DataFrame(rows.select(KEY)).with_row_index("row")
        kept = keys.join(self._keys, on=KEY, how="anti").get_column("row").sort()
        return rows if kept.len() == rows.num_rows else rows.take(pa.array(kept.to_numpy()))
