"""The engine that reads tables, and one of a step's own, for what may be larger than memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis
import pyarrow as pa


class Engine:
    """Ibis on DuckDB, in bounded memory: what does not fit is put on disk for the time being."""

    def __init__(self, connection: ibis.BaseBackend) -> None:
        self._connection = connection

    def files(self, paths: list[Path]) -> ibis.Table:
        """Parquet files as one table; there must be one at least."""
        return self._connection.read_parquet([str(p) for p in paths], union_by_name=True, hive_partitioning=False)

    def stream(self, name: str, batches: pa.RecordBatchReader) -> ibis.Table:
        """Batches as a table that can be read once, without holding them."""
        self._connection.con.register(name, batches)
        return self._connection.table(name)


def connect(**bounds: str) -> ibis.BaseBackend:
    """Ibis on an in-memory DuckDB within `bounds` (its `memory_limit` and `temp_directory`)."""
    connection = ibis.duckdb.connect(**bounds)
    connection.raw_sql("SET enable_progress_bar = false")  # it would go to stdout
    # It takes files of one path, size and second for the same.
    connection.raw_sql("SET enable_external_file_cache = false")
    return connection


@contextmanager
def bounded(folder: Path, memory: str = "1GB") -> Iterator[Engine]:
    """An engine that takes about `memory` and puts the rest below `folder`, where nothing is left of it."""
    with tempfile.TemporaryDirectory(prefix=".spill-", dir=folder) as spill:
        connection = connect(memory_limit=memory, temp_directory=spill)
        try:
            yield Engine(connection)
        finally:
            connection.disconnect()
