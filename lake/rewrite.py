"""Every table of the lake that holds pseudonyms, written anew: for another key, or without some customers.

A pseudonym is a value of a binary column; no other column of the lake is binary. Files are read a row group
at a time and staged, so that the lake changes in one step (`lake.publish`) or not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS_A_GROUP = 1 << 20


def files_with_pseudonyms(lake: Path) -> Iterator[Path]:
    """The lake's Parquet files that have a binary column, in order of their paths; hidden (staged) ones apart."""
    for path in sorted(lake.rglob("*.parquet")):
        hidden = any(part.startswith(".") for part in path.relative_to(lake).parts)
        if not hidden and pseudonym_columns(pq.read_schema(path)):
            yield path


def pseudonym_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold pseudonyms.

    >>> pseudonym_columns(pa.schema([("user", pa.binary()), ("city", pa.string())]))
    ['user']
    """
    return [field.name for field in schema if field.type == pa.binary()]


def groups(path: Path) -> Iterator[pa.Table]:
    """The row groups of a file as tables; one table without rows where it has none."""
    with pq.ParquetFile(path) as file:
        if not file.num_row_groups:
            yield file.schema_arrow.empty_table()
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def write(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write tables as the row groups of one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = [name for name in schema.names if name not in pseudonym_columns(schema)]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=plain, write_statistics=True) as file:
        for table in tables:
            if table.num_rows:
                file.write_table(table.combine_chunks(), row_group_size=ROWS_A_GROUP)


def order_of(path: Path) -> list[str]:
    """The columns that a file's rows are sorted by, the first most; [] for rows in no order.

    Found by looking: the first column that never falls, then the first that never falls among neighbours equal in
    that one, and so on until no neighbours are equal. A column with nulls is in no order.
    """
    left = [f.name for f in pq.read_schema(path) if not pa.types.is_nested(f.type)]
    order: list[str] = []
    while left:
        ties, rising = _look(path, order, left)
        if not ties or not rising:
            break
        order.append(rising[0])
        left.remove(rising[0])
    return order


def _look(path: Path, order: list[str], names: list[str]) -> tuple[bool, list[str]]:
    """Whether any neighbours are equal in all columns of `order`, and which of `names` never fall among those."""
    ties, rising, last = False, names, None
    for rows in _columns(path, order, names):
        rows = rows.select([*order, *rising])
        if last is not None:
            rows = pa.concat_tables([last.select(rows.column_names), rows])
        if not rows.num_rows:
            continue
        before, after = rows.slice(0, rows.num_rows - 1), rows.slice(1)
        tied = pa.array(np.ones(after.num_rows, bool))
        for name in order:
            tied = pc.and_(tied, pc.fill_null(pc.equal(before[name], after[name]), False))
        ties = ties or bool(pc.any(tied).as_py())
        rising = [name for name in rising if _never_falls(before[name], after[name], tied)]
        if not rising:
            break
        last = rows.slice(rows.num_rows - 1)
    return ties, rising


def _columns(path: Path, order: list[str], names: list[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=[*order, *names])


def _never_falls(before: pa.ChunkedArray, after: pa.ChunkedArray, tied: pa.Array) -> bool:
    if before.null_count or after.null_count:
        return False
    return bool(pc.all(pc.or_(pc.invert(tied), pc.less_equal(before, after))).as_py() in (True, None))


def sweep(root: Path) -> None:
    """Take away what killed writers left below a home: folders and files under a hidden name, staged or half written.

    For whoever holds the home alone.
    """
    for folder in (root, root / "snapshots", root / "lake"):
        for path in folder.glob("**/.*" if folder.name == "lake" else ".*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix.removeprefix(".").isdigit():
                path.unlink()
