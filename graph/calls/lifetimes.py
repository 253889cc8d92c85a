"""From when until when a customer is followed: from activation or the first call until they left."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.ids import Positions
from graph.calls.ties import active
from lake.periods import Length, period_of
from lake.tables import Lake


@dataclass(frozen=True)
class Customers:
    """The lake's customers by position, and the periods they are followed in.

    `first` and `last` (n,) int32 are places in `periods`, both included; `last` < `first` where there is none.
    """

    users: pa.Array
    positions: Positions
    on_net: np.ndarray
    person: np.ndarray
    gone: np.ndarray
    periods: list[str]
    first: np.ndarray
    last: np.ndarray

    def listed(self, place: int) -> np.ndarray:
        """(n,) bool: who has a row in the period at that place."""
        return self.on_net & (self.first <= place) & (place <= self.last)

    def history(self, place: int, most: int) -> np.ndarray:
        """(n,) int8: how many earlier periods, at most `most`, each customer was followed in."""
        return np.clip(place - self.first, 0, most).astype(np.int8)


def read(lake: Lake, length: Length, today: dt.date) -> Customers:
    """Customers and their lifetimes.

    A customer begins in the period of `activated_on` (or of an earlier call; not when `account` says that
    the number had another holder before), without it in the period of their first call, and without any call
    in the first period. They end in the period of a past `left_on`; a customer whose status is left, or of whom
    neither status nor date is known, ends in the first of the silent periods that reach to the last one.
    Periods in which nobody has a record were not handed in and do not count as silent.
    """
    table = lake.read("customers", ["user", "off_net", "kind", "status", "activated_on", "left_on", "account"])
    users = table["user"].combine_chunks()
    positions = Positions(users)
    periods = lake.partitions("contacts")
    ends = len(periods)
    first_call, last_call = np.full(len(users), ends), np.full(len(users), -1)
    for place, period in enumerate(periods):
        now = active(lake, period, positions)
        last_call[now] = place
        first_call[now & (first_call == ends)] = place
    begun = _places(table["activated_on"], lambda day: bisect_left(periods, period_of(day, length)))
    left = _places(table["left_on"], lambda day: bisect_right(periods, period_of(day, length)) - 1)
    passed = _mask(pc.less(table["left_on"], pa.scalar(today)))
    inherited = _mask(pc.is_valid(table["account"])) & (begun >= 0)

    first = np.where(begun < 0, np.where(last_call < 0, 0, first_call), np.minimum(begun, first_call))
    first = np.where(inherited, begun, first)
    unsaid = _mask(pc.and_(pc.is_null(table["status"]), pc.is_null(table["left_on"])))
    says_left = _mask(pc.equal(table["status"], "left"))
    silent_end = np.minimum(last_call + 1, ends - 1)
    last = np.full(len(users), ends - 1)
    last = np.where(unsaid & (last_call >= 0), silent_end, last)
    last = np.where(says_left, np.where(last_call >= 0, silent_end, -1), last)
    last = np.where(passed, left, last)
    silent_left = unsaid & (last_call >= 0) & (last_call < ends - 1)
    return Customers(
        users=users,
        positions=positions,
        on_net=~_mask(table["off_net"]),
        person=_mask(pc.equal(table["kind"], "person")),
        gone=passed | says_left | silent_left,
        periods=periods,
        first=first.astype(np.int32),
        last=last.astype(np.int32),
    )


def _mask(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column, False).to_numpy().astype(bool)


def _places(days: pa.ChunkedArray, place_of) -> np.ndarray:  # type: ignore[no-untyped-def]
    """(n,) int64: the place of each date, -1 where there is none; each distinct date is looked up once."""
    encoded = days.combine_chunks().dictionary_encode()
    places = np.array([place_of(day) for day in encoded.dictionary.to_pylist()] + [-1], np.int64)
    return places[pc.fill_null(encoded.indices, len(places) - 1).to_numpy()]
