"""The lake: Parquet tables under one folder, read through Ibis, written beside and renamed into place.

A plain table is `<name>.parquet`; a partitioned one is `<name>/<key>=<value>/*.parquet`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake import successions
from lake.engine import connect
from lake.errors import NotReady
from lake.home import enough_disk

NUMBERS = "numbers"
"""The table of the numbers that the events of each month name: one row a number, by month."""


class Lake:
    """Tables below one folder (`Home.lake`).

    >>> import tempfile
    >>> lake = Lake(Path(tempfile.mkdtemp()))
    >>> lake.write("apps", pa.table({"app": ["maps"], "name": ["Maps"]}))
    >>> lake.scan("apps").count().execute()
    1
    """

    def __init__(self, root: Path, spill: Path | None = None, memory_mb: int | None = None) -> None:
        """`memory_mb`: what the engine may take for one query; what is more goes to files in the folder `spill`."""
        self.root = Path(root)
        self._connection: ibis.BaseBackend | None = None
        self._bounds = {} if spill is None else {"temp_directory": str(spill), "memory_limit": f"{memory_mb}MB"}

    @property
    def connection(self) -> ibis.BaseBackend:
        """The engine, started at the first query."""
        if self._connection is None:
            self._connection = connect(**self._bounds)
        return self._connection

    def close(self) -> None:
        """Let go of the engine and its memory; the next query starts it again."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

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

    def scan(self, name: str, *partitions: str | None) -> ibis.Table:
        """The table, or the named partitions of it, as an Ibis expression (partition folders are not columns).

        Rows of a recycled number are those of the customer who held it then. Raises NotReady where absent.
        """
        named = [partition for partition in partitions if partition is not None]
        files = [file for one in named for file in self._some(name, one)] or self._some(name, None)
        rows = self.connection.read_parquet([str(f) for f in files], union_by_name=True, hive_partitioning=False)
        held = self._successions(name, named)
        return rows if held is None else successions.applied(rows, name, held)

    def read(self, name: str, columns: list[str] | None = None, partition: str | None = None) -> pa.Table:
        """The table in memory, rows in file order. Rows of a recycled number are those of the customer who held it
        then. Raises NotReady where it is absent."""
        files = self._some(name, partition)
        held = self._successions(name, [] if partition is None else [partition])
        wanted = columns
        if held is not None and columns is not None:
            wanted = list(dict.fromkeys([*columns, *successions.needed(name)]))
        tables = [pq.read_table(f, columns=wanted, partitioning=None) for f in files]
        table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
        if held is not None:
            table = successions.replaced(table, name, held)
        return table if wanted is columns else table.select(columns)

    def _successions(self, name: str, months: Sequence[str]) -> pa.Table | None:
        """The successions that a table (or some months of it) is read through; None without any."""
        if name not in successions.HELD or not (files := self.files(successions.NAME)):
            return None
        held = successions.spans(pq.read_table(files[0]), months or self.partitions(name))
        return held if held.num_rows else None

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

    def facts(self, name: str, partition: str | None = None) -> list[list[object]]:
        """Path, size and time of change of a table's (or one partition's) files, and a digest of the successions that
        it is read through: they change whenever what is read does."""
        found: list[list[object]] = []
        for file in self.files(name, partition):
            stat = file.stat()
            found.append([str(file.relative_to(self.root)), stat.st_size, stat.st_mtime_ns])
        held = self._successions(name, [] if partition is None else [partition])
        if held is not None and partition is not None and self.has(NUMBERS):
            held = held.filter(pc.is_in(held["user"], value_set=self._numbers(partition, held)))
        if held is not None and held.num_rows:
            found.append([successions.NAME, successions.digest(held)])
        return found

    def _numbers(self, month: str, held: pa.Table) -> pa.Array:
        """Which of the recycled numbers any event of a month names."""
        if not self.files(NUMBERS, month):
            return pa.array([], pa.binary())
        some = ibis.memtable(held.select(["user"]))
        return self.scan(NUMBERS, month).semi_join(some, "user").to_pyarrow()["user"].cast(pa.binary()).combine_chunks()

    def fingerprint(self, names: Iterable[str], partition: str | None = None) -> str:
        """What a step ran on: a digest of the facts of tables (or of one partition of them)."""
        facts = [fact for name in sorted(names) for fact in self.facts(name, partition)]
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
