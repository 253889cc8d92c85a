"""Call records to contacts: one row a user, contact and period, each pair in both directions.

Two tables, sorted by user and contact, one partition a period:

`contacts`        pairs of which at least one side is a customer and none is a service number
`contacts_apart`  the other pairs (service numbers, calls between two off-net numbers), the same columns

A period is built from its own call records alone, so memory does not grow with the number of periods. When
customers or service numbers change later, rows move between the two tables and no call is read again.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

import ibis
import ibis.expr.datatypes as types
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls import records, services
from graph.calls.ids import Positions, as_words
from graph.calls.state import Inputs, digest, writing
from graph.calls.windows import fingerprints
from lake.periods import first_day
from lake.progress import track
from lake.settings import Settings
from lake.tables import Lake

SCHEMA = pa.schema(
    [("user", pa.binary()), ("contact", pa.binary())]
    + [
        (name, pa.int64())
        for name in ("calls_out", "calls_in", "seconds_out", "seconds_in", "messages_out", "messages_in", "days")
    ]
    + [("first_at", pa.timestamp("us")), ("last_at", pa.timestamp("us"))]
)
TABLES = ("contacts", "contacts_apart")
COUNTS = ("calls", "seconds", "messages")

WHOLE = SCHEMA.names[2:9]
"""The columns that count: DuckDB adds integers up in 128 bits, which Parquet holds as doubles."""

BATCH = 1 << 16
BUCKET_ROWS = 4_000_000
"""Records added up at once: their pairs stay within the engine's memory, were each record a pair of its own or not."""

MEMORY_MB = 250
"""What the engine may hold of a period at once; the rest waits on disk, beside the lake's tables."""


@ibis.udf.scalar.builtin
def bit_count(value: int) -> types.int64:  # type: ignore[empty-body,valid-type]
    """The engine's own `bit_count` (DuckDB and Spark have it), which Ibis does not name."""


def build(lake: Lake, settings: Settings) -> list[str]:
    """Make `contacts` of every period whose call records changed; returns the periods that were written or dropped.

    Also writes `services` (`user, callers, called`): the numbers set apart by behaviour. A lake without calls
    loses its contacts. Raises NotReady where there are calls and no customers.
    """
    inputs = Inputs(lake)
    wanted = fingerprints(lake, settings, inputs)
    gone = sorted({period for name in TABLES for period in lake.partitions(name)} - set(wanted))
    for period in gone:
        for name in TABLES:
            lake.drop(name, period)
        inputs.forget("contacts", period)
    if not wanted:
        lake.drop("services")
        inputs.forget("split")
        inputs.save()
        return gone
    known_print = _print(services.classes(lake))  # read again when pairs are split: it need not be held meanwhile
    stale = [period for period in wanted if inputs.get("contacts", period) != wanted[period]]
    if not stale and not gone and inputs.get("split", "known") == known_print:
        return []
    with tempfile.TemporaryDirectory(dir=lake.root, prefix=".contacts-") as folder:
        bounded = Lake(lake.root, Path(folder) / "spill", MEMORY_MB)
        bounded.connection.raw_sql("SET preserve_insertion_order = false")  # which costs memory; `_split` sorts
        made = {period: _pairs(bounded, period, Path(folder)) for period in track(stale, "contacts")}
        moved = _split(bounded, wanted, made)
        bounded.connection.disconnect()
    for period, print_ in wanted.items():
        inputs.put("contacts", period, print_)
    inputs.put("split", "known", known_print)
    inputs.save()
    return sorted({*gone, *moved})


def _print(known: pa.Table) -> str:
    columns = (known[name] for name in known.column_names)
    return digest(*((as_words(c) if c.type == pa.binary() else c.to_numpy()).tobytes() for c in columns))


def _pairs(lake: Lake, period: str, folder: Path) -> list[Path]:
    """Each pair of a period once, `user` before `contact`, as files that no pair is in two of.

    Calls are dealt out by pair to buckets that are added up one after the other, each in memory: adding up all
    at once would go to disk and back, row by row.
    """
    records_there = lake.scan("calls", *records.months_of(lake, period)).count().execute()
    buckets = 1 << math.ceil(math.log2(max(1, records_there / BUCKET_ROWS)))
    dealt = folder / period
    dealt.mkdir()
    for number, calls in enumerate(records.calls(lake, period)):
        rows = _by_pair(calls, period, buckets)
        lake.connection.to_parquet(rows, str(dealt / str(number)), partition_by="bucket")
    made: list[Path] = []
    for bucket in range(buckets):
        if files := sorted(str(file) for file in dealt.glob(f"*/bucket={bucket}/*.parquet")):
            made.append(folder / f"{period}-{bucket}.parquet")
            rows = lake.connection.read_parquet(files, hive_partitioning=False)
            lake.connection.to_parquet(_added(rows), str(made[-1]))
    shutil.rmtree(dealt)
    return made


