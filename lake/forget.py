"""Customers taken out of the lake: every row of every table that names one of them goes, whole.

A call between somebody to be forgotten and somebody else goes too: the other's contacts and circles are built again
without it. Tables are staged and published in one step; doing it again finds nothing more.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake.home import Home
from lake.progress import track
from lake.rewrite import files_with_pseudonyms, groups, pseudonym_columns, write
from lake.tables import Lake


def accounts_of(lake: Lake, users: pa.Array) -> pa.Array:
    """Pseudonyms with those of all former customers of the same numbers, sorted, each once."""
    known = pc.unique(users)
    if lake.has("successions"):
        successions = lake.read("successions", ["user", "former"])
        former = successions.filter(pc.is_in(successions["user"], value_set=known))["former"]
        known = pc.unique(pa.concat_arrays([known, former.combine_chunks().cast(pa.binary())]))
    return known.take(pc.array_sort_indices(known))


def without(table: pa.Table, users: pa.Array) -> pa.Table:
    """The rows that name none of the users in any of their columns.

    >>> calls = pa.table({"caller": [b"a", b"b", None], "callee": [b"b", b"c", b"c"]})
    >>> without(calls, pa.array([b"a"])).num_rows
    2
    """
    named = [pc.is_in(table[name], value_set=users) for name in pseudonym_columns(table.schema)]
    theirs = named[0]
    for one in named[1:]:
        theirs = pc.or_(theirs, one)
    return table.filter(pc.invert(theirs))


def stage_tables(home: Home, staging: Path, users: pa.Array) -> dict[str, int]:
    """Stage every file of the lake that names one of the users; returns the rows taken out, by table."""
    removed: dict[str, int] = {}
    for path in track(list(files_with_pseudonyms(home.lake)), "tables"):
        left = sum(without(rows, users).num_rows for rows in groups(path))
        gone = pq.read_metadata(path).num_rows - left
        if gone:
            target = staging / path.relative_to(home.root)
            write(target, pq.read_schema(path), (without(rows, users) for rows in groups(path)))
            name = path.relative_to(home.lake).parts[0].removesuffix(".parquet")
            removed[name] = removed.get(name, 0) + gone
    return removed
