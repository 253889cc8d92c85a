"""Which customer gets which offer through which channel, when channels hold only so many: prices, then a feasible plan.

    maximise   sum of scores of what is given
    such that  each customer gets at most k offers, each offer once
               channel c carries at most room[c]

Each channel gets a price λ ≥ 0. At given prices every customer decides alone: the k offers with the largest positive
score - price of the offer's cheapest channel. What all gain so, plus what the channels' room is worth, is never less
than the optimum (weak duality); the prices that make it least are sought by cutting planes (Kelley 1960), each taken
half way from the best prices known, so that few rounds are needed. At the best prices the plan is filled in, the
clearest gains first, and compared with the greedy plan; the better one stands. The bound is kept to say how good it is.

Source: Bertsekas, Nonlinear Programming, ch. 6 and 7; in-out steps: Ben-Ameur and Neto 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy.optimize import linprog

from matching.routes import first_open

ROUNDS = 100
"""Most prices that are tried."""
CLOSE = 1e-6
"""Prices are good enough when no others can lower the bound by more than this share."""
CHUNK = 8192
"""Customers whose gains are added up together, so that the sum is the same on any number of threads."""


@dataclass(frozen=True)
class Wishes:
    """What b customers could be given, as lists: customer i's are `starts[i]:starts[i + 1]`, best first.

    starts  int64 (b + 1)
    items   int32 (w): offers, each once a customer
    values  float64 (w): scores, 0 or more
    best    int16 (b, p): customers' own channels, best first, -1 after them
    group   int8 (b): row of `open_` that tells which channels are open to the customer
    open_   bool (g, c)
    through bool (o, c): channels of the offers
    order   int16 (o, q): the same as places, the offer's first channel first, -1 after them
    """

    starts: np.ndarray
    items: np.ndarray
    values: np.ndarray
    best: np.ndarray
    group: np.ndarray
    open_: np.ndarray
    through: np.ndarray
    order: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What is given. `channel` int16 (w): of each wish, -1 for not given.

    total   sum of scores given
    bound   no plan can give more
    greedy  what taking the highest scores first would give
    prices  float64 (c): what one more place on each channel would be worth, about
    """

    channel: np.ndarray
    total: float
    bound: float
    greedy: float
    prices: np.ndarray

    @property
    def gap(self) -> float:
        """Share of the bound that the plan falls short of: 0 is certainly best."""
        return max(0.0, 1 - self.total / self.bound) if self.bound > 0 else 0.0


def assign(wishes: Wishes, room: np.ndarray, k: int) -> Plan:
    """Plan for `room` int64 (c): how many offers each channel carries, -1 for any number.

    Where nothing binds, every customer gets the k best, each through the customer's best channel. The same input
    gives the same plan on any number of threads. Equal scores go in the order of customers, then of wishes.
    """
    free = np.zeros(len(room))
    channel, greedy = _filled(wishes, room, k, free, move=False)
    bound, _ = _gains(wishes, *_cheapest(wishes, free), k, len(room))
    if greedy >= bound * (1 - CLOSE):  # equal but for the order in which the scores were added
        return Plan(channel, greedy, max(bound, greedy), greedy, free)
    prices, bound = _prices(wishes, room, k)
    planned, total = _filled(wishes, room, k, prices, move=True)
    if total < greedy:
        planned, total = channel, greedy
    return Plan(planned, total, max(bound, total), greedy, prices)


def keep_useful(scores: np.ndarray, mask: np.ndarray, covers: np.ndarray, group: np.ndarray, k: int) -> tuple[
    np.ndarray, np.ndarray, np.ndarray
]:  # fmt: skip
    """Lists of wishes that hold a best plan: counts (b), items, values.

    An offer that k better ones outdo on every channel that it goes through is never needed.

    scores  float64 (b, o)
    mask    bool (b, o): offers that may be given
    covers  bool (g, o, o): in each group, whether the second offer can go wherever the first can
    """
    b, o = scores.shape
    kept = np.full((b, o), -1, np.int32)
    counts = np.zeros(b, np.int64)
    _keep_useful(scores, mask, covers, group, k, kept, counts)
    row, place = np.nonzero(kept >= 0)
    items = kept[row, place]
    return counts, items, scores[row, items]


