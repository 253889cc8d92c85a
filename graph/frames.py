"""Lake columns as the values that travel over Bolt, and the Cypher that turns them into Neo4j's own types.

Days travel as ISO text and moments as microseconds since 1970: numbers and text cost the driver a
fraction of what its temporal types cost, and compare exactly when the graph is read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from lake.pseudonyms import to_text


def to_wire(table: pa.Table) -> pl.DataFrame:
    """Pseudonyms as text of 36 characters, days as ISO text, moments as microseconds (UTC), all whole numbers int64;
    an empty list as null."""
    return pl.DataFrame({name: pl.from_arrow(_wire(table[name])) for name in table.column_names})


def _wire(column: pa.ChunkedArray) -> pa.Array:
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return to_text(column)
    if pa.types.is_date(kind):
        return pc.strftime(column, "%Y-%m-%d").cast(pa.string()).combine_chunks()
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us")).cast(pa.int64()).combine_chunks()
    if pa.types.is_integer(kind):
        return column.cast(pa.int64()).combine_chunks()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64()).combine_chunks()
    if pa.types.is_null(kind):
        return column.cast(pa.string()).combine_chunks()
    if pa.types.is_list(kind):  # an empty list is no property, as in the importer's CSV
        return pc.if_else(pc.equal(pc.list_value_length(column), 0), pa.scalar(None, kind), column).combine_chunks()
    return column.combine_chunks()


def stored(kind: pa.DataType, value: str) -> str:
    """Cypher for the property's value, from the expression of what travelled.

    >>> stored(pa.date32(), "row[2]")
    'date(row[2])'
    """
    if pa.types.is_date(kind):
        return f"date({value})"
    if pa.types.is_timestamp(kind):
        whole = f"datetime({{epochSeconds: {value} / 1000000, nanosecond: ({value} % 1000000) * 1000}})"
        return f"CASE WHEN {value} IS NULL THEN null ELSE {whole} END"
    return value


def shown(kind: pa.DataType, value: str) -> str:
    """Cypher for what travels back, from the expression of the property: the inverse of `stored`."""
    if pa.types.is_date(kind):
        return f"toString({value})"
    if pa.types.is_timestamp(kind):
        return f"{value}.epochSeconds * 1000000 + {value}.microsecond"
    return value


def lists_of(frame: pl.DataFrame) -> list[list[Any]]:
    """Rows as lists, in column order: what `UNWIND $rows AS row` sees as row[0], row[1], …"""
    columns = [frame[name].to_list() for name in frame.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def frame_of(records: Iterable[Sequence[Any]], like: pl.DataFrame) -> pl.DataFrame:
    """Records of the same columns as `like`, as a frame of the same types."""
    columns: list[tuple[Any, ...]] = list(zip(*(tuple(record) for record in records), strict=True))
    if not columns:
        return like.clear()
    series = [
        pl.Series(name, values, dtype=kind, strict=True)
        for (name, kind), values in zip(like.schema.items(), columns, strict=True)
    ]
    return pl.DataFrame(series)
