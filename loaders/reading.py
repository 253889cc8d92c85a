"""One feed file to checked batches, whatever its format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import FeedError
from lake.progress import track
from loaders import rows
from loaders.ahead import ahead
from loaders.csv_reader import CsvFile
from loaders.feeds import FEEDS
from loaders.folder import FeedFile, unreadable
from loaders.inventory import FileRecord
from loaders.parquet_reader import ParquetFile
from loaders.quarantine import Aside
from loaders.rows import Checked
from loaders.steady import steady
from loaders.values import Rules


@dataclass
class Reading:
    """Reads one file: its columns are checked at once, its rows as `batches` is run through.

    After that, `record` has its counts, `aside` its quarantined rows and `references` the identifiers
    of other feeds that its good rows name. Raises FeedError for a missing required column, a column
    that comes twice, and what the readers refuse.
    """

    file: FeedFile
    how: Rules
    encoding: str
    record: FileRecord = field(init=False)
    aside: Aside = field(default_factory=Aside)
    references: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feed = FEEDS[self.file.feed]
        self.record = FileRecord(self.file.name)
        try:
            self._before = self.file.path.stat()
        except OSError as error:
            raise unreadable(self.file, error) from error
        with steady(self.file, self._before):
            parquet = self.file.path.suffix == ".parquet"
            self._reader = ParquetFile(self.file) if parquet else CsvFile(self.file, self.encoding)
        header = self._reader.header
        self.columns = [name for name in self.feed.names if name in header]
        self.unknown = [name for name in dict.fromkeys(header) if name not in self.feed.names]
        for column in self.feed.columns:
            if column.required and column.name not in header:
                raise FeedError(
                    f"feed {self.feed.name} is refused: {self.file.name} has no column {column.name}",
                    _header_remedy(header),
                )
            if header.count(column.name) > 1:
                raise FeedError(
                    f"feed {self.feed.name} is refused: {self.file.name} has the column {column.name} twice",
                    "keep one of them",
                )

    @property
    def lake_columns(self) -> frozenset[str]:
        """Lake names of the feed's columns that the file has."""
        return frozenset(self.feed.column(name).lake_name for name in self.columns)

    def warnings(self) -> list[str]:
        return [f"{self.feed.name}: column {shown(name)} is unknown and was left out" for name in self.unknown]

    def batches(self) -> Iterator[pa.Table]:
        """The good rows in the lake's schema, in file order."""
        referring = [c for c in self.feed.columns if c.of is not None]
        with steady(self.file, self._before):
            for batch in track(ahead(self._reader.batches(self.columns)), f"reading {self.file.name}"):
                checked = rows.check(self.feed, self.file, batch, self.how)
                self._count(checked, batch.read)
                for column in referring:
                    self.references.setdefault(column.name, set()).update(
                        distinct(checked.table.column(column.lake_name))
                    )
                yield checked.table

    def _count(self, checked: Checked, read: int) -> None:
        self.record.read += read
        self.record.quarantined += checked.bad.num_rows
        self.record.values_dropped += checked.values_dropped
        self.record.withheld += checked.withheld
        self.aside.add(checked.bad)


def distinct(column: pa.Array | pa.ChunkedArray) -> set[str]:
    """The distinct identifiers of a text column, or of the lists of a list column."""
    flat = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return set(pc.unique(flat.drop_null()).to_pylist())


def shown(name: str) -> str:
    """A column's name for people; one that might be a number (a file without a header) is not repeated."""
    return "of digits" if re.search(r"\d{5}", re.sub(r"[ \-./()]", "", name)) else repr(name)


def _header_remedy(header: list[str]) -> str:
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        return "separate columns by commas"
    return "the first line must name the columns: add it, or take the file away"
