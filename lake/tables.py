"""The lake: Parquet tables under one folder, read through Ibis, written beside and renamed into place.

A plain table is `<name>.parquet`; a partitioned one is `<name>/<key>=<value>/*.parquet`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import NotReady
from lake.home import enough_disk


class Lake:
    """Tables below one folder (`Home.lake`).

    >>> import tempfile
    >>> lake = Lake(Path(tempfile.mkdtemp()))
    >>> lake.write("apps", pa.table({"app": ["maps"], "name": ["Maps"]}))
    >>> lake.scan("apps").count().execute()
    1
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._connection: ibis.BaseBackend | None = None

    @property
    def connection(self) -> ibis.BaseBackend:
        """Ibis on an in-memory DuckDB; the one place that names the engine."""
        if self._connection is None:
            self._connection = ibis.duckdb.connect()
        return self._connection

    def files(self, name: str, partition: str | None = None) -> list[Path]:
        """Files of a table (or of one partition, as `2026-05`), sorted by path; empty where there is none."""
        single = self.root / f"{name}.parquet"
        if single.exists():
            return [single]
        pattern = "*/*.parquet" if partition is None else f"*={partition}/*.parquet"
        return sorted((self.root / name).glob(pattern))

    def has(self, name: str) -> bool:
        return bool(self.files(name))

    def partitions(self, name: str) -> list[str]:
        """Partition values of a table in order: `['2026-05', '2026-06']`."""
        return sorted({p.parent.name.split("=", 1)[1] for p in self.files(name) if "=" in p.parent.name})

    def scan(self, name: str, partition: str | None = None) -> ibis.Table:
        """The table as an Ibis expression (partition folders are not columns). Raises NotReady where absent."""
        files = self._some(name, partition)
        return self.connection.read_parquet([str(f) for f in files], union_by_name=True, hive_partitioning=False)

    def read(self, name: str, columns: list[str] | None = None, partition: str | None = None) -> pa.Table:
        """The table in memory, rows in file order. Raises NotReady where it is absent."""
        files = self._some(name, partition)
        tables = [pq.read_table(f, columns=columns, partitioning=None) for f in files]
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()

    def _some(self, name: str, partition: str | None) -> list[Path]:
        files = self.files(name, partition)
        if not files:
            raise NotReady(f"the lake has no table {name}", "load the feeds that it is made from")
        return files

    def write(self, name: str, table: pa.Table) -> None:
        """Replace a plain table; the old one stands until the new one is whole. Unchanged bytes stay untouched."""
        put(self.root / f"{name}.parquet", table)

    def write_partition(self, name: str, key: str, value: str, table: pa.Table) -> None:
        """Replace one partition (`key=value`) by one file."""
        folder = self.root / name / f"{key}={value}"
        put(folder / "part-0.parquet", table)
        for old in folder.glob("*.parquet"):
            if old.name != "part-0.parquet":
                old.unlink()

    def drop(self, name: str, partition: str | None = None) -> None:
        """Take a table, or one of its partitions, away; absent is fine."""
        if partition is None:
            (self.root / f"{name}.parquet").unlink(missing_ok=True)
            shutil.rmtree(self.root / name, ignore_errors=True)
        else:
            for folder in (self.root / name).glob(f"*={partition}"):
                shutil.rmtree(folder)

    def fingerprint(self, names: Iterable[str], partition: str | None = None) -> str:
        """What a step ran on: a digest of the tables' (or one partition's) files: path, size, time of change."""
        facts = []
        for name in sorted(names):
            for file in self.files(name, partition):
                stat = file.stat()
                facts.append([str(file.relative_to(self.root)), stat.st_size, stat.st_mtime_ns])
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def put(path: Path, table: pa.Table) -> None:
    """Write one Parquet file beside and rename it; a file that would get the same bytes is left alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with enough_disk(path.parent):
            pq.write_table(table, beside, compression="zstd", row_group_size=1 << 20)
        if path.exists() and path.stat().st_size == beside.stat().st_size and _same_bytes(path, beside):
            return
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _same_bytes(one: Path, other: Path) -> bool:
    with open(one, "rb") as a, open(other, "rb") as b:
        while True:
            left, right = a.read(1 << 20), b.read(1 << 20)
            if left != right:
                return False
            if not left:
                return True
