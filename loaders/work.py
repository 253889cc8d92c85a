"""One load at work: what it reads by, where it stages, what it has counted so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import RowsQuarantined
from lake.pseudonyms import Pseudonyms
from lake.settings import Settings
from lake.tables import Lake
from loaders import quarantine
from loaders.inventory import FileRecord, Inventory
from loaders.quarantine import Reasons
from loaders.reading import Reading
from loaders.report import Counts, Report
from loaders.values import Rules

STRICT_REMEDY = "mend it, or load without --strict"


@dataclass
class Work:
    """Shared by the steps of one load. Without `root` and `staging` it is a check, and writes nothing.

    `deletes` are paths below the home that go when the load is published; `references` the
    identifiers of other feeds that the rows read name, by feed and column; `names` the identifiers
    that feeds themselves name.
    """

    settings: Settings
    pseudonyms: Pseudonyms
    root: Path | None = None
    staging: Path | None = None
    strict: bool = False
    report: Report = field(default_factory=Report)
    deletes: list[str] = field(default_factory=list)
    references: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.how = Rules(self.pseudonyms, self.settings.country, self.settings.timezone)
        self.inventory = Inventory.read(self.root) if self.root else Inventory()
        self.lake = Lake(self.root / "lake") if self.root else None

    def counts(self, feed: str) -> Counts:
        return self.report.feeds[feed]

    def count(self, feed: str, record: FileRecord, taken: int) -> None:
        """Add a file's rows, of which `taken` are new in the lake."""
        counts = self.counts(feed)
        counts.read += record.read
        counts.quarantined += record.quarantined
        counts.values_dropped += record.values_dropped
        counts.withheld += record.withheld
        counts.taken += taken
        counts.repeated += record.good - taken

    def stop_if_strict(self, reading: Reading) -> None:
        """Raise RowsQuarantined at the first quarantined row of a strict load."""
        if self.strict and reading.aside.reasons.first:
            raise RowsQuarantined(reading.aside.reasons.first, STRICT_REMEDY)

    def keep_aside(self, feed: str, readings: Sequence[Reading]) -> None:
        """Say where the rows of files about to be read go that are not taken."""
        for number, reading in enumerate(readings):
            if self.staging is not None:
                reading.aside.path = self.staging / "quarantine" / f".{feed}.{number}"

    def set_aside(self, feed: str, readings: Sequence[Reading], skipped: Sequence[str] = ()) -> None:
        """Report and stage what was quarantined in the files read; of files skipped, report what is known.

        Raises RowsQuarantined in a strict load where that is a row or more.
        """
        reasons = quarantine.known(self.root, feed, skipped) if self.root is not None else Reasons()
        for reading in readings:
            reasons.join(reading.aside.reasons)
        if self.strict and (reasons.first or self.counts(feed).quarantined):
            raise RowsQuarantined(reasons.first or f"{feed} has rows in the quarantine", STRICT_REMEDY)
        self.report.quarantined += reasons.summary(feed)
        if self.root is not None and self.staging is not None and readings:
            again = {reading.file.name: reading.aside for reading in readings}
            self.deletes += quarantine.merge(self.root, self.staging, feed, again)

    def refer(self, feed: str, readings: Sequence[Reading]) -> None:
        """Note the identifiers of other feeds that were read."""
        found = self.references.setdefault(feed, {})
        for reading in readings:
            for column, identifiers in reading.references.items():
                found.setdefault(column, set()).update(identifiers)

    def stage(self, name: str, table: pa.Table) -> None:
        """Write a file of the lake where it waits to be published. A check has nowhere to: TypeError."""
        if self.staging is None:
            raise TypeError("a check stages nothing")
        path = self.staging / "lake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd", row_group_size=1 << 20)

    def present(self, table: str) -> list[Path]:
        """The files of a lake table as they will be when this load is published, sorted by their place there."""
        here = self.lake.files(table) if self.lake is not None else []
        if self.root is None or self.staging is None:
            return here
        lake = self.staging / "lake"
        staged = [lake / f"{table}.parquet", *(lake / table).glob("*/*.parquet")]
        places = {self.root / path.relative_to(self.staging): path for path in staged if path.exists()}
        gone = {self.root / name for name in self.deletes}
        return [places.get(path, path) for path in sorted({*here, *places} - gone)]
