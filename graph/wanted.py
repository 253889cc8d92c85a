"""Edges that the lake asks for, in pieces that fit into memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from lake.tables import Lake

Piece = tuple[int, int, pa.Table]
"""Rows whose first pseudonym, by its first 8 bytes as a number, is in [from, below); sorted by it."""

WHOLE = 2**64
PIECE_ROWS = 4_000_000
"""Rows held in memory at a time: about half a gigabyte of calls."""


@dataclass(frozen=True)
class Wanted:
    """Rows sorted by their first column: a table, or an expression that is read in ranges of that column.

    `most` says how many rows there may be; `then` is done to each piece. Iterating reads anew.
    """

    rows: pa.Table | ibis.Table
    most: int = 0
    order: tuple[str, ...] = ()
    then: Callable[[pa.Table], pa.Table] | None = None

    @property
    def schema(self) -> pa.Schema:
        return self.rows.schema if isinstance(self.rows, pa.Table) else self.rows.schema().to_pyarrow()

    def __iter__(self) -> Iterator[Piece]:
        rows = self.rows
        if isinstance(rows, pa.Table):
            yield 0, WHOLE, self._done(rows)
            return
        start = rows.columns[0]
        for low, high in itertools.pairwise(bounds_of(-(-self.most // PIECE_ROWS))):
            part = rows.filter(rows[start] >= _edge(low)) if low else rows
            part = part.filter(part[start] < _edge(high)) if high < WHOLE else part
            yield low, high, self._done(part.order_by(*self.order).to_pyarrow())

    def _done(self, piece: pa.Table) -> pa.Table:
        return piece if self.then is None else self.then(piece)


def bounds_of(count: int) -> list[int]:
    """Where to cut evenly spread pseudonyms into `count` ranges (at least one).

    >>> bounds_of(2) == [0, 2**63, 2**64]
    True
    """
    return [i * WHOLE // max(count, 1) for i in range(max(count, 1) + 1)]


def rows_in(lake: Lake, names: Iterable[str], partition: str | None = None) -> int:
    """How many rows tables (or one partition of them) have together, by the footers of their files."""
    files = [file for name in names for file in lake.files(name, partition)]
    return sum(pq.read_metadata(file).num_rows for file in files)


def _edge(bound: int) -> ibis.Value:
    return ibis.literal(bound.to_bytes(8, "big"), "binary")
