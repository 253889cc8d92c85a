"""Another key for numbers: every pseudonym p of the lake becomes E_new(D_old(p)).

The new tables are staged and published in one step together with the home's mark of its key, so that no pseudonym is
ever encrypted twice, whatever moment the process dies at. Rows that were sorted by pseudonyms are sorted again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import HomeError
from lake.home import Home, shred
from lake.progress import track
from lake.pseudonyms import Pseudonyms, make_key, read_key
from lake.rewrite import ROWS_A_GROUP, files_with_pseudonyms, groups, order_of, pseudonym_columns, write
from lake.tables import Lake

ROW = "row of the file"


class Keys:
    """The key that a home has and the one that it gets, while both are there: `number.key` and `number.key.new`."""

    def __init__(self, home: Home) -> None:
        self.old_file = home.key_file
        self.new_file = home.key_file.with_name(f"{home.key_file.name}.new")
        self.retired_file = home.key_file.with_name(f"{home.key_file.name}.old")

    def make(self) -> None:
        """Make the new key afresh. Raises HomeError where nothing can be written beside the old."""
        try:
            self.drop_new()
            make_key(self.new_file)
        except PermissionError:
            raise HomeError(
                f"no new key can be written beside {self.old_file}", "let this user write to that folder"
            ) from None

    def drop_new(self) -> None:
        """Destroy a new key that nothing was encrypted with."""
        shred(self.new_file)

    def old(self) -> Pseudonyms:
        return Pseudonyms(read_key(self.old_file))

    def new(self) -> Pseudonyms:
        return Pseudonyms(read_key(self.new_file))

    def both(self) -> bool:
        """Whether the old key is still in its place, and the new one beside it."""
        return self.old_file.exists() and self.new_file.exists()

    def swap(self) -> None:
        """Put the new key in the place of the old, and destroy the old. Safe to repeat after a kill."""
        if self.both():
            os.replace(self.old_file, self.retired_file)
        if self.new_file.exists():
            os.replace(self.new_file, self.old_file)
        shred(self.retired_file)


def stage_tables(home: Home, staging: Path, old: Pseudonyms, new: Pseudonyms) -> int:
    """Stage the lake under the new key; returns the number of tables' files."""
    lake = Lake(home.lake)
    files = list(files_with_pseudonyms(home.lake))
    for path in track(files, "tables under the new key"):
        _rewrite(lake, path, staging / path.relative_to(home.root), old, new)
    return len(files)


def stage_mark(home: Home, staging: Path, new: Pseudonyms) -> None:
    """Stage the home's mark of the key that it was filled with."""
    facts = json.loads((home.root / "format").read_text())
    (staging / "format").write_text(json.dumps({**facts, "key_check": new.check}))


def _rewrite(lake: Lake, path: Path, target: Path, old: Pseudonyms, new: Pseudonyms) -> None:
    order, schema = order_of(path), pq.read_schema(path)

    def changed() -> Iterator[pa.Table]:
        for table in groups(path):
            for name in pseudonym_columns(schema):
                place = table.schema.get_field_index(name)
                table = table.set_column(place, schema.field(name), old.changed(table[name], new))
            yield table

    if not set(order) & set(pseudonym_columns(schema)):
        write(target, schema, changed())
        return
    unsorted = target.with_name(f"{target.name}.unsorted")
    write(unsorted, schema.append(pa.field(ROW, pa.int64())), _numbered(changed()))
    rows = lake.connection.read_parquet(str(unsorted), hive_partitioning=False)
    rows = rows.order_by([*order, ROW]).drop(ROW)  # equal neighbours stay in their order
    with rows.to_pyarrow_batches(chunk_size=ROWS_A_GROUP) as batches:
        write(target, schema, (pa.Table.from_batches([batch]).cast(schema) for batch in batches))
    unsorted.unlink()


def _numbered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    first = 0
    for table in tables:
        yield table.append_column(ROW, pa.array(np.arange(first, first + table.num_rows)))
        first += table.num_rows
