"""The whole graph made afresh beside the one in use, then put in its place."""

from __future__ import annotations

import shutil
from typing import Any

from graph.edges import Edges
from graph.engine import config, java, swap
from graph.engine.fetch import fetch
from graph.engine.hold import Hold
from graph.importer.carried import Carried, read_carried
from graph.importer.csv_files import known_keys, write_csv
from graph.load import count
from graph.parts import parts_of
from graph.schema import ensure
from graph.store import Store
from lake.errors import DiskFull
from lake.home import enough_disk
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake

OPTIONS = ("--bad-tolerance=0", "--high-parallel-io=on")
BYTES_A_ROW = 260
"""Of disk, at most: about 105 of CSV and 135 of store for a row of calls."""


def carry(store: Store, lake: Lake) -> Carried:
    """What a new store takes over from this one."""
    return read_carried(store, known_keys(lake, ("User", "Offer", "App")))


def make_store(hold: Hold, lake: Lake, settings: Settings, carried: Carried) -> None:
    """Stop the server, import, and swap the stores. For a hold that is alone.

    Killed at any moment it leaves the old store or the new one. Raises DiskFull, EngineError.
    """
    release = hold.release
    jars = fetch(release.version)
    with hold.stopped() as lock, swap.staged(hold.folder) as fresh, enough_disk(hold.folder.root):
        _check_disk(hold, lake, settings)
        memory = config.memory_mb(config.machine_memory_mb())
        fresh.conf.write_text(config.neo4j_conf(release, 0, memory))
        csv = fresh.root / "csv"
        csv.mkdir()
        arguments = write_csv(lake, settings, csv, carried)
        arguments += [*OPTIONS, f"--max-off-heap-memory={memory['pagecache']}m"]
        with working("Neo4j's importer"):
            java.import_database(jars, fresh.root, arguments, memory["heap"] // 2, lock)
        shutil.rmtree(csv)
        hold.folder.version_file.write_text(release.version)


def finished(store: Store, lake: Lake, settings: Settings) -> dict[str, Any]:
    """Constraints and indexes of a store that has just been imported; what `load_graph` returns."""
    ensure(store)
    counts = count(store)
    made = sum(counts["nodes"].values()) + sum(counts["edges"].values())
    parts = [part.part for part in parts_of(lake, settings)]
    return {**counts, "created": made, "changed": 0, "removed": 0, "parts": parts}


def _check_disk(hold: Hold, lake: Lake, settings: Settings) -> None:
    rows = sum(part.most(lake) for part in parts_of(lake, settings) if isinstance(part, Edges))
    needed, free = rows * BYTES_A_ROW // 10**6, shutil.disk_usage(hold.folder.root).free // 10**6
    if needed > free:
        raise DiskFull(
            f"a new graph of up to {rows:,} rows needs {needed:,} MB in {hold.folder.root} ({free:,} MB free)",
            "free some space and run the same command again",
        )
