"""Keyed feeds into the lake: their files laid over the table that is there."""

from __future__ import annotations

import pyarrow.parquet as pq

from loaders.feeds import Feed
from loaders.inventory import FileRecord
from loaders.keyed import Keyed
from loaders.reading import Reading
from loaders.work import Work


def take(work: Work, feed: Feed, readings: list[Reading]) -> None:
    """Read the files in order and stage the table; files that were the feed's last load change nothing."""
    how = {
        "files": [[reading.file.name, reading.file.sha256] for reading in readings],
        "read_by": [work.settings.country, work.settings.encoding],
    }
    last = work.inventory.keyed.get(feed.name, {})
    if how == {name: last.get(name) for name in how}:
        work.count(feed.name, FileRecord(feed.name, *last["counts"]), 0)
        work.set_aside(feed.name, [], [reading.file.name for reading in readings])
        return
    before = work.present(feed.name)
    keyed = Keyed(feed, pq.read_table(before[0]) if before else None)
    for reading in readings:
        for rows in reading.batches():
            keyed.add(rows, reading.lake_columns)
            work.stop_if_strict(reading)
    table, taken, replaced = keyed.result()
    records = [reading.record for reading in readings]
    counts = [sum(getattr(record, name) for record in records) for name in ("read", "quarantined", "values_dropped")]
    work.count(feed.name, FileRecord(feed.name, *counts), taken)
    work.counts(feed.name).replaced = replaced
    work.inventory.keyed[feed.name] = {**how, "counts": counts}
    work.set_aside(feed.name, readings)
    work.refer(feed.name, readings)
    if work.staging is not None:
        work.stage(f"{feed.name}.parquet", table)
    else:
        work.names[feed.name] = set() if feed.key[0] == "user" else set(table.column(0).to_pylist())
