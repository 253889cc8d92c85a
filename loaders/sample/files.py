"""Writes a feed folder: small feeds as one file, large ones as a part a month, some CSV and some Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

CSV_ROWS = 2_000_000
"""Parts of more expected rows than this are always Parquet."""


class Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...


class FeedFolder:
    """Writes feeds under `root` and the truth under `root/truth`; counts the rows of each.

    Numbers come as text; moments are written in CSV as `2026-01-31T23:59:59`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: dict[str, int] = {}
        (root / "truth").mkdir(parents=True, exist_ok=True)

    def whole(self, feed: str, table: pa.Table, form: str = "csv") -> None:
        """One file for the feed."""
        self._write(self.root / f"{feed}.{form}", table)
        self.rows[feed] = table.num_rows

    def truth(self, name: str, table: pa.Table, form: str = "csv") -> None:
        """One file beside the feeds; never read by a loader."""
        path = self.root / "truth" / f"{name}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, table)

    @contextmanager
    def part(self, feed: str, month: str, form: str) -> Iterator[PartWriter]:
        """The part of one month, written in blocks."""
        path = self.root / feed / f"{month}.{form}"
        path.parent.mkdir(exist_ok=True)
        writer = PartWriter(path)
        try:
            yield writer
        finally:
            writer.close()
        if feed.split("/")[0] != "truth":
            self.rows[feed] = self.rows.get(feed, 0) + writer.rows

    def _write(self, path: Path, table: pa.Table) -> None:
        writer = PartWriter(path)
        writer.write(table)
        writer.close()


class PartWriter:
    """Appends tables of one schema to one CSV or Parquet file, by its name's ending."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pcsv.CSVWriter | pq.ParquetWriter | None = None
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        csv = self._path.suffix == ".csv"
        if csv:
            table = _moments_as_text(table)
        if self._writer is None:
            self._writer = (
                pcsv.CSVWriter(self._path, table.schema, write_options=pcsv.WriteOptions(quoting_style="needed"))
                if csv
                else pq.ParquetWriter(self._path, table.schema)
            )
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _moments_as_text(table: pa.Table) -> pa.Table:
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(table.column(i).cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
            table = table.set_column(i, field.name, text)
    return table
