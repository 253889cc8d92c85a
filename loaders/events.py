"""Event feeds into the lake: files in force are skipped, a month's part replaces the month, others add."""

from __future__ import annotations

from loaders.answered import Answered
from loaders.feeds import Feed
from loaders.inventory import holds, settle
from loaders.months import MonthWriter, body
from loaders.reading import Reading
from loaders.work import Work


def take(work: Work, feed: Feed, readings: list[Reading]) -> None:
    """Read the files that are not in force, stage their months, and drop the bodies that they replace."""
    records = work.inventory.files.setdefault(feed.name, {})
    before = work.inventory.in_force.get(feed.name, {})
    read: dict[str, Reading] = {}
    for reading in readings:
        digest, month = reading.file.sha256, reading.file.month
        if digest in read or holds(before, digest, records.get(digest), month):
            continue
        read[digest] = reading
        rows = _months(work, feed, reading)
        known = records[digest].months if month is not None and digest in records else {}
        reading.record.months = {**known, **rows}
        records[digest] = reading.record
    handed = [(r.file.sha256, records[r.file.sha256], r.file.month) for r in readings]
    after = settle(before, handed)
    old = {(month, digest) for month, digests in before.items() for digest in digests}
    new = {(month, digest) for month, digests in after.items() for digest in digests}
    work.inventory.in_force[feed.name] = {month: sorted(after[month]) for month in sorted(after)}
    work.deletes += [body(feed.name, month, digest) for month, digest in old - new]
    _count(work, feed, readings, new - old)
    if work.staging is not None:  # bodies replaced by a later part of this load, or there already
        for digest, reading in read.items():
            for month in reading.record.months:
                if (month, digest) not in new - old:
                    (work.staging / body(feed.name, month, digest)).unlink(missing_ok=True)
    again = {reading.file.name for reading in read.values()}
    work.set_aside(feed.name, list(read.values()), [r.file.name for r in readings if r.file.name not in again])
    work.refer(feed.name, readings)


def _months(work: Work, feed: Feed, reading: Reading) -> dict[str, int]:
    """Stage a file's rows by month; rows a month."""
    answered = Answered(work.lake) if feed.name == "responses" else None
    with MonthWriter(work.staging, feed.name, reading.file.sha256, feed.schema) as writer:
        for rows in reading.batches():
            writer.write(rows if answered is None else answered.left_out(rows))
            work.stop_if_strict(reading)
    return writer.rows


def _count(work: Work, feed: Feed, readings: list[Reading], added: set[tuple[str, str]]) -> None:
    """Count each file's rows as taken where their month's body is new, else as repeated."""
    records = work.inventory.files[feed.name]
    for reading in readings:
        digest = reading.file.sha256
        record = records[digest]
        taken = sum(record.months[month] for month, of in added if of == digest)
        added = {(month, of) for month, of in added if of != digest}  # the same bytes twice are taken once
        work.count(feed.name, record, min(taken, record.good))
