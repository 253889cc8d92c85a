"""Tables of the lake as data frames: pseudonyms as text, customers who do not consent left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import polars as pl
import pyarrow as pa

from lake.errors import BadValue
from lake.pseudonyms import to_text
from lake.tables import Lake

if TYPE_CHECKING:
    import pandas as pd

CUSTOMERS = ("user", "contact", "candidate", "caller", "callee")
"""Columns that name a number: a row is left out where one of them belongs to a customer who does not consent."""

KEYS = ("period", "level", "model", "rank", "user", "contact", "candidate", "app", "cell", "item", "at")
"""What rows are sorted by, as far as a table has these columns."""


def frame(
    lake: Lake, table: str, columns: list[str] | None = None, period: str | None = None, limit: int | None = None
) -> pl.DataFrame:
    """A table, or some `columns` of one `period` of it, as a polars data frame; sorted by its keys.

    Pseudonyms are text, as in the graph and in `graph.ask`. Partitioned tables are read from the one `period` (or
    month), plain ones keep its rows; without it all of them are read, so name one, or a `limit`, of big tables.
    Raises NotReady for a table that the lake has not, BadValue for a column that the table has not.

    `frame(lake, "leaders", ["user", "rank", "score"]).sort("rank").head(10)`
    """
    partitioned = period is not None and period in lake.partitions(table)
    rows = lake.scan(table, period if partitioned else None)
    if period is not None and not partitioned:
        if "period" not in rows.columns:
            raise BadValue(f"the table {table} has no period {period}", _there(lake.partitions(table)))
        rows = rows.filter(rows.period == period)
    names = list(rows.columns) if columns is None else columns
    if unknown := [name for name in names if name not in rows.columns]:
        raise BadValue(f"the table {table} has no column {unknown[0]}", _there(rows.columns))
    found = _of_who_consents(lake, rows).order_by(*[name for name in KEYS if name in rows.columns]).select(names)
    arrow = (found if limit is None else found.limit(limit)).to_pyarrow()
    columns_ = {name: to_text(arrow[name]) if arrow[name].type == pa.binary() else arrow[name] for name in names}
    return pl.DataFrame({name: pl.from_arrow(column) for name, column in columns_.items()})


def _of_who_consents(lake: Lake, rows: ibis.Table) -> ibis.Table:
    """Without rows that name a customer who does not consent."""
    named = [name for name in CUSTOMERS if name in rows.columns]
    if named and lake.has("customers"):
        customers = lake.scan("customers")
        hidden = customers.filter(~customers.consent.fill_null(True)).select(hidden="user")
        for name in named:
            rows = rows.anti_join(hidden, [(name, "hidden")])
    return rows


def _there(names: list[str] | tuple[str, ...]) -> str:
    return f"it has {', '.join(names)}" if names else "leave it out"


def pandas(
    lake: Lake, table: str, columns: list[str] | None = None, period: str | None = None, limit: int | None = None
) -> pd.DataFrame:
    """`frame` as a pandas data frame of Arrow types: whole numbers stay whole beside nulls."""
    return frame(lake, table, columns, period, limit).to_pandas(use_pyarrow_extension_array=True)