def _by_pair(calls: ibis.Table, period: str, buckets: int) -> ibis.Table:
    """Calls by pair: `out` where the first of the two called; the day as a bit, to be counted once a pair.

    Pseudonyms are taken for UUIDs, which are as long and sort alike, and which DuckDB does not keep on a heap.
    """
    parties = calls.mutate(caller=calls.caller.cast("uuid"), callee=calls.callee.cast("uuid"))
    first, second = ibis.least(parties.caller, parties.callee), ibis.greatest(parties.caller, parties.callee)
    day = calls.day.delta(ibis.date(first_day(period)), unit="day").cast("int64")
    rows = parties.select(
        "at",
        "seconds",
        "message",
        user=first,
        contact=second,
        out=parties.caller < parties.callee,
        day_bit=ibis.literal(1, "int64") << day,
    )
    return rows.mutate(bucket=(rows.user.hash() ^ rows.contact.hash()) & (buckets - 1))


def _added(rows: ibis.Table) -> ibis.Table:
    """Calls of `_by_pair` added up: the columns of `contacts`, seen from the first of the two."""
    pairs = rows.group_by("user", "contact").aggregate(
        **{
            f"{name}_{side}": value
            for side, there in {"out": rows.out, "in": ~rows.out}.items()
            for name, value in {
                "calls": rows.count(where=there & ~rows.message),
                "seconds": rows.seconds.sum(where=there & ~rows.message).fill_null(0),
                "messages": rows.count(where=there & rows.message),
            }.items()
        },
        days=bit_count(rows.day_bit.bit_or()),
        first_at=rows["at"].min(),
        last_at=rows["at"].max(),
    )
    pairs = pairs.mutate(user=pairs.user.cast("binary"), contact=pairs.contact.cast("binary"))
    return pairs.select(SCHEMA.names).cast(dict.fromkeys(WHOLE, "int64"))


def _both_ways(pairs: ibis.Table) -> ibis.Table:
    """Each pair seen from both sides, from rows that hold it once."""
    back = {"user": "contact", "contact": "user"}
    for name in COUNTS:
        back |= {f"{name}_out": f"{name}_in", f"{name}_in": f"{name}_out"}
    return pairs.union(pairs.select(**{name: pairs[back.get(name, name)] for name in pairs.columns}), distinct=False)


def _split(lake: Lake, wanted: dict[str, str], made: dict[str, list[Path]]) -> set[str]:
    """Sort each period's pairs into the two tables; a period without news is rewritten only when a row must move."""
    pairs = {
        period: _both_ways(_read(lake, made[period])) if period in made else _stored(lake, period) for period in wanted
    }
    rule = _rule(lake, pairs)
    moved = set()
    for period, rows in pairs.items():
        if period not in made and all(batch["is_apart"].equals(rule.of(batch)) for batch in _batches(lake, rows)):
            continue
        with (
            writing(lake.root / f"contacts/period={period}/part-0.parquet", SCHEMA) as kept,
            writing(lake.root / f"contacts_apart/period={period}/part-0.parquet", SCHEMA) as apart,
        ):
            for batch in _batches(lake, rows.order_by("user", "contact")):
                is_apart = rule.of(batch)
                kept.write(batch.filter(pc.invert(is_apart)))
                apart.write(batch.filter(is_apart))
        moved.add(period)
    return moved


def _rule(lake: Lake, pairs: dict[str, ibis.Table]) -> Apart:
    """Finds the service numbers, and writes them down."""
    known = services.classes(lake)
    found = services.found_services(pairs, known)
    lake.write("services", found)
    return Apart(services.with_found(known, found))


class Apart:
    """Which pairs belong to `contacts_apart`, by what is known of their numbers: `user, on_net, service`, sorted.

    Numbers that nothing is known of are off-net. Looked up batch by batch: a join of the engine would hold the
    customers several times over.
    """

    def __init__(self, known: pa.Table) -> None:
        self._positions = Positions(known["user"])
        self._on_net, self._service = (
            np.append(np.asarray(known[name]).astype(np.bool_), False)  # position -1: the last, known of nothing
            for name in ("on_net", "service")
        )

    def of(self, pairs: pa.RecordBatch) -> pa.BooleanArray:
        user, contact = self._positions.of(pairs["user"]), self._positions.of(pairs["contact"])
        service = self._service[user] | self._service[contact]
        return pa.array(service | ~(self._on_net[user] | self._on_net[contact]))


def _batches(lake: Lake, rows: ibis.Table) -> pa.RecordBatchReader:
    return lake.connection.to_pyarrow_batches(rows, chunk_size=BATCH)


def _read(lake: Lake, files: list[Path]) -> ibis.Table:
    if not files:
        return ibis.memtable(SCHEMA.empty_table())
    return lake.connection.read_parquet([str(file) for file in files])


def _stored(lake: Lake, period: str) -> ibis.Table:
    kept, apart = (lake.scan(name, period) for name in TABLES)
    return kept.mutate(is_apart=False).union(apart.mutate(is_apart=True), distinct=False)
