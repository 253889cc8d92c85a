"""A lake many times as large: copies of one side by side, each of them with pseudonyms of its own.

Quick to make at the size of an operator, and as true to the loaders as the lake that is copied; the copies call nobody
in each other. Pseudonyms are spread evenly and keep their order, so sorted tables stay sorted.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS = 1 << 20


def copy_home(home: Path, target: Path, copies: int) -> None:
    """A home whose lake is `copies` of that of `home`."""
    target.mkdir(parents=True)
    for name in ("format", "number.key"):
        shutil.copy(home / name, target / name)
    copied(home / "lake", target / "lake", copies)


def copied(lake: Path, target: Path, copies: int) -> None:
    """Write to `target` every table of `lake`; rows that name a number `copies` times over."""
    for file in sorted(lake.rglob("*.parquet"), key=lambda file: file.stat().st_size):
        path = target / file.relative_to(lake)
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = pq.read_schema(file)
        if not any(field.type == pa.binary() for field in schema):
            shutil.copy(file, path)
            continue
        others = [field.name for field in schema if field.type != pa.binary()]
        with pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=others) as writer:
            for copy in range(copies):
                for batch in pq.ParquetFile(file).iter_batches(ROWS):
                    columns = [_of_copy(one, copy, copies) if one.type == pa.binary() else one for one in batch.columns]
                    writer.write_batch(pa.record_batch(columns, schema=batch.schema), row_group_size=ROWS)


def _of_copy(column: pa.Array, copy: int, copies: int) -> pa.Array:
    """Pseudonyms of one copy: the first half divided by `copies`, moved to the copy's share of all numbers."""
    filled = column.fill_null(bytes(16)).cast(pa.binary(16))
    data = np.frombuffer(filled.buffers()[1], ">u8")[2 * filled.offset : 2 * (filled.offset + len(filled))]
    words = data.astype(np.uint64).reshape(-1, 2)
    words[:, 0] = words[:, 0] // np.uint64(copies) + np.uint64(copy * (2**64 // copies))
    moved = pa.Array.from_buffers(pa.binary(16), len(column), [None, pa.py_buffer(words.astype(">u8").tobytes())])
    found = moved.cast(pa.binary())
    return pc.if_else(column.is_valid(), found, None) if column.null_count else found
