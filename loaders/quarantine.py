"""The quarantine: which rows were not taken, where they stand and why; never what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loaders.rows import QUARANTINE


def path_of(feed: str) -> str:
    """Path of a feed's quarantine below the home."""
    return f"quarantine/{feed}.parquet"


def merge(root: Path, staging: Path, feed: str, read_again: list[str], bad: list[pa.Table]) -> list[str]:
    """Stage a feed's quarantine: the rows known so far, but of the files read again only the new verdict.

    Returns the paths to delete (the feed's quarantine, when nothing is left in it).
    """
    path = root / path_of(feed)
    tables = list(bad)
    if path.exists():
        known = pq.read_table(path)
        tables.insert(0, known.filter(pc.invert(pc.is_in(known.column("file"), pa.array(read_again, pa.string())))))
    table = pa.concat_tables([QUARANTINE.empty_table(), *tables])
    table = table.sort_by([(name, "ascending") for name in ("file", "row_group", "line", "reason")])
    if table.num_rows == 0:
        return [path_of(feed)] if path.exists() else []
    target = staging / path_of(feed)
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.combine_chunks(), target, compression="zstd")
    return []


def of_files(root: Path, feed: str, names: Sequence[str]) -> list[pa.Table]:
    """The quarantined rows of some files of a feed, as they were found when those were read."""
    path = root / path_of(feed)
    if not names or not path.exists():
        return []
    known = pq.read_table(path)
    return [known.filter(pc.is_in(known.column("file"), pa.array(names, pa.string())))]


def summary(feed: str, bad: list[pa.Table]) -> list[dict[str, Any]]:
    """Per column and reason: how many rows, and the place of the first."""
    table = pa.concat_tables([QUARANTINE.empty_table(), *bad])
    if table.num_rows == 0:
        return []
    places = pc.binary_join_element_wise(
        table.column("file"),
        pc.if_else(
            pc.is_valid(table.column("row_group")),
            pc.binary_join_element_wise(
                "row group ", table.column("row_group").cast(pa.string()), ", row ", "", null_handling="replace"
            ),
            "line ",
        ),
        ", ",
    )
    places = pc.binary_join_element_wise(places, table.column("line").cast(pa.string()), "")
    table = table.append_column("first", places)
    grouped = table.group_by(["column", "reason"], use_threads=False).aggregate(
        [("first", "first"), ("first", "count")]
    )
    rows = [
        {
            "feed": feed,
            "column": row["column"],
            "reason": row["reason"],
            "rows": row["first_count"],
            "first": row["first_first"],
        }
        for row in grouped.to_pylist()
    ]
    return sorted(rows, key=lambda row: (-row["rows"], str(row["column"]), row["reason"]))
