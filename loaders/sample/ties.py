"""Who knows whom, how well, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.calendar import Calendar
from loaders.sample.draws import rank_within
from loaders.sample.people import MACHINE, NO_FAKE, People
from loaders.sample.streams import Streams

CALLS_A_MONTH = 14.5
"""Calls and messages per customer and month, one record each, in an ordinary month."""


@dataclass
class Ties:
    """One entry a pair. `a` is a customer, `b` any node. Alive in months start <= m < end outside
    gap_from <= m < gap_to. `rate`: expected calls and messages of both directions in a month.
    """

    a: np.ndarray
    b: np.ndarray
    rate: np.ndarray
    a_calls: np.ndarray  # share that `a` begins
    start: np.ndarray
    end: np.ndarray
    gap_from: np.ndarray
    gap_to: np.ndarray

    def __len__(self) -> int:
        return len(self.a)

    def alive(self, month: int, rows: slice = slice(None)) -> np.ndarray:
        in_gap = (self.gap_from[rows] <= month) & (month < self.gap_to[rows])
        return (self.start[rows] <= month) & (month < self.end[rows]) & ~in_gap

    def append(self, other: Ties) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)]))


def new_ties(a: np.ndarray, b: np.ndarray, rate: np.ndarray, months: int, a_calls: np.ndarray) -> Ties:
    """Ties alive in every month, without a gap."""
    size = len(a)
    return Ties(
        a.astype(np.int32), b.astype(np.int32), rate.astype(np.float32), a_calls.astype(np.float32),
        np.zeros(size, np.int16), np.full(size, months, np.int16),
        np.full(size, months, np.int16), np.full(size, months, np.int16),
    )  # fmt: skip


def make_ties(streams: Streams, calendar: Calendar, people: People, calls: float = CALLS_A_MONTH) -> Ties:
    """Households, picks within communities, across them, and persons with other operators.

    `calls`: calls and messages per customer and month.
    """
    rng = streams("ties")
    home = _household_pairs(people)
    own = np.concatenate([_community_picks(rng, people), _far_picks(rng, people)])
    own.sort(axis=1)
    pairs = np.concatenate([home, own, _other_operators(rng, people)])
    del own
    quiet = people.silent | (people.fake != NO_FAKE) | (people.kind == MACHINE)
    quiet = np.r_[quiet, np.zeros(people.nodes - people.n, bool)]
    key = pairs[:, 0] * np.int64(people.nodes) + pairs[:, 1]
    kept = np.argsort(key, kind="stable").astype(np.int32)
    key = key[kept]
    kept = kept[np.r_[True, key[1:] != key[:-1]]]  # a pair counts once, as what it was first
    del key
    a, b = pairs[kept].T
    fine = (a != b) & ~quiet[a] & ~quiet[b]
    a, b, near = a[fine], b[fine], (kept < len(home))[fine]
    del pairs, kept, fine

    activity = np.r_[people.activity, np.ones(people.nodes - people.n, np.float32)]
    rate = rng.lognormal(0, 0.95, len(a)) * np.where(near, 2.5, 1) * np.sqrt(activity[a] * activity[b])
    rate *= calls * people.n / max(rate.sum(), 1)
    ties = new_ties(a, b, rate, calendar.months, rng.beta(2.2, 2.2, len(a)))
    # acquaintances come and go, whoever leaves or stays; families hardly do
    changing = np.where(near, 0.02, 1.0)
    fresh = rng.random(len(a)) < 0.025 * changing * (calendar.months - 1)
    ties.start[fresh] = rng.integers(1, max(2, calendar.months), fresh.sum())
    lasting = ties.start + 1 + np.floor(rng.exponential(40, len(a)) / changing)
    ties.end = np.minimum(lasting, calendar.months).astype(np.int16)
    return ties


def _household_pairs(people: People) -> np.ndarray:
    order = np.argsort(people.household, kind="stable")
    found = []
    for step in range(1, 6):
        left, right = order[:-step], order[step:]
        same = people.household[left] == people.household[right]
        found.append(_pairs(left[same], right[same]))
    return np.sort(np.concatenate(found), axis=1)


def _pairs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two columns, (pairs, 2) int32."""
    return np.column_stack([a.astype(np.int32), b.astype(np.int32)])


def _members(people: People, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`nodes` by community, the most sociable first, and the bounds of each community."""
    order = nodes[np.lexsort((-people.sociability[nodes], people.community[nodes]))]
    return order, np.searchsorted(people.community[order], np.arange(len(people.community_city) + 1))


def _pick(rng: np.random.Generator, members: np.ndarray, bounds: np.ndarray, group: np.ndarray) -> np.ndarray:
    """A member of each given community; sociable ones come more often. Where it has none, anybody."""
    size = np.diff(bounds)[group]
    place = bounds[group] + np.floor(rng.random(len(group)) ** 1.35 * size).astype(np.int64)
    return np.where(size > 0, members[np.minimum(place, len(members) - 1)], rng.choice(members, len(group)))


def _community_picks(rng: np.random.Generator, people: People) -> np.ndarray:
    n = people.n
    count = rng.poisson(4.3 * np.minimum(people.sociability[:n], 5)) * np.where(people.bridge, 2, 1)
    a = np.repeat(np.arange(n), count)
    in_second = (people.second[a] >= 0) & (rng.random(len(a)) < 0.35)
    group = np.where(in_second, people.second[a], people.community[a])
    scattered = people.bridge[a] & (rng.random(len(a)) < 0.6)
    group = np.where(scattered, rng.integers(0, len(people.community_city), len(a)), group)
    members, bounds = _members(people, np.arange(n))
    return _pairs(a, _pick(rng, members, bounds, group))


def _far_picks(rng: np.random.Generator, people: People) -> np.ndarray:
    """Anybody of the same city, or of anywhere."""
    n = people.n
    a = np.repeat(np.arange(n), rng.poisson(0.7, n))
    order = np.argsort(people.city, kind="stable")
    bounds = np.searchsorted(people.city[order], np.arange(people.city.max() + 2))
    low, high = bounds[people.city[a]], bounds[people.city[a] + 1]
    local = order[low + np.floor(rng.random(len(a)) * (high - low)).astype(np.int64)]
    return _pairs(a, np.where(rng.random(len(a)) < 0.6, local, rng.integers(0, n, len(a))))


def _other_operators(rng: np.random.Generator, people: People) -> np.ndarray:
    n = people.n
    a = np.repeat(np.arange(n), rng.poisson(4.0 * np.minimum(people.sociability[:n], 4)))
    members, bounds = _members(people, np.arange(n, people.nodes))
    near = _pick(rng, members, bounds, people.community[a])
    return _pairs(a, np.where(rng.random(len(a)) < 0.75, near, rng.integers(n, people.nodes, len(a))))


def neighbours(ties: Ties, n: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The given ties from both customers' side, by customer: bounds (n + 1,), other end, position of the tie.

    Ends with other operators are other ends only.
    """
    rows = rows.astype(np.int32)
    own = rows[ties.b[rows] < n]
    ego = np.r_[ties.a[rows], ties.b[own]]
    other, tie = np.r_[ties.b[rows], ties.a[own]], np.r_[rows, own]
    order = np.argsort(ego, kind="stable")
    return np.searchsorted(ego[order], np.arange(n + 1)), other[order], tie[order]


def expand(bounds: np.ndarray, ego: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each ego, in order, its places in the lists behind `bounds`: (position in `ego`, place)."""
    size = bounds[ego + 1] - bounds[ego]
    which = np.repeat(np.arange(len(ego)), size)
    return which, bounds[ego][which] + rank_within(which)
