"""One event file's rows to one Parquet body a month, in bounded memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_A_GROUP = 1 << 18
ROWS_WAITING = 1 << 20


def body(feed: str, month: str, digest: str) -> str:
    """Path of a body below the home: the rows of one month of one file."""
    return f"lake/{feed}/month={month}/{digest[:32]}.parquet"


class MonthWriter:
    """Takes batches in the feed's lake schema and writes each month of them to its own body.

    Rows keep the file's order. Use as a context manager; `rows` is what each month has so far.
    Without a folder to stage in, it only counts.
    """

    def __init__(self, staging: Path | None, feed: str, digest: str, schema: pa.Schema) -> None:
        self.staging, self.feed, self.digest, self.schema = staging, feed, digest, schema
        self.rows: dict[str, int] = {}
        self._waiting: dict[str, list[pa.Table]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._behind = ThreadPoolExecutor(1)  # writes one group while the next rows are read and checked
        self._pending: Future[None] | None = None

    def __enter__(self) -> MonthWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for month in sorted(self._waiting):
                self._flush(month)
            self._settle()
        self._behind.shutdown()
        for writer in self._writers.values():
            writer.close()

    def write(self, table: pa.Table) -> None:
        for month, part in by_month(table):
            self.rows[month] = self.rows.get(month, 0) + part.num_rows
            if self.staging is not None:
                self._waiting.setdefault(month, []).append(part)
        for month, parts in self._waiting.items():
            if sum(part.num_rows for part in parts) >= ROWS_A_GROUP:
                self._flush(month)
        if sum(part.num_rows for parts in self._waiting.values() for part in parts) >= ROWS_WAITING:
            for month in self._waiting:
                self._flush(month)

    def _flush(self, month: str) -> None:
        parts, self._waiting[month] = self._waiting[month], []
        if not parts or self.staging is None:
            return
        if month not in self._writers:
            path = self.staging / body(self.feed, month, self.digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            binary = [f.name for f in self.schema if f.type == pa.binary()]
            plain = [f.name for f in self.schema if f.name not in (*binary, "at")]
            self._writers[month] = pq.ParquetWriter(
                path, self.schema, compression="zstd", use_dictionary=plain, write_statistics=True
            )
        self._settle()
        self._pending = self._behind.submit(self._writers[month].write_table, pa.concat_tables(parts).combine_chunks())

    def _settle(self) -> None:
        """Wait for the group that is being written; raises what writing it raised."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()


def by_month(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """The rows of each month of their local `day`, months in order."""
    if table.num_rows == 0:
        return []
    days = table.column("day").cast(pa.int32()).to_numpy().astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    first, last = months.min(), months.max()
    if first == last:
        return [(str(first), table)]
    return [(str(month), table.filter(pa.array(months == month))) for month in np.unique(months)]
