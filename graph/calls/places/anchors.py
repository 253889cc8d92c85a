"""The cell where a customer works, rests, or spends weekdays and weekends: seen there on the most days.

Nobody is placed on little evidence: the time of day must have records on `EVIDENCE_DAYS` days or more, and the cell
itself on `SEEN_DAYS`. Equal days: the cell with more records, then the first by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np

from graph.calls.places.cells import TIMES, CellUse

EVIDENCE_DAYS = 5
SEEN_DAYS = 2


@dataclass
class Anchors:
    """Days by customer and cell, added up over periods for `n` customers."""

    n: int
    user: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    cell: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    events: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    days: np.ndarray = field(default_factory=lambda: np.empty((4, 0), np.int16))
    evidence: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.evidence = np.zeros((4, self.n), np.int16)

    def add(self, use: CellUse) -> None:
        """Take a period in."""
        for time in range(4):
            self.evidence[time] += _days_of(use.user, use.days[time], self.n)
        user, cell = np.concatenate([self.user, use.user]), np.concatenate([self.cell, use.cell])
        order = np.lexsort((cell, user))
        user, cell = user[order], cell[order]
        begins = np.flatnonzero(np.r_[True, (user[1:] != user[:-1]) | (cell[1:] != cell[:-1])]) if len(user) else order
        events = np.concatenate([self.events, use.events])[order]
        days = np.concatenate([self.days, np.bitwise_count(use.days).astype(np.int16)], axis=1)[:, order]
        self.user, self.cell = user[begins], cell[begins]
        self.events = np.add.reduceat(events, begins) if len(begins) else events
        self.days = np.add.reduceat(days, begins, axis=1) if len(begins) else days

    def of(self, time: str) -> np.ndarray:
        """(n,) int32: each customer's cell at that one of `TIMES`, -1 without enough evidence."""
        place = TIMES.index(time)
        found = _most(self.user, self.cell, self.events, self.days[place], self.n)
        return np.where(self.evidence[place] >= EVIDENCE_DAYS, found, -1).astype(np.int32)


@numba.njit(cache=True)
def _days_of(user: np.ndarray, bits: np.ndarray, n: int) -> np.ndarray:
    """(n,) how many days of the period have a record at any cell."""
    days = np.zeros(n, np.int16)
    i = 0
    while i < user.shape[0]:
        who, all_bits = user[i], np.int64(0)
        while i < user.shape[0] and user[i] == who:
            all_bits |= bits[i]
            i += 1
        while all_bits:
            all_bits &= all_bits - 1
            days[who] += 1
    return days


@numba.njit(cache=True)
def _most(user: np.ndarray, cell: np.ndarray, events: np.ndarray, days: np.ndarray, n: int) -> np.ndarray:
    best = np.full(n, -1, np.int32)
    most, often = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(user.shape[0]):  # cells rise within a customer, so of equals the first stays
        u = user[i]
        if days[i] >= SEEN_DAYS and (days[i] > most[u] or (days[i] == most[u] and events[i] > often[u])):
            best[u], most[u], often[u] = cell[i], days[i], events[i]
    return best