def coverage(through: np.ndarray, open_: np.ndarray, room: np.ndarray) -> np.ndarray:
    """`covers` of `keep_useful`: bool (g, o, o); an offer with an unbounded channel can always go."""
    table = []
    for row in open_:
        usable = through & row
        inside = ~(usable[:, None, :] & ~usable[None, :, :]).any(axis=2)
        table.append(inside | (usable & (room < 0)).any(axis=1)[None, :])
    return np.array(table)


def _prices(wishes: Wishes, room: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """The best prices found, and the bound at them."""
    bounded = np.flatnonzero(room >= 0)
    most = float(wishes.values.max(initial=0.0))
    best, bound = np.zeros(len(room)), np.inf
    slopes: list[np.ndarray] = []
    levels: list[float] = []
    trial = best
    for _ in range(ROUNDS):
        gain, load = _gains(wishes, *_cheapest(wishes, trial), k, len(room))
        value = gain + float(trial[bounded] @ room[bounded])
        slopes.append(room[bounded] - load[bounded])
        levels.append(value - float(slopes[-1] @ trial[bounded]))
        if value < bound:
            best, bound = trial, value
        # The least that the cuts so far allow: prices (scaled to 0 … 1 of the highest score) and the bound there.
        cuts = np.column_stack([np.array(slopes) * most, -np.ones(len(slopes)) * bound])
        found = linprog(
            np.append(np.zeros(len(bounded)), 1.0),
            A_ub=cuts,
            b_ub=-np.array(levels),
            bounds=[(0, 1)] * len(bounded) + [(None, None)],
            method="highs",
        )
        if found.x is None or bound - found.x[-1] * bound <= CLOSE * bound:
            break
        at = np.zeros(len(room))
        at[bounded] = np.maximum(found.x[:-1], 0) * most
        trial = (best + at) / 2 if len(slopes) > 1 else at
    return best, bound


def _cheapest(wishes: Wishes, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The price of each offer's cheapest channel open to a group, and which that is: (g, o), inf and -1 for none."""
    usable = wishes.open_[:, None, :] & wishes.through[None, :, :]
    priced = np.where(usable, prices, np.inf)
    which = priced.argmin(axis=2) if priced.shape[2] else np.zeros(priced.shape[:2], np.int64)
    least = priced.min(axis=2, initial=np.inf)
    return least, np.where(np.isfinite(least), which, -1)


def _gains(wishes: Wishes, least: np.ndarray, which: np.ndarray, k: int, channels: int) -> tuple[float, np.ndarray]:
    """What all customers gain at these prices, and how many offers go through each channel."""
    b = len(wishes.group)
    gains, loads = _gain_chunks(
        wishes.starts, wishes.items, wishes.values, wishes.group, least, which, k, channels, -(-b // CHUNK)
    )
    return float(gains.sum()), loads.sum(axis=0)


@numba.njit(cache=True, nogil=True, parallel=True)
def _gain_chunks(starts, items, values, group, least, which, k, channels, chunks):  # type: ignore[no-untyped-def]
    gains, loads = np.zeros(chunks), np.zeros((chunks, channels), np.int64)
    b = len(group)
    for chunk in numba.prange(chunks):
        top, place = np.empty(k), np.empty(k, np.int64)
        for i in range(chunk * CHUNK, min(b, (chunk + 1) * CHUNK)):
            g, n = group[i], 0
            for w in range(starts[i], starts[i + 1]):
                gain, at = values[w] - least[g, items[w]], which[g, items[w]]
                if gain <= 0:
                    continue
                j = n if n < k else k
                while j > 0 and top[j - 1] < gain:
                    if j < k:
                        top[j], place[j] = top[j - 1], place[j - 1]
                    j -= 1
                if j < k:
                    top[j], place[j] = gain, at
                    n = min(n + 1, k)
            for j in range(n):
                gains[chunk] += top[j]
                loads[chunk, place[j]] += 1
    return gains, loads


def _filled(wishes: Wishes, room: np.ndarray, k: int, prices: np.ndarray, move: bool) -> tuple[np.ndarray, float]:
    """A plan at prices: the wishes that gain go first, the most first, then the others by score, where room is left.

    Each takes the customer's best channel with room; where all are full and `move` is set, those given before make
    room by going through another of their channels, if that is possible at all. Without prices and moves this is the
    greedy plan.
    """
    least, _ = _cheapest(wishes, prices)
    owner = np.repeat(np.arange(len(wishes.group), dtype=np.int32), np.diff(wishes.starts))
    gain = wishes.values - least[wishes.group[owner], wishes.items]
    late = gain <= 0
    order = np.lexsort((np.where(late, -wishes.values, -gain), late))  # stable: equal ones stay in order
    channel = np.full(len(wishes.items), -1, np.int16)
    _fill(
        order, owner, wishes.items, wishes.best, wishes.group, wishes.open_, wishes.through, wishes.order,
        room.copy(), k, move, channel,
    )  # fmt: skip
    return channel, float(wishes.values[channel >= 0].sum())


@numba.njit(cache=True, nogil=True)
def _fill(order, owner, items, best, group, open_, through, named, room, k, move, channel):  # type: ignore[no-untyped-def]
    channels = len(room)
    taken = np.zeros(len(group), np.int32)
    closed = np.zeros(channels, np.bool_)  # full, and nobody can make room: so for good, as nothing on it moves again
    before, queue = np.empty(channels, np.int64), np.empty(channels, np.int64)
    # first[c, d]: the latest in a chain of wishes given through c that could go through d; who has left c is passed by.
    first = np.full((channels, channels), -1, np.int64)
    who, after, used = np.empty(1024, np.int64), np.empty(1024, np.int64), 0
    for w in order:
        i, item = owner[w], items[w]
        if taken[i] == k:
            continue
        usable = open_[group[i]] & through[item]
        end = first_open(best[i], usable & (room != 0), through[item], named[item])
        before[:] = -2
        if end >= 0:
            before[end] = -1
        elif move:
            head = tail = 0
            for c in range(channels):
                if usable[c] and not closed[c]:
                    before[c], queue[tail], tail = -1, c, tail + 1
            while head < tail:
                c, head = queue[head], head + 1
                if room[c] != 0:
                    end = c
                    break
                for d in range(channels):
                    if before[d] == -2 and not closed[d]:
                        while first[c, d] >= 0 and channel[who[first[c, d]]] != c:
                            first[c, d] = after[first[c, d]]
                        if first[c, d] >= 0:
                            before[d], queue[tail], tail = c, d, tail + 1
            if end < 0:
                closed[queue[:tail]] = True
        if end < 0:
            continue
        taken[i] += 1
        if room[end] > 0:
            room[end] -= 1
        while (
            end >= 0
        ):  # back from the channel with room: one of the channel before goes there, at last the wish itself
            source = before[end]
            mover = w if source < 0 else who[first[source, end]]
            channel[mover] = end
            if move and room[end] >= 0:
                for d in range(channels):
                    if d != end and open_[group[owner[mover]], d] and through[items[mover], d]:
                        if used == len(who):
                            who, after = np.append(who, who), np.append(after, after)
                        who[used], after[used], first[end, d] = mover, first[end, d], used
                        used += 1
            end = source


@numba.njit(cache=True, nogil=True, parallel=True)
def _keep_useful(scores, mask, covers, group, k, kept, counts):  # type: ignore[no-untyped-def]
    for i in numba.prange(len(scores)):
        some = np.flatnonzero(mask[i])
        some = some[np.argsort(-scores[i][some], kind="mergesort")]
        n = 0
        for item in some:
            better = 0
            for j in range(n):
                better += covers[group[i], item, kept[i, j]]
            if better < k:
                kept[i, n] = item
                n += 1
        counts[i] = n
