"""Call records to contacts: one row a user, contact and period, each pair in both directions.

Two tables, sorted by user and contact, one partition a period:

`contacts`        pairs of which at least one side is a customer and none is a service number
`contacts_apart`  the other pairs (service numbers, calls between two off-net numbers), the same columns

A period is built from its own call records alone, so memory does not grow with the number of periods. When
customers or service numbers change later, rows move between the two tables and no call is read again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import ibis
import ibis.expr.datatypes as types
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls import records, services
from graph.calls.ids import as_words
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

BATCH = 1 << 16
MEMORY_MB = 500
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
    known = services.classes(lake)
    known_print = digest(*(_bytes(known[name]) for name in known.column_names))
    stale = [period for period in wanted if inputs.get("contacts", period) != wanted[period]]
    if not stale and not gone and inputs.get("split", "known") == known_print:
        return []
    with tempfile.TemporaryDirectory(dir=lake.root, prefix=".contacts-") as folder:
        bounded = Lake(lake.root, Path(folder) / "spill", MEMORY_MB)
        bounded.connection.raw_sql("SET preserve_insertion_order = false")  # which costs memory; `_split` sorts
        made = {period: _pairs(bounded, period, Path(folder)) for period in track(stale, "contacts")}
        moved = _split(bounded, wanted, made, known)
        bounded.connection.disconnect()
    for period, print_ in wanted.items():
        inputs.put("contacts", period, print_)
    inputs.put("split", "known", known_print)
    inputs.save()
    return sorted({*gone, *moved})


def _bytes(column: pa.ChunkedArray) -> bytes:
    if column.type == pa.binary():
        return as_words(column).tobytes()
    return column.to_numpy().tobytes()


def _pairs(lake: Lake, period: str, folder: Path) -> Path:
    """All pairs of a period, both directions, unsorted, as a file."""
    directed = []
    for number, calls in enumerate(records.calls(lake, period)):
        directed.append(str(folder / f"{period}-{number}.parquet"))
        lake.connection.to_parquet(_directed(calls, period), directed[-1])
    there = _whole(lake.connection.read_parquet(directed))
    if len(directed) > 1:
        there = _added(there)
    pairs = _both_ways(there)
    path = folder / f"{period}.parquet"
    lake.connection.to_parquet(pairs, str(path))
    for part in directed:
        Path(part).unlink()
    return path


def _both_ways(there: ibis.Table) -> ibis.Table:
    """Each pair in both directions, from rows by (caller, callee): what went out and what came back."""
    back = there.view()
    both = there.outer_join(back, [there.caller == back.callee, there.callee == back.caller])
    sides = {"out": there, "in": back}
    return both.select(
        user=ibis.coalesce(there.caller, back.callee),
        contact=ibis.coalesce(there.callee, back.caller),
        **{f"{name}_{side}": rows[name].fill_null(0) for name in COUNTS for side, rows in sides.items()},
        days=bit_count(there.day_bits.fill_null(0) | back.day_bits.fill_null(0)),
        first_at=ibis.least(there.first_at, back.first_at),
        last_at=ibis.greatest(there.last_at, back.last_at),
    )


def _added(rows: ibis.Table) -> ibis.Table:
    """Rows of several blocks added up by (caller, callee)."""
    return rows.group_by("caller", "callee").aggregate(
        **{name: rows[name].sum().cast("int64") for name in COUNTS},
        day_bits=rows.day_bits.bit_or(),
        first_at=rows.first_at.min(),
        last_at=rows.last_at.max(),
    )


def _directed(calls: ibis.Table, period: str) -> ibis.Table:
    """Calls added up by (caller, callee); the days of the period that had one as bits, to be counted once a pair."""
    day = calls.day.delta(ibis.date(first_day(period)), unit="day").cast("int64")
    return calls.group_by("caller", "callee").aggregate(
        calls=(~calls.message).sum(),
        messages=calls.message.sum(),
        seconds=calls.seconds.sum(where=~calls.message).fill_null(0),
        day_bits=(ibis.literal(1, "int64") << day).bit_or(),
        first_at=calls["at"].min(),
        last_at=calls["at"].max(),
    )


def _whole(rows: ibis.Table) -> ibis.Table:
    """Sums as whole numbers: DuckDB adds integers up in 128 bits, which Parquet holds as doubles."""
    return rows.cast({name: "int64" for name, kind in rows.schema().items() if kind.is_numeric()})


def _split(lake: Lake, wanted: dict[str, str], made: dict[str, Path], known: pa.Table) -> set[str]:
    """Sort each period's pairs into the two tables; a period without news is rewritten only when a row must move."""
    pairs = {
        period: _whole(lake.connection.read_parquet(str(made[period]))) if period in made else _stored(lake, period)
        for period in wanted
    }
    judged = known.filter(known["judged"]).select(["user"])
    found = services.found_services(pairs, ibis.memtable(judged)) if judged.num_rows else services.NONE
    lake.write("services", found)
    classes = ibis.memtable(services.with_found(known, found))
    moved = set()
    for period, rows in pairs.items():
        marked = _marked(rows, classes)
        if period in made or marked.filter(marked.apart != marked.is_apart).count().execute():
            with (
                writing(lake.root / f"contacts/period={period}/part-0.parquet", SCHEMA) as kept,
                writing(lake.root / f"contacts_apart/period={period}/part-0.parquet", SCHEMA) as apart,
            ):
                for batch in lake.connection.to_pyarrow_batches(marked.order_by("user", "contact"), chunk_size=BATCH):
                    kept.write(batch.filter(pc.invert(batch["apart"])))
                    apart.write(batch.filter(batch["apart"]))
            moved.add(period)
    return moved


def _stored(lake: Lake, period: str) -> ibis.Table:
    kept, apart = (lake.scan(name, period) for name in TABLES)
    return kept.mutate(is_apart=False).union(apart.mutate(is_apart=True), distinct=False)


def _marked(pairs: ibis.Table, classes: ibis.Table) -> ibis.Table:
    """Pairs with `apart`: where they belong now. Numbers that no class is known of are off-net."""
    if "is_apart" not in pairs.columns:
        pairs = pairs.mutate(is_apart=ibis.literal(None, "boolean"))
    of_user = classes.select(user_key="user", user_on="on_net", user_service="service")
    of_contact = classes.select(contact_key="user", contact_on="on_net", contact_service="service")
    joined = pairs.left_join(of_user, pairs.user == of_user.user_key)
    joined = joined.left_join(of_contact, joined.contact == of_contact.contact_key)
    on_net = joined.user_on.fill_null(False) | joined.contact_on.fill_null(False)
    service = joined.user_service.fill_null(False) | joined.contact_service.fill_null(False)
    return joined.select(*pairs.columns, apart=service | ~on_net)
