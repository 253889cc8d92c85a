"""Responses that the graph has already: an answered decision comes back in the operator's feed."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from lake.tables import Lake

KEY = ["user", "offer", "decision"]


class Answered:
    """The answers that were recorded through the API, as the lake's table `answers` has them."""

    def __init__(self, lake: Lake | None) -> None:
        known = lake is not None and lake.has("answers")
        self._keys = pl.DataFrame(lake.read("answers", KEY)).drop_nulls().unique() if known and lake else None

    def left_out(self, rows: pa.Table) -> pa.Table:
        """Rows of the feed `responses` without those whose customer, offer and decision are answered, in order."""
        if self._keys is None or self._keys.height == 0 or rows.num_rows == 0:
            return rows
        keys = pl.DataFrame(rows.select(KEY)).with_row_index("row")
        kept = keys.join(self._keys, on=KEY, how="anti").get_column("row").sort()
        return rows if kept.len() == rows.num_rows else rows.take(pa.array(kept.to_numpy()))
