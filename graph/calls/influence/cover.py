"""Seeds that meet as many reverse-reachable sets as can be: greedy maximum coverage, by number or by budget.

By number, the greedy choice meets at least 1 - 1/e of what the best k could (Nemhauser, Wolsey, Fisher 1978). With
costs, the better of the greedy choice by gain per cost and the best affordable single seed meets at least
(1 - 1/e) / 2 of it (Leskovec et al., KDD 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from graph.calls.influence.reverse_sets import ReverseSets


@dataclass(frozen=True)
class Cover:
    """`seeds` (k,) int32 in the order chosen; `gains` (k,) int64, how many further sets each met."""

    seeds: np.ndarray
    gains: np.ndarray

    @property
    def met(self) -> int:
        """How many sets the seeds meet."""
        return int(self.gains.sum())


def by_number(sets: ReverseSets, eligible: np.ndarray, k: int) -> Cover:
    """The greedy k of the `eligible` (n,) bool; fewer where there are fewer. Equal gains: the lowest position."""
    return by_budget(sets, eligible, np.ones(len(eligible)), float(k))


def by_budget(sets: ReverseSets, eligible: np.ndarray, cost: np.ndarray, budget: float) -> Cover:
    """The greedy seeds by gain per `cost` (n,), as long as they fit the `budget`, or the best single one."""
    n = len(eligible)
    starts, inside = _inverted(sets.starts, sets.members, n)
    fits = eligible & (cost <= budget)
    cover = Cover(*_greedy(sets.starts, sets.members, starts, inside, fits, cost.astype(np.float64), float(budget)))
    counts = np.where(fits, np.diff(starts), -1)
    if n and counts.max() > cover.met:
        single = int(counts.argmax())
        return Cover(np.array([single], np.int32), np.array([counts[single]], np.int64))
    return cover


@numba.njit(cache=True)
def _inverted(starts: np.ndarray, members: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    begin = np.zeros(n + 1, np.int64)
    for i in range(members.shape[0]):
        begin[members[i] + 1] += 1
    begin = np.cumsum(begin)
    fill = begin[:-1].copy()
    inside = np.empty(members.shape[0], np.int32)
    for one in range(starts.shape[0] - 1):
        for i in range(starts[one], starts[one + 1]):
            v = members[i]
            inside[fill[v]] = one
            fill[v] += 1
    return begin, inside


@numba.njit(cache=True)
def _greedy(
    set_starts: np.ndarray,
    members: np.ndarray,
    starts: np.ndarray,
    inside: np.ndarray,
    fits: np.ndarray,
    cost: np.ndarray,
    budget: float,
) -> tuple[np.ndarray, np.ndarray]:
    n = fits.shape[0]
    gain = starts[1:] - starts[:-1]
    left = fits.copy()
    met = np.zeros(set_starts.shape[0] - 1, np.bool_)
    seeds, gains = np.empty(n, np.int32), np.empty(n, np.int64)
    chosen, money = 0, budget
    while True:
        best, rate = -1, 0.0
        for v in range(n):
            if left[v] and cost[v] <= money:
                worth = gain[v] / cost[v] if cost[v] > 0 else np.inf
                if gain[v] > 0 and worth > rate:
                    best, rate = v, worth
        if best < 0:
            break
        seeds[chosen], gains[chosen] = best, gain[best]
        chosen += 1
        money -= cost[best]
        left[best] = False
        for i in range(starts[best], starts[best + 1]):
            one = inside[i]
            if not met[one]:
                met[one] = True
                for j in range(set_starts[one], set_starts[one + 1]):
                    gain[members[j]] -= 1
    return seeds[:chosen].copy(), gains[:chosen].copy()
