"""Whether the disk has room for a load: said before it begins, not when it is full."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lake.errors import DiskFull
from loaders.folder import FeedFile
from loaders.inventory import Inventory

LAKE = 1.7
"""Bytes of the lake for a byte of feeds, tables of customers and their numbers included: short rows, each of another
customer, take that much; calls in CSV take 0.6."""

GRAPH = {".csv": 1.6, ".parquet": 4.0}
"""Bytes of the product's own Neo4j for a byte of feeds: 334 MB of 84 MB (nearly all Parquet), 20,000 customers."""

SPARE = 50 * 10**6
"""What the smallest load needs."""


def needed(files: Iterable[FeedFile], *, graph: bool) -> int:
    """Bytes that loading these files may take: measured ratios, rounded up."""
    total = float(SPARE)
    for file in files:
        total += file.path.stat().st_size * (LAKE + (GRAPH[file.path.suffix] if graph else 0))
    return int(total)


def require(root: Path, files: Iterable[FeedFile], inventory: Inventory, *, graph: bool, free: int | None) -> None:
    """Raise DiskFull where the home's disk has too little room for the files that are new to it.

    `free` are the bytes that it has; None asks the system. `graph` says whether Neo4j's store is on it too.
    """
    new = [file for file in files if not _there(file, inventory)]
    wanted, there = needed(new, graph=graph), shutil.disk_usage(root).free if free is None else free
    if new and there < wanted:
        raise DiskFull(
            f"loading these feeds may take {_mb(wanted)} of disk, and {root} has {_mb(there)}",
            "free some space, or name a home on a larger disk with --home; nothing was taken",
        )


def _there(file: FeedFile, inventory: Inventory) -> bool:
    in_force = inventory.in_force.get(file.feed, {}).values()
    last = inventory.keyed.get(file.feed, {}).get("files", [])
    return any(file.sha256 in digests for digests in in_force) or [file.name, file.sha256] in last


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
