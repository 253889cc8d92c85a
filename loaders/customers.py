"""The `customers` table: every number that any feed names, with its row of `users`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lake.tables import Lake
from loaders.feeds import FEEDS

SCHEMA = pa.schema([pa.field("user", pa.binary()), pa.field("off_net", pa.bool_()), *list(FEEDS["users"].schema)[1:]])
NUMBERS = [(feed.name, c.lake_name) for feed in FEEDS.values() for c in feed.columns if c.type == "number"]
"""Every lake table and column that holds numbers."""


def build(tables: dict[str, list[Path]], lake: Lake) -> pa.Table:
    """One row a known number, sorted by `user`; `tables` are each lake table's files.

    Numbers without a row of `users` are off-net, unless there is no such feed at all. Defaults of
    `users` are filled in for all.
    """
    named = pa.table({"user": pa.array([], pa.binary())})
    parts = [
        lake.connection.read_parquet([str(path) for path in tables[name]]).select(user=column)
        for name, column in NUMBERS
        if tables.get(name)
    ]
    if parts:
        union = parts[0].union(*parts[1:], distinct=True) if len(parts) > 1 else parts[0].distinct()
        named = union.to_pyarrow().cast(named.schema)
    everyone = pl.DataFrame(named).sort("user")
    has_users = bool(tables.get("users"))
    if has_users:
        users = pl.DataFrame(pq.read_table(tables["users"][0]))
    else:
        users = pl.DataFrame(FEEDS["users"].schema.empty_table())
    known = users.with_columns(off_net=pl.lit(False))
    defaults = [pl.col(c.lake_name).fill_null(c.default) for c in FEEDS["users"].columns if c.default is not None]
    joined = everyone.join(known, on="user", how="left", maintain_order="left").with_columns(
        pl.col("off_net").fill_null(has_users), *defaults
    )
    return joined.select(SCHEMA.names).to_arrow().cast(SCHEMA).combine_chunks()
