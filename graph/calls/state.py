"""What each part of the analysis last ran on, and tables too big for memory written batch by batch."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.home import enough_disk
from lake.tables import Lake

FILE = ".calls-inputs.json"
ROWS = 1 << 17
"""Rows of a row group: fixed, so that the same rows give the same bytes whatever batches they came in."""

VERSION = 3
"""Raised when a rule of this package changes, so that every home repeats its analysis once."""


class Inputs:
    """Fingerprints of the inputs that each made thing was made from, kept beside the tables.

    `inputs[table][key]`: `contacts` by period, `circles` by period, ... A missing or unreadable entry only
    means that the thing is made again.

    >>> import tempfile
    >>> inputs = Inputs(Lake(Path(tempfile.mkdtemp())))
    >>> inputs.get("contacts", "2026-05") is None
    True
    """

    def __init__(self, lake: Lake) -> None:
        self._path = lake.root / FILE
        self._facts: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            try:
                found = json.loads(self._path.read_text())
            except ValueError:  # cut short by a crash: everything is made again
                found = {}
            if isinstance(found, dict) and found.pop("version", None) == VERSION:
                self._facts = found

    def get(self, table: str, key: str) -> Any:
        return self._facts.get(table, {}).get(key)

    def keys(self, table: str) -> list[str]:
        return sorted(self._facts.get(table, {}))

    def put(self, table: str, key: str, fact: Any) -> None:
        self._facts.setdefault(table, {})[key] = fact

    def forget(self, table: str, key: str | None = None) -> None:
        if key is None:
            self._facts.pop(table, None)
        else:
            self._facts.get(table, {}).pop(key, None)

    def save(self) -> None:
        """Write beside and rename; called after the tables that the entries speak of."""
        beside = self._path.with_name(f"{FILE}.{os.getpid()}")
        with enough_disk(self._path.parent):
            beside.write_text(json.dumps({"version": VERSION, **self._facts}, indent=0, sort_keys=True))
        os.replace(beside, self._path)


def digest(*parts: object) -> str:
    """A short digest of texts, bytes, or anything that JSON can hold.

    >>> digest("a", 1) == digest("a", 1), digest("a", 1) == digest("a", 2)
    (True, False)
    """
    sha = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes | bytearray | memoryview) else json.dumps(part).encode()
        sha.update(len(data).to_bytes(8, "little"))
        sha.update(data)
    return sha.hexdigest()[:16]


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[Writer]:
    """Write a Parquet file a batch at a time, beside, renamed into place when whole; same bytes leave it alone.

    An exception inside leaves the former file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with enough_disk(path.parent):
            writer = Writer(beside, schema)
            try:
                yield writer
            finally:
                writer.close()
        if not (path.exists() and filecmp.cmp(path, beside, shallow=False)):
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class Writer:
    """Collects batches of any size into row groups of `ROWS` rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self.rows = 0

    def write(self, table: pa.Table | pa.RecordBatch) -> None:
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        self._waiting.append(table.select(self._schema.names).cast(self._schema))
        self._waiting_rows += table.num_rows
        self.rows += table.num_rows
        if self._waiting_rows >= ROWS:
            whole = pa.concat_tables(self._waiting)
            full = self._waiting_rows // ROWS * ROWS
            self._file.write_table(whole.slice(0, full).combine_chunks(), row_group_size=ROWS)
            self._waiting = [whole.slice(full)]
            self._waiting_rows -= full

    def close(self) -> None:
        if self._waiting_rows:
            self._file.write_table(pa.concat_tables(self._waiting).combine_chunks(), row_group_size=ROWS)
        self._waiting, self._waiting_rows = [], 0
        self._file.close()
