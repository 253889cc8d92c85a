"""A feed folder into the lake, as one step: all of it, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake import publish
from lake.errors import FeedError
from lake.home import Home, enough_disk
from lake.progress import working
from lake.pseudonyms import Pseudonyms
from lake.settings import Settings
from lake.tables import Lake
from loaders import customers, quarantine, report
from loaders.feeds import FEEDS, Feed
from loaders.folder import Folder, look_into
from loaders.inventory import FileRecord, Inventory, holds, settle
from loaders.keyed import Keyed
from loaders.months import MonthWriter, body, by_month
from loaders.reading import Reading, distinct
from loaders.report import Counts, Report
from loaders.values import Rules


def check(feeds_dir: Path, settings: Settings, pseudonyms: Pseudonyms) -> Report:
    """The report that loading a folder into an empty home would give; nothing is written.

    Raises FeedError like `load`.
    """
    load_ = _Load(look_into(Path(feeds_dir)), settings, pseudonyms, root=None, staging=None)
    load_.run()
    return load_.report


def load(feeds_dir: Path, home: Home, settings: Settings, *, strict: bool = False) -> Report:
    """Load a feed folder into the home's lake and quarantine; the caller holds the home for writing.

    Raises FeedError when a feed is refused or, with `strict`, any row is quarantined; DiskFull,
    SettingError (another period than the home's), WrongKey. Then nothing of the folder is taken.
    """
    folder = look_into(Path(feeds_dir))
    home.check_period(settings)
    pseudonyms = home.pseudonyms(create=True)
    with _staging(home) as staging:
        load_ = _Load(folder, settings, pseudonyms, home.root, staging, strict)
        load_.run()
        load_.stage_rest()
        publish.publish(home.root, staging, load_.deletes)
    home.keep_period(settings)
    return load_.report


@contextmanager
def _staging(home: Home) -> Iterator[Path]:
    with enough_disk(home.root):
        staging = publish.stage(home.root)
        try:
            yield staging
        except BaseException:
            if not publish.unfinished(home.root):
                shutil.rmtree(staging, ignore_errors=True)
            raise


@dataclass
class _Load:
    """One load at work. Without a root it only checks."""

    folder: Folder
    settings: Settings
    pseudonyms: Pseudonyms
    root: Path | None
    staging: Path | None
    strict: bool = False
    report: Report = field(default_factory=Report)
    deletes: list[str] = field(default_factory=list)
    tables: dict[str, list[Path]] = field(default_factory=dict)
    references: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.how = Rules(self.pseudonyms, self.settings.country, self.settings.timezone)
        self.inventory = Inventory.read(self.root) if self.root else Inventory()
        self.lake = Lake(self.root / "lake") if self.root else None
        self.report.warnings += self.folder.warnings

    def run(self) -> None:
        """Read every feed of the folder: columns of all files first, then rows."""
        readings = {
            feed: [Reading(f, self.how, self.settings.encoding) for f in files]
            for feed, files in self.folder.files.items()
        }
        for feed, of_feed in readings.items():
            self.report.warnings += dict.fromkeys(w for reading in of_feed for w in reading.warnings())
            self.report.feeds[feed] = Counts()
            with working(f"loading {feed}") if self.root else _quietly():
                (self._events if FEEDS[feed].event else self._keyed)(FEEDS[feed], of_feed)
        present = set(self.folder.files) | {f for f in FEEDS if self.lake is not None and self.lake.has(f)}
        self.report.off = report.off(present)
        self._dangling()

    # -- event feeds ---------------------------------------------------------------------------

    def _events(self, feed: Feed, readings: list[Reading]) -> None:
        records = self.inventory.files.setdefault(feed.name, {})
        before = self.inventory.in_force.setdefault(feed.name, {})
        read: dict[str, Reading] = {}
        for reading in readings:
            digest, month = reading.file.sha256, reading.file.month
            if digest in read or holds(before, digest, records.get(digest), month):
                continue
            read[digest] = reading
            rows = self._read_months(feed, reading, digest)
            known = records[digest].months if month is not None and digest in records else {}
            reading.record.months = {**known, **rows}
            records[digest] = reading.record
        handed = [(r.file.sha256, records[r.file.sha256], r.file.month) for r in readings]
        after = settle(before, handed)
        old = {(m, d) for m, digests in before.items() for d in digests}
        new = {(m, d) for m, digests in after.items() for d in digests}
        self.inventory.in_force[feed.name] = {m: sorted(after[m]) for m in sorted(after)}
        self.deletes += [body(feed.name, m, d) for m, d in old - new]
        self._discard(feed, read, new - old)
        counts = self.report.feeds[feed.name]
        added = new - old
        for reading in readings:
            record = records[reading.file.sha256]
            taken = sum(record.months[m] for m, d in added if d == reading.file.sha256)
            added = {(m, d) for m, d in added if d != reading.file.sha256}
            self._add(counts, record, min(taken, record.good))
        again = {reading.file.name for reading in read.values()}
        self._quarantine(feed, list(read.values()), [r.file.name for r in readings if r.file.name not in again])
        self._refer(feed, readings)

    def _read_months(self, feed: Feed, reading: Reading, digest: str) -> dict[str, int]:
        if self.staging is None:
            rows: dict[str, int] = {}
            for table in reading.batches():
                for month, part in by_month(table):
                    rows[month] = rows.get(month, 0) + part.num_rows
                self._stop_if_strict(reading)
            return rows
        with MonthWriter(self.staging, feed.name, digest, feed.schema) as writer:
            for table in reading.batches():
                writer.write(table)
                self._stop_if_strict(reading)
        return writer.rows

    def _discard(self, feed: Feed, read: dict[str, Reading], new: set[tuple[str, str]]) -> None:
        """Staged bodies that are not needed: replaced by a later part of the same load, or there already."""
        if self.staging is None:
            return
        for digest, reading in read.items():
            for month in reading.record.months:
                if (month, digest) not in new:
                    (self.staging / body(feed.name, month, digest)).unlink(missing_ok=True)

    # -- keyed feeds ---------------------------------------------------------------------------

    def _keyed(self, feed: Feed, readings: list[Reading]) -> None:
        counts = self.report.feeds[feed.name]
        how = {
            "files": [[r.file.name, r.file.sha256] for r in readings],
            "settings": [self.settings.country, self.settings.encoding],
        }
        last = self.inventory.keyed.get(feed.name, {})
        if how == {name: last.get(name) for name in how}:
            record = FileRecord(feed.name, *last["counts"])  # type: ignore[misc]
            self._add(counts, record, 0)
            self._quarantine(feed, [], [reading.file.name for reading in readings])
            return
        before = self._present(feed.name)
        keyed = Keyed(feed, pq.read_table(before[0]) if before else None)
        for reading in readings:
            for table in reading.batches():
                keyed.add(table, reading.lake_columns)
                self._stop_if_strict(reading)
        table, taken, replaced = keyed.result()
        total = FileRecord(feed.name)
        for reading in readings:
            total.read += reading.record.read
            total.quarantined += reading.record.quarantined
            total.values_dropped += reading.record.values_dropped
        self._add(counts, total, taken)
        counts.replaced = replaced
        self.inventory.keyed[feed.name] = {**how, "counts": [total.read, total.quarantined, total.values_dropped]}
        self.names[feed.name] = distinct(table.column(feed.key[0])) if table.schema[0].type == pa.string() else set()
        self._quarantine(feed, readings)
        self._refer(feed, readings)
        if self.staging is not None:
            path = self.staging / "lake" / f"{feed.name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression="zstd", row_group_size=1 << 20)

    # -- both ----------------------------------------------------------------------------------

    def _add(self, counts: Counts, record: FileRecord, taken: int) -> None:
        counts.read += record.read
        counts.quarantined += record.quarantined
        counts.values_dropped += record.values_dropped
        counts.withheld += record.withheld
        counts.taken += taken
        counts.repeated += record.good - taken
        if record.quarantined and self.strict:
            raise _strict(f"{record.path} has {record.quarantined} rows for the quarantine")

    def _stop_if_strict(self, reading: Reading) -> None:
        if self.strict and reading.bad:
            first = reading.bad[0].slice(0, 1).to_pylist()[0]
            where = f"row group {first['row_group']}, row" if first["row_group"] is not None else "line"
            raise _strict(f"{reading.file.name}, {where} {first['line']}: {first['column'] or 'it'} {first['reason']}")

    def _quarantine(self, feed: Feed, readings: list[Reading], skipped: Sequence[str] = ()) -> None:
        """Report and stage what the files read came to; of files skipped, report what is known."""
        bad = [table for reading in readings for table in reading.bad]
        known = quarantine.of_files(self.root, feed.name, skipped) if self.root is not None else []
        self.report.quarantined += quarantine.summary(feed.name, known + bad)
        if self.root is not None and self.staging is not None and readings:
            again = [reading.file.name for reading in readings]
            self.deletes += quarantine.merge(self.root, self.staging, feed.name, again, bad)

    def _refer(self, feed: Feed, readings: list[Reading]) -> None:
        found = self.references.setdefault(feed.name, {})
        for reading in readings:
            for column, identifiers in reading.references.items():
                found.setdefault(column, set()).update(identifiers)

    def _present(self, table: str) -> list[Path]:
        """The files of a lake table as they will be when this load is published."""
        here = self.lake.files(table) if self.lake is not None else []
        if self.root is None or self.staging is None:
            return here
        gone = {self.root / name for name in self.deletes}
        staged = {
            self.root / path.relative_to(self.staging): path
            for path in (self.staging / "lake").glob(f"{table}*/**/*.parquet")
            if path.is_file() and path.relative_to(self.staging / "lake").parts[0] == table
        }
        single = self.staging / "lake" / f"{table}.parquet"
        if single.exists():
            staged[self.root / "lake" / f"{table}.parquet"] = single
        return [staged.get(p, p) for p in sorted({*here, *staged} - gone)]

    def _dangling(self) -> None:
        """Count identifiers that no row of their own feed names, per feed and column."""
        for name in self.folder.files:
            for column in FEEDS[name].columns:
                if column.of is None:
                    continue
                named = set(self.references.get(name, {}).get(column.name, ()))
                for path in self._present(name):
                    named |= distinct(pq.read_table(path, columns=[column.lake_name], partitioning=None).column(0))
                missing = named - self._names(column.of)
                if missing:
                    self.report.feeds[name].dangling[column.name] = len(missing)

    def _names(self, feed: str) -> set[str]:
        if feed not in self.names:
            key = FEEDS[feed].key[0]
            paths = self._present(feed)
            self.names[feed] = distinct(pq.read_table(paths[0], columns=[key]).column(0)) if paths else set()
        return self.names[feed]

    def stage_rest(self) -> None:
        """Stage the inventory, and `customers` where a table with numbers changed."""
        if self.staging is None or self.lake is None:
            raise ValueError("a check stages nothing")
        self.inventory.write(self.staging)
        changed = {name for name, _ in customers.NUMBERS if self._changed(name)}
        if changed or not self.lake.has("customers"):
            with working("finding all customers"):
                tables = {name: self._present(name) for name, _ in customers.NUMBERS}
                table = customers.build(tables, self.lake)
                pq.write_table(
                    table, self.staging / "lake" / "customers.parquet", compression="zstd", row_group_size=1 << 20
                )
        self.report.changed = any(counts.taken for counts in self.report.feeds.values()) or bool(self.deletes)

    def _changed(self, table: str) -> bool:
        return self.lake is not None and self._present(table) != self.lake.files(table)


def _strict(found: str) -> FeedError:
    return FeedError(found, "mend it, or load without --strict", code="quarantined")


@contextmanager
def _quietly() -> Iterator[None]:
    yield
