"""Parquet feeds: row groups in batches, typed or text columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.batches import RawBatch
from loaders.folder import FeedFile, unreadable

ROWS = 1 << 19


class ParquetFile:
    """One Parquet file: its column names, then its rows in batches. Raises FeedError when it is damaged."""

    def __init__(self, file: FeedFile, rows: int = ROWS) -> None:
        self.file = file
        self.rows = rows
        with self._open() as opened:
            self.header = list(opened.schema_arrow.names)

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.file.path)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self.file, error) from error

    def _valid(self, column: pa.Array, name: str) -> pa.Array:
        """A text column whose bytes were looked at: Parquet promises UTF-8, nobody checks it on reading."""
        if pa.types.is_string(column.type):
            try:
                column.validate(full=True)
            except pa.ArrowInvalid as error:
                raise unreadable(self.file, error) from error
        return column

    def batches(self, wanted: list[str]) -> Iterator[RawBatch]:
        """The columns `wanted` of all rows, in file order, as the file types them."""
        with self._open() as opened:
            for group in range(opened.num_row_groups):
                first = 1
                stream = opened.iter_batches(self.rows, row_groups=[group], columns=wanted)
                while True:
                    try:
                        batch = next(stream)
                    except StopIteration:
                        break
                    except (pa.ArrowException, OSError) as error:
                        raise unreadable(self.file, error) from error
                    lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                    first += batch.num_rows
                    columns = {name: self._valid(batch.column(name), name) for name in wanted}
                    yield RawBatch(columns, lines, row_group=group)
