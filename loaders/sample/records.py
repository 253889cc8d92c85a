"""Calls as an operator's switches record them: one side or both, long ones in parts, some without a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.sample.calendar import Calendar
from loaders.sample.calls import Events, other_events, tie_events
from loaders.sample.files import CSV_ROWS, FeedFolder
from loaders.sample.geography import Geography
from loaders.sample.lifecycle import Life
from loaders.sample.numbering import SENDERS
from loaders.sample.people import People
from loaders.sample.places import Places, cell_at
from loaders.sample.streams import Streams
from loaders.sample.ties import CALLS_A_MONTH, Ties

BLOCK = 500_000
BOTH_SIDES = 0.16
PART_SECONDS = 1800


@dataclass
class Traffic:
    """Per customer and month, (n,): seconds called, messages written, events of both directions."""

    seconds: np.ndarray
    messages: np.ndarray
    events: np.ndarray


def write_calls(
    streams: Streams,
    calendar: Calendar,
    folder: FeedFolder,
    month: int,
    ties: Ties,
    people: People,
    life: Life,
    geography: Geography,
    places: Places,
    cell_ids: pa.Array,
    number: pa.Array,
    services: int,
    calls: float = CALLS_A_MONTH,
) -> Traffic:
    """Write one month in blocks. `number`: text of every node and then of the services, plain digits or short codes.

    The second month is CSV with numbers as 00999…, the others are Parquet with +999….
    """  # fmt: skip
    name = calendar.names[month]
    expected = calls * people.n * 1.3
    form = "csv" if month == 1 and expected < CSV_ROWS else "parquet"
    long = pc.greater(pc.utf8_length(number), 6)
    shown = pc.if_else(long, pc.binary_join_element_wise("00" if form == "csv" else "+", number, ""), number)
    # withheld and alphanumeric callers follow the numbers
    shown = pa.concat_arrays([shown, pa.array(SENDERS)])
    n = people.n
    traffic = Traffic(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))
    stays = life.month_before(calendar.months)[:, month] & life.moves_less
    with folder.part("calls", name, form) as part:
        starts = range(0, len(ties), BLOCK)
        for block, begin in enumerate([*starts, -1]):
            rng = streams("records", month, block)
            if begin < 0:
                events = other_events(streams, calendar, month, people, life, services)
            else:
                events = tie_events(streams, calendar, month, block, slice(begin, begin + BLOCK), ties, people, life)
            _count(traffic, events, n)
            part.write(
                _records(rng, calendar, events, people, life, geography, places, cell_ids, shown, stays, month, block)
            )
    return traffic


def _count(traffic: Traffic, events: Events, n: int) -> None:
    out = events.caller < n
    caller = events.caller[out]
    traffic.seconds += np.bincount(caller, events.length[out], n).astype(np.int64)
    traffic.messages += np.bincount(caller, events.message[out], n).astype(np.int64)
    traffic.events += np.bincount(caller, minlength=n)
    traffic.events += np.bincount(events.callee[events.callee < n], minlength=n)


def _records(
    rng: np.random.Generator, calendar: Calendar, events: Events, people: People, life: Life,
    geography: Geography, places: Places, cell_ids: pa.Array, shown: pa.Array, stays: np.ndarray, month: int,
        block: int,
) -> pa.Table:  # fmt: skip
    n, size = people.n, len(events)
    out_side, in_side = events.caller < n, events.callee < n
    both = out_side & in_side & (rng.random(size) < BOTH_SIDES) & (events.caller != events.callee)
    both &= events.second % 86_400 < 86_390  # the second record stays in the same day
    first, again = np.arange(size), np.flatnonzero(both)
    parts = np.flatnonzero((events.length > PART_SECONDS) & ~both)
    parts = parts[events.second[parts] // 86_400 == (events.second[parts] + PART_SECONDS) // 86_400]
    row = np.concatenate([first, again, parts])
    side_in = np.concatenate([~out_side, np.ones(len(again), bool), ~out_side[parts]])
    second = events.second[row].copy()
    second[size : size + len(again)] += rng.integers(0, 4, len(again))
    second[size + len(again) :] += PART_SECONDS
    length = events.length[row].copy()
    split = np.zeros(size, bool)
    split[parts] = True
    length[:size][split] = PART_SECONDS
    length[size + len(again) :] -= PART_SECONDS

    caller = events.caller[row]
    nameless = (caller >= n) & (rng.random(size) < 0.04)[row]
    sender = len(shown) - len(SENDERS) + rng.integers(0, len(SENDERS), size)[row]
    reporter = np.where(side_in, events.callee[row], caller).clip(0, n - 1)
    day = second // 86_400
    cell = cell_at(
        rng, geography, places, people, life, reporter, calendar.weekday(day), second % 86_400 // 3600, stays
    )
    # an empty `record` stands for one record a call; given only where both sides report, and at some others
    marked = np.concatenate([both | split | (rng.random(size) < 0.5), np.ones(len(again) + len(parts), bool)])
    call = np.concatenate([np.where(split, np.arange(size), -1), np.full(len(again), -1), parts])
    call_id = pc.binary_join_element_wise(f"c{month}-{block}-", pa.array(call).cast(pa.string()), "")
    answered = pa.array(events.answered[row], mask=rng.random(len(row)) < 0.3)
    order = np.argsort(second, kind="stable")
    return pa.table(
        {
            "caller": shown.take(pa.array(np.where(nameless, sender, caller))),
            "callee": shown.take(pa.array(events.callee[row])),
            "at": calendar.moments(second),
            "seconds": length,
            "kind": pa.array(["voice", "message"]).take(pa.array(events.message[row].astype(np.int8))),
            "answered": answered,
            "cell": pc.if_else(pa.array(rng.random(len(row)) < 0.97), cell_ids.take(pa.array(cell)), None),
            "record": pc.if_else(pa.array(marked), pa.array(["out", "in"]).take(pa.array(side_in.astype(np.int8))),
            None),
            "call": pc.if_else(pa.array(call >= 0), call_id, None),
        }
    ).take(pa.array(order))  # fmt: skip
