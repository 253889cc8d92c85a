"""Which channels a customer used in the last three months, and at what hours."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.tables import Lake

MONTHS = 3
HOURS = 3
RANGE = 2_000_000
"""Touches that are counted in one go."""
SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("channel", pa.string()),
        ("touches", pa.int64()),
        ("hours", pa.list_(pa.int64())),
        ("last_at", pa.timestamp("us")),
        ("rank", pa.int64()),
    ]
)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day some months earlier, or that month's last day.

    >>> months_before(dt.date(2026, 5, 31), 3)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 0, -1):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:  # no 30 February: the day before
            continue
    raise AssertionError("every month has a first day")


def measure_channel_use(lake: Lake, today: dt.date) -> pa.Table:
    """One row a user and channel: touches, up to three busiest local hours (busiest first), last moment (UTC), rank.

    The months are local days from the same day three months before `today` up to `today`. Rank 1 is the
    channel used most; equal ones go by the later last use, then by name. Empty where nobody was touched.
    """
    if not lake.has("touches"):
        return SCHEMA.empty_table()
    touches = lake.scan("touches")
    first, last = ibis.literal(months_before(today, MONTHS)), ibis.literal(today)
    recent = touches.filter(touches.day >= first, touches.day <= last)
    parts = [SCHEMA.empty_table()]
    for some in _ranges(recent, sum(pq.read_metadata(file).num_rows for file in lake.files("touches"))):
        per_hour = some.group_by("user", "channel", "hour").agg(touches=some.count(), last_at=some["at"].max())
        table = per_hour.order_by("user", "channel", ibis.desc("touches"), "hour").to_pyarrow()
        if table.num_rows:
            parts.append(_fold(table.combine_chunks()))
    return pa.concat_tables(parts)


def _ranges(touches: ibis.Table, rows: int) -> Iterator[ibis.Table]:
    """The rows in ranges of pseudonyms, in order, of about `RANGE` rows each: pseudonyms are spread evenly."""
    bounds = np.linspace(0, 1 << 16, -(-rows // RANGE) + 1).astype(int)[1:-1]
    edges = [None, *(int(bound).to_bytes(2, "big") for bound in bounds), None]
    for low, high in itertools.pairwise(edges):
        some = touches
        if low is not None:
            some = some.filter(some.user >= ibis.literal(low, "binary"))
        if high is not None:
            some = some.filter(some.user < ibis.literal(high, "binary"))
        yield some


def _fold(table: pa.Table) -> pa.Table:
    """Rows a (user, channel, hour), busiest hour first, to rows a (user, channel)."""
    users = table["user"].combine_chunks().dictionary_encode()
    channels = table["channel"].combine_chunks().dictionary_encode()
    user, channel = users.indices.to_numpy(), channels.indices.to_numpy()
    start = np.flatnonzero(np.r_[True, (user[1:] != user[:-1]) | (channel[1:] != channel[:-1])])
    group = np.repeat(np.arange(len(start)), np.diff(np.r_[start, len(user)]))
    touches = np.add.reduceat(table["touches"].to_numpy().astype(np.int64), start)
    last_at = np.maximum.reduceat(table["last_at"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(), start)

    hour_known = table["hour"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    place = np.arange(len(group)) - start[group]
    before = np.r_[0, np.cumsum(~hour_known)[:-1]]  # an unknown hour takes no place among the three
    place = place - (before - before[start[group]])
    top = hour_known & (place < HOURS)
    offsets = np.r_[0, np.cumsum(np.add.reduceat(top.astype(np.int32), start))].astype(np.int32)
    hours = pa.ListArray.from_arrays(
        pa.array(offsets), table["hour"].combine_chunks().filter(pa.array(top)).cast(pa.int64())
    )

    order = np.lexsort((channel_order(channels)[channel[start]], -last_at, -touches, user[start]))
    rank = np.empty(len(start), np.int64)
    owner = user[start][order]
    rank[order] = np.arange(len(start)) - np.searchsorted(owner, owner) + 1
    return pa.table(
        [
            users.dictionary.take(pa.array(user[start])),
            channels.dictionary.take(pa.array(channel[start])),
            pa.array(touches),
            hours,
            pa.array(last_at).cast(pa.timestamp("us")),
            pa.array(rank),
        ],
        schema=SCHEMA,
    )


def channel_order(channels: pa.DictionaryArray) -> np.ndarray:
    """Place of each dictionary entry when sorted by name."""
    names = np.array(channels.dictionary.to_pylist(), dtype=object).astype(str)
    order = np.empty(len(names), np.int64)
    order[np.argsort(names, kind="stable")] = np.arange(len(names))
    return order
