"""One month's visits to `web_use` (what was recognised) and `web_unknown` (what was not), in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake.engine import Engine
from loaders.urls.hosts import fit_to_be_seen
from loaders.urls.match import match
from loaders.urls.rules import MEANING, Rules

ROWS = 1 << 18

WEB_USE = pa.schema(
    [
        ("user", pa.binary()),
        ("day", pa.date32()),
        ("hour", pa.uint8()),
        *((name, pa.string()) for name in MEANING),
        ("visits", pa.int64()),
        ("mb", pa.float64()),
        ("first_at", pa.timestamp("us")),
        ("last_at", pa.timestamp("us")),
    ]
)
"""A row a user, day and meaning; `hour` is the first visit's."""

WEB_UNKNOWN = pa.schema([("user", pa.binary()), ("host", pa.string()), ("visits", pa.int64()), ("mb", pa.float64())])
"""A row a user and host; the host is null where it is not fit to be seen."""

_CODED = pa.schema(
    [
        ("user", pa.binary()),
        ("day", pa.date32()),
        ("hour", pa.uint8()),
        ("at", pa.timestamp("us")),
        ("mb", pa.float64()),
        ("meaning", pa.int32()),
        ("host", pa.string()),
    ]
)


def translate_month(files: list[Path], rules: Rules, engine: Engine, use: Path, unknown: Path) -> None:
    """Write the two tables of a month's visits (`files`) to these paths, sorted; one without rows is not written."""
    visits = engine.stream("visits", pa.RecordBatchReader.from_batches(_CODED, _coded(files, rules)))
    micro = (visits.mb * 1_000_000).round().cast("int64")  # whole numbers: the order of adding does not show
    groups = visits.group_by("meaning", "user", "day", "host").agg(
        visits=visits.count(),
        mb=micro.sum().cast("float64") / 1_000_000,
        hour=visits.hour.min(),
        first_at=visits["at"].min(),
        last_at=visits["at"].max(),
    )
    ordered = groups.order_by(groups.meaning >= 0, "user", "day", "meaning", "host")
    with _Part(unknown, WEB_UNKNOWN) as not_known, _Part(use, WEB_USE) as known:
        for batch in ordered.to_pyarrow_batches(chunk_size=ROWS):
            rows = pa.Table.from_batches([batch])
            first_known = pc.sum(pc.less(rows["meaning"], 0)).as_py() or 0
            not_known.add(rows.slice(0, first_known))
            known.add(_named(rows.slice(first_known), rules))


def _coded(files: list[Path], rules: Rules) -> Iterator[pa.RecordBatch]:
    """Visits with what they stand for in place of their addresses: each distinct address of a batch is matched once."""
    for path in files:
        with pq.ParquetFile(path, read_dictionary=["url"]) as file:
            for batch in file.iter_batches(ROWS, columns=["user", "day", "hour", "at", "mb", "url"]):
                address = batch.column("url")
                meaning, hosts = match(rules, address.dictionary)
                place = address.indices
                found = pa.array(meaning).take(place)
                known = pc.greater_equal(found, 0)
                day = pc.if_else(known, batch.column("day"), pa.scalar(None, pa.date32()))
                plain = [batch.column(name) for name in ("hour", "at", "mb")]
                host = fit_to_be_seen(hosts).take(place)
                yield pa.record_batch([batch.column("user"), day, *plain, found, host], schema=_CODED)


def _named(rows: pa.Table, rules: Rules) -> pa.Table:
    meanings = rules.meanings.take(rows["meaning"])
    for name in MEANING:
        rows = rows.append_column(name, meanings[name])
    return rows


class _Part:
    """One Parquet file, made with its first row, in row groups that do not depend on how the rows arrive."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema, self.waiting = path, schema, schema.empty_table()
        self.writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.waiting.num_rows:
            self._write(self.waiting)
        if self.writer is not None:
            self.writer.close()

    def add(self, rows: pa.Table) -> None:
        self.waiting = pa.concat_tables([self.waiting, rows.select(self.schema.names).cast(self.schema)])
        while self.waiting.num_rows >= ROWS:
            self._write(self.waiting.slice(0, ROWS))
            self.waiting = self.waiting.slice(ROWS)

    def _write(self, rows: pa.Table) -> None:
        if self.writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            few = [name for name in self.schema.names if name in ("day", "hour", "host", *MEANING)]
            self.writer = pq.ParquetWriter(self.path, self.schema, compression="zstd", use_dictionary=few)
        self.writer.write_table(rows.combine_chunks())
