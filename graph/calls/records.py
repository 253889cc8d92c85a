"""Call records of one period to calls: parts of a call joined, the two sides of a call counted once.

A switch may cut one call into parts (one `call` id), and report it from the caller's side (`record` out)
and from the callee's (in). What comes out is one row a call that was answered, or a message.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import ibis
import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.periods import first_day, last_day
from lake.tables import Lake

SAME_CALL_US = 5_000_000
"""An out and an in record this many microseconds apart, or less, between the same parties are one call."""

MARGIN = dt.timedelta(days=1)
"""How far beyond the period records are looked at for the other side, or further parts, of a call at its edge."""

PAIRED_ROWS = 8_000_000
"""Records paired at once; keeps memory flat however many records a period has."""


def months_of(lake: Lake, period: str, margin: dt.timedelta = dt.timedelta(0)) -> list[str]:
    """The month partitions of `calls` that a period's days lie in: one for a month, up to two for a week."""
    first, last = first_day(period) - margin, last_day(period) + margin
    wanted = {f"{day:%Y-%m}" for day in (first, first_day(period), last_day(period), last)}
    return [month for month in lake.partitions("calls") if month in wanted]


def records(lake: Lake, months: list[str]) -> ibis.Table:
    """Usable records of some month partitions: both parties known and different, with the defaults of the feed."""
    rows = lake.scan("calls", *months)
    message = rows.kind.fill_null("voice") == "message"
    seconds = ibis.greatest(rows.seconds.fill_null(0), 0)
    return rows.filter(rows.caller.notnull(), rows.callee.notnull(), rows.caller != rows.callee).select(
        "caller",
        "callee",
        "at",
        "day",
        "record",
        "call",
        seconds=seconds,
        message=message,
        answered=message | rows.answered.fill_null(seconds > 0),
    )


def is_cut(lake: Lake, months: list[str]) -> bool:
    """Whether any record may be a part or a side of a call, so that records across the period's edge matter."""
    if not months:
        return False
    rows = records(lake, months)

    def any_of(condition: ibis.ir.BooleanValue) -> bool:
        return rows.filter(condition).limit(1).select("at").to_pyarrow().num_rows > 0

    return any_of(rows.call.notnull()) or (any_of(rows.record == "in") and any_of(rows.record == "out"))


def calls(lake: Lake, period: str) -> Iterator[ibis.Table]:
    """Answered calls and messages that began in the period, in one or more tables that together hold each once.

    Columns `caller, callee, at, day, seconds, message`; the tables are expressions that run when they are
    consumed, one after the other.
    """
    first, last = first_day(period), last_day(period)
    near = months_of(lake, period, MARGIN)
    if not months_of(lake, period):
        return
    if not is_cut(lake, near):
        rows = records(lake, months_of(lake, period))
        yield rows.filter(rows.day.between(first, last), rows.answered).drop("record", "call", "answered")
        return
    rows = records(lake, near)
    rows = rows.filter(rows.day.between(first - MARGIN, last + MARGIN))
    whole = _join_parts(rows)
    whole = whole.filter(whole.answered).drop("answered")
    alone = whole.filter(whole.record.isnull(), whole.day.between(first, last)).drop("record")
    yield alone
    sided = whole.filter(whole.record.notnull())
    blocks = max(1, math.ceil(sided.count().execute() / PAIRED_ROWS))
    for block in range(blocks):
        part = sided.filter((sided.caller.hash() % blocks + blocks) % blocks == block) if blocks > 1 else sided
        paired = _join_sides(part.order_by("caller", "callee", "message", "at", "record", "seconds").to_pyarrow())
        table = ibis.memtable(paired)
        yield table.filter(table.day.between(first, last))


def _join_parts(rows: ibis.Table) -> ibis.Table:
    """Parts with one `call` id and the same parties become one record; `record` is null where both sides are there."""
    single = rows.filter(rows.call.isnull()).drop("call")
    parts = rows.filter(rows.call.notnull())
    is_out, is_in = parts.record == "out", parts.record == "in"
    side = parts.record.fill_null("")
    joined = parts.group_by("caller", "callee", "message", "call").aggregate(
        at=parts.at.min(),
        day=parts.day.min(),
        answered=parts.answered.any(),
        has_out=is_out.fill_null(False).any(),
        has_in=is_in.fill_null(False).any(),
        out=parts.seconds.sum(where=side == "out").fill_null(0),
        in_=parts.seconds.sum(where=side == "in").fill_null(0),
        plain=parts.seconds.sum(where=side == "").fill_null(0),
    )
    one_side = joined.has_out != joined.has_in
    joined = joined.select(
        "caller",
        "callee",
        "at",
        "day",
        record=ibis.ifelse(one_side, ibis.ifelse(joined.has_out, "out", "in"), ibis.null("string")),
        seconds=joined.plain + ibis.ifelse(joined.has_out, joined.out, joined.in_),
        message=joined.message,
        answered=joined.answered,
    )
    return single.select(*joined.columns).union(joined, distinct=False)


def _join_sides(rows: pa.Table) -> pa.Table:
    """Records sorted by (caller, callee, message, at) to calls: each pair of an out and an in becomes one.

    The call begins with the earlier of the two and lasts as long as the caller's side says.
    """
    n = rows.num_rows
    if n == 0:
        return rows.drop_columns(["record"])
    rows = rows.combine_chunks()
    starts = np.ones(n, np.bool_)
    starts[1:] = False
    for name in ("caller", "callee", "message"):
        column = rows[name].chunk(0)
        starts[1:] |= pc.not_equal(column.slice(1), column.slice(0, n - 1)).to_numpy(zero_copy_only=False)
    at = rows["at"].cast(pa.int64()).to_numpy()
    out = pc.equal(rows["record"], "out").to_numpy()
    seconds = rows["seconds"].to_numpy().copy()
    keep = pair_sides(starts, at, out, seconds)
    place = rows.schema.get_field_index("seconds")
    rows = rows.set_column(place, "seconds", pa.array(seconds))
    return rows.drop_columns(["record"]).filter(pa.array(keep))


@numba.njit(cache=True)
def pair_sides(starts: np.ndarray, at: np.ndarray, out: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Which of the sorted records stay when each out is paired with at most one in within 5 s, and the reverse.

    Each record goes to the oldest unpaired record of the other side that is still near enough, which pairs as
    many as can be paired. Of a pair the earlier record stays, with the out's seconds.

    Parameters: `starts` (n,) true where another pair of parties begins; `at` (n,) microseconds, rising within
    the parties; `out` (n,) true for the caller's side; `seconds` (n,), changed in place. Returns (n,) bool.
    """
    n = at.shape[0]
    keep = np.ones(n, np.bool_)
    waiting = np.empty(n, np.int64)  # unpaired records of one side, oldest first
    head = tail = 0
    for i in range(n):
        if starts[i]:
            head = tail = 0
        while head < tail and at[i] - at[waiting[head]] > SAME_CALL_US:
            head += 1
        if head < tail and out[waiting[head]] != out[i]:
            first = waiting[head]
            head += 1
            keep[i] = False
            if out[i]:
                seconds[first] = seconds[i]
        else:
            waiting[tail] = i
            tail += 1
    return keep
