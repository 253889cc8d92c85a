"""Between tables and the graph: rows for Cypher parameters, and plain values out of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import neo4j
import neo4j.graph
import neo4j.time
import pyarrow as pa

from lake.pseudonyms import to_text


def rows_of(table: pa.Table, batch: int = 10_000) -> Iterator[list[dict[str, Any]]]:
    """A table as lists of at most `batch` rows; binary columns (pseudonyms) as 36 characters.

    Moments stay without a zone (a LocalDateTime in the graph, UTC by the lake's rule), days are Dates.

    >>> next(rows_of(pa.table({"app": ["a1"], "sessions": [3]})))
    [{'app': 'a1', 'sessions': 3}]
    """
    names = table.column_names
    for start in range(0, table.num_rows, batch):
        part = table.slice(start, batch)
        columns = [_values(column) for column in part.columns]
        yield [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        return to_text(column).to_pylist()
    return column.to_pylist()


def plain(value: Any) -> Any:
    """A driver's value as Python's own: temporal values native, nodes and edges as their properties.

    A path becomes the list of its nodes and edges in order.
    """
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, neo4j.time.Date | neo4j.time.DateTime | neo4j.time.Time):
        return value.to_native()
    if isinstance(value, neo4j.graph.Node | neo4j.graph.Relationship):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, neo4j.graph.Path):
        steps: list[Any] = [plain(value.nodes[0])]
        for edge, node in zip(value.relationships, value.nodes[1:], strict=True):
            steps += [plain(edge), plain(node)]
        return steps
    return value
