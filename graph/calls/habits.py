"""What each customer was used to: the contacts of up to three earlier periods taken together, and what is left of them.

Compressed rows as in `graph.calls.ties`. Circles expected from habits (`graph.calls.rarefaction`) and circles that
shrink against them (`graph.calls.shrinking`) are read off these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from graph.calls import ties
from graph.calls.ties import Ties

EARLIER = 3
"""Earlier periods that a customer's own past is read from."""


@dataclass(frozen=True)
class Habits:
    """Row u holds the contacts that the customer at position u had in the earlier periods that count for them.

    `history` (n,) int8: how many those are. `starts` (n + 1,) int64. `calls` (m,) int32: calls and messages of those
    periods together; `seen` (m,) uint8: bit k is set for a contact of the period k + 1 before; `now` (m,) int32:
    calls and messages this period.
    """

    history: np.ndarray
    starts: np.ndarray
    calls: np.ndarray
    seen: np.ndarray
    now: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(n,) int64, distinct contacts of each customer's habits."""
        return np.diff(self.starts)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """(n,) of each customer's sum of `values` (m,); whole numbers stay whole."""
        kind = np.float64 if values.dtype.kind == "f" else np.int64
        added = np.concatenate([np.zeros(1, kind), np.cumsum(values, dtype=kind)])
        return added[self.starts[1:]] - added[self.starts[:-1]]


def habits(now: Ties, earlier: list[Ties], history: np.ndarray) -> Habits:
    """Habits from earlier periods, the latest first, of which `history` (n,) count for each customer."""
    n = len(now.starts) - 1
    nothing = ties.empty(n)
    periods = [*earlier, *[nothing] * (EARLIER - len(earlier))][:EARLIER]
    starts = tuple(one.starts for one in periods)
    contact = tuple(one.contact for one in periods)
    calls = tuple(one.out + one.in_ for one in periods)
    counted = np.minimum(history, len(earlier)).astype(np.int8)
    rows = np.zeros(n + 1, np.int64)
    np.cumsum(_different(counted, starts, contact), out=rows[1:])
    return Habits(
        counted, rows, *_pool(rows, counted, starts, contact, calls, now.starts, now.contact, now.out + now.in_)
    )


@numba.njit(inline="always")
def _next(u, periods, starts, contact, place):  # type: ignore[no-untyped-def]
    """The smallest contact that any period has left, -1 when there is none."""
    found = np.int64(-1)
    for k in range(periods):
        if place[k] < starts[k][u + 1]:
            other = np.int64(contact[k][place[k]])
            if found < 0 or other < found:
                found = other
    return found


@numba.njit(cache=True, parallel=True)
def _different(history, starts, contact):  # type: ignore[no-untyped-def]
    """(n,) int64: distinct contacts of the periods that count."""
    size = np.zeros(history.shape[0], np.int64)
    for u in numba.prange(history.shape[0]):
        place = np.empty(EARLIER, np.int64)
        for k in range(history[u]):
            place[k] = starts[k][u]
        while True:
            other = _next(u, history[u], starts, contact, place)
            if other < 0:
                break
            size[u] += 1
            for k in range(history[u]):
                if place[k] < starts[k][u + 1] and contact[k][place[k]] == other:
                    place[k] += 1
    return size


@numba.njit(cache=True, parallel=True)
def _pool(rows, history, starts, contact, calls, now_starts, now_contact, now_calls):  # type: ignore[no-untyped-def]
    """Sorted rows of the periods merged; returns `calls`, `seen` and `now` of `Habits`."""
    added = np.zeros(rows[-1], np.int32)
    seen = np.zeros(rows[-1], np.uint8)
    now = np.zeros(rows[-1], np.int32)
    for u in numba.prange(history.shape[0]):
        place = np.empty(EARLIER, np.int64)
        for k in range(history[u]):
            place[k] = starts[k][u]
        i, end = now_starts[u], now_starts[u + 1]
        for row in range(rows[u], rows[u + 1]):
            other = _next(u, history[u], starts, contact, place)
            for k in range(history[u]):
                if place[k] < starts[k][u + 1] and contact[k][place[k]] == other:
                    added[row] += calls[k][place[k]]
                    seen[row] |= np.uint8(1 << k)
                    place[k] += 1
            while i < end and now_contact[i] < other:
                i += 1
            if i < end and now_contact[i] == other:
                now[row] = now_calls[i]
    return added, seen, now
