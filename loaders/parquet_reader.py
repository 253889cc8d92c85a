"""Parquet feeds: row groups in batches, typed or text columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import FeedError
from loaders.batches import RawBatch
from loaders.folder import FeedFile, unreadable

ROWS = 1 << 19


class ParquetFile:
    """One Parquet file: its column names, then its rows in batches. Raises FeedError when it is damaged."""

    def __init__(self, file: FeedFile, rows: int = ROWS) -> None:
        self.file = file
        self.rows = rows
        self._look_at_magic()
        with self._reading(), pq.ParquetFile(file.path) as opened:
            self.header = list(opened.schema_arrow.names)

    def _look_at_magic(self) -> None:
        """Refuse what says of itself that it is no Parquet that can be read; a damaged file is found out later."""
        with open(self.file.path, "rb") as stream:
            magic = stream.read(4)
        if magic == b"PARE":
            raise FeedError(f"{self.file.name} is encrypted", "write it without encryption")
        if not b"PAR1".startswith(magic):
            raise FeedError(f"{self.file.name} is no Parquet", "name it .csv if that is what it is, or write it again")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What a damaged file makes pyarrow raise, as FeedError."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as error:
            raise unreadable(self.file, error) from error

    def batches(self, wanted: list[str]) -> Iterator[RawBatch]:
        """The columns `wanted` of all rows, in file order, as the file types them."""
        with self._reading():
            opened = pq.ParquetFile(self.file.path)
        with opened:
            for group in range(opened.num_row_groups):
                first = 1
                stream = opened.iter_batches(self.rows, row_groups=[group], columns=wanted)
                while (columns := self._next(stream, wanted)) is not None:
                    rows = len(columns[wanted[0]])
                    yield RawBatch(columns, np.arange(first, first + rows, dtype=np.int64), row_group=group)
                    first += rows

    def _next(self, stream: Iterator[pa.RecordBatch], wanted: list[str]) -> dict[str, pa.Array] | None:
        """The next batch's columns. Text is looked at: Parquet promises UTF-8, and nobody checks it on reading."""
        with self._reading():
            batch = next(stream, None)
            if batch is None:
                return None
            columns = {name: batch.column(name) for name in wanted}
            for column in columns.values():
                if pa.types.is_string(column.type):
                    column.validate(full=True)
            return columns
