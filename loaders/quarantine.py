"""The quarantine: which rows were not taken, where they stand and why; never what they hold.

A file with millions of bad rows costs disk, not memory: they are written as they are found, and put together by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from loaders.rows import QUARANTINE

ROWS_A_GROUP = 1 << 17


def path_of(feed: str) -> str:
    """Path of a feed's quarantine below the home."""
    return f"quarantine/{feed}.parquet"


class Reasons:
    """Why rows were not taken: per column and reason, how many, and the first of them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], tuple[int, dict[str, Any]]] = {}

    def add(self, rows: pa.Table) -> None:
        """Count quarantined rows, in their order."""
        numbered = rows.append_column("row", pa.array(np.arange(rows.num_rows)))
        grouped = numbered.group_by(["column", "reason"]).aggregate([("row", "min"), ("row", "count")])
        for group in sorted(grouped.to_pylist(), key=lambda group: group["row_min"]):
            self._note(rows.slice(group["row_min"], 1).to_pylist()[0], group["row_count"])

    def join(self, other: Reasons) -> None:
        """Count what another has counted after this one."""
        for rows, first in other._found.values():
            self._note(first, rows)

    def _note(self, first: dict[str, Any], rows: int) -> None:
        known, before = self._found.get((first["column"], first["reason"]), (0, first))
        self._found[first["column"], first["reason"]] = known + rows, before

    @property
    def first(self) -> str:
        """The row that came first: where it stands, the column and the reason; empty without one."""
        for _, row in self._found.values():
            return f"{place(row)}: {row['column'] or 'it'} {row['reason']}"
        return ""

    def summary(self, feed: str) -> list[dict[str, Any]]:
        """For the report: per column and reason how many rows, and the place of the first; most rows first."""
        rows = [
            {"feed": feed, "column": column, "reason": reason, "rows": count, "first": place(first)}
            for (column, reason), (count, first) in self._found.items()
        ]
        return sorted(rows, key=lambda row: (-row["rows"], str(row["column"]), row["reason"]))


def place(row: dict[str, Any]) -> str:
    """Where a quarantined row stands, for people.

    >>> place({"file": "users/a.parquet", "row_group": 0, "line": 7})
    'users/a.parquet, row group 0, row 7'
    >>> place({"file": "users.csv", "row_group": None, "line": 2})
    'users.csv, line 2'
    """
    within = "line" if row["row_group"] is None else f"row group {row['row_group']}, row"
    return f"{row['file']}, {within} {row['line']}"


class Aside:
    """The rows of one file that were not taken, on disk as they come; without a path they are only counted."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.reasons = Reasons()
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        if rows.num_rows == 0:
            return
        self.reasons.add(rows)
        if self.path is not None:
            if self._writer is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = pq.ParquetWriter(self.path, QUARANTINE, compression="zstd")
            self._writer.write_table(rows)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def merge(root: Path, staging: Path, feed: str, read_again: dict[str, Aside]) -> list[str]:
    """Stage a feed's quarantine: the rows known so far, but of the files read again only the new verdict.

    `read_again` has the files by name; what they were written to is gone afterwards. Returns the paths to delete (the
    feed's quarantine, when nothing is left in it).
    """
    old = root / path_of(feed)
    names = pq.read_table(old, columns=["file"]).column(0).unique().to_pylist() if old.exists() else []
    sources = {name: old for name in names if name not in read_again}
    for name, aside in read_again.items():
        aside.close()
        if aside.path is not None and aside.path.exists():
            sources[name] = aside.path
    if sources:
        target = staging / path_of(feed)
        target.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(target, QUARANTINE, compression="zstd") as writer:
            for table in _grouped(rows for name in sorted(sources) for rows in of_file(sources[name], name)):
                writer.write_table(table)
    for aside in read_again.values():
        if aside.path is not None:
            aside.path.unlink(missing_ok=True)
    return [path_of(feed)] if old.exists() and not sources else []


def known(root: Path, feed: str, names: Iterable[str]) -> Reasons:
    """Why rows of these files of a feed were not taken when they were read."""
    path, found = root / path_of(feed), Reasons()
    if path.exists():
        for name in names:
            for rows in of_file(path, name):
                found.add(rows)
    return found


def of_file(path: Path, name: str) -> Iterator[pa.Table]:
    """The rows of one file in a quarantine, in their order and in pieces."""
    scanner = ds.dataset(path).scanner(filter=ds.field("file") == name, use_threads=False, batch_readahead=1)
    for batch in scanner.to_batches():
        if batch.num_rows:
            yield pa.Table.from_batches([batch])


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of ROWS_A_GROUP, so that the file does not tell in which pieces they came."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        while rows >= ROWS_A_GROUP:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, ROWS_A_GROUP).combine_chunks()
            waiting = [whole.slice(ROWS_A_GROUP)]
            rows = waiting[0].num_rows
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()
