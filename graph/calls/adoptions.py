"""Whether a customer's contacts adopted products and apps after the customer did, more than chance allows.

An adoption is a customer's first use of an app or first subscription of a product. Apps used within
`WINDOW_DAYS` of the beginning of known use are left out: they may have been used long before.

Who adopts is taken as given, so that alike friends do not make a leader; chance is the shuffling of adoption
times among an item's adopters. With the customer's own day t fixed, a contact who adopted the item too follows within
the window as any of its other adopters does: of N others, L with a day in (t, t + WINDOW_DAYS], shuffling gives the
k that are contacts a hypergeometric number of days there. `led` is how many did follow, over all
items, and `evidence` the probability of `led` or more by chance, exactly: items are shuffled apart, so that
their numbers are convolved (a permutation test without permutations; R. A. Fisher, "The Design of Experiments" (1935)).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import ibis
import numba
import numpy as np
import pyarrow.compute as pc

from graph.calls.ids import Positions
from graph.calls.position import BLOCKS
from lake.tables import Lake
from lake.use import app_use, has_app_use

WINDOW_DAYS = 30
ROWS = 1 << 20


@dataclass(frozen=True)
class Adoptions:
    """Adoptions sorted by item: `user` (a,) int32 positions, `day` (a,) int32, `starts` (items + 1,) int64."""

    user: np.ndarray
    day: np.ndarray
    starts: np.ndarray


def read(lake: Lake, positions: Positions) -> Adoptions | None:
    """All adoptions of the lake, None where it has neither use of apps nor subscriptions."""
    parts = []
    if has_app_use(lake):
        usage = app_use(lake)
        parts.append(_firsts(usage.select("user", "day", item=usage.app), positions, WINDOW_DAYS))
    if lake.has("subscriptions"):
        held = lake.scan("subscriptions")
        parts.append(_firsts(held.select("user", day=held.since, item=held["product"]), positions))
    if not parts:
        return None
    user, day = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    sizes = np.concatenate([part[0] for part in parts])
    return Adoptions(user, day, np.concatenate([[0], np.cumsum(sizes[sizes > 0])]).astype(np.int64))


def _firsts(rows: ibis.Table, positions: Positions, unknown: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many adopt each item, and by item, day and user, the `user` (a,) int32 and `day` (a,) int32 of each adoption.

    `rows` have `user`, `item` and `day`; first days within `unknown` days of the first of all are left out. A row is
    one number, (item, user, day) or (item, day, user), so that tens of millions are sorted where they lie.
    """
    items = rows.select("item").distinct().order_by("item").to_pyarrow()["item"].combine_chunks()
    if not len(items):
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
    low, high = (rows.aggregate(low=rows.day.min(), high=rows.day.max()).to_pyarrow()[i].cast("int32") for i in (0, 1))
    begin, n = low[0].as_py(), len(positions)
    span = high[0].as_py() - begin + 1
    parts = []
    for batch in rows.to_pyarrow_batches(chunk_size=ROWS):
        item = pc.index_in(batch["item"], value_set=items).to_numpy().astype(np.int64)
        day = batch["day"].cast("int32").to_numpy() - begin
        parts.append(_first_of_each((item * n + positions.known(batch["user"])) * span + day, span))
    key = np.concatenate(parts)
    parts.clear()
    key = _first_of_each(key, span)
    key = key[key % span >= unknown]
    key = (key // span // n * span + key % span) * n + key // span % n
    key.sort()
    of_item = np.bincount(key // (n * span), minlength=len(items))
    return of_item, (key % n).astype(np.int32), (key // n % span + begin).astype(np.int32)


def _first_of_each(key: np.ndarray, span: int) -> np.ndarray:
    """The smallest of the keys that are equal but for the day; `key` is sorted in place."""
    key.sort()
    return key[np.r_[True, np.diff(key // span) != 0]] if len(key) else key


def led(adoptions: Adoptions, starts: np.ndarray, contact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adoptions by contacts that followed the customer's own, and the evidence.

    `starts`, `contact`: the call graph as in `graph.calls.position`. Returns `led` (n,) int64 and `evidence` (n,):
    the p-value, nan for customers none of whose contacts adopted what they did.
    """
    n = len(starts) - 1
    shared, followed, later = _count(adoptions.user, adoptions.day, adoptions.starts, starts, contact)
    others = np.repeat(np.diff(adoptions.starts) - 1, np.diff(adoptions.starts))
    rows = np.flatnonzero(shared)
    rows = rows[np.argsort(adoptions.user[rows], kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(adoptions.user[rows], minlength=n))])
    return _evidence(bounds, shared[rows], followed[rows], later[rows], others[rows])


@numba.njit(cache=True, parallel=True)
def _count(
    user: np.ndarray, day: np.ndarray, items: np.ndarray, starts: np.ndarray, contact: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each adoption: contacts who adopted the item too, who of them followed, and who of all adopters did."""
    n, last = starts.shape[0] - 1, items.shape[0] - 1
    shared = np.zeros(user.shape[0], np.int32)
    followed = np.zeros(user.shape[0], np.int32)
    ahead = np.zeros(user.shape[0], np.int32)
    for block in numba.prange(BLOCKS):
        item_of = np.full(n, -1, np.int32)
        day_of = np.zeros(n, np.int32)
        for item in range(block * last // BLOCKS, (block + 1) * last // BLOCKS):
            begin, end = items[item], items[item + 1]
            for i in range(begin, end):
                item_of[user[i]] = item
                day_of[user[i]] = day[i]
            later = until = begin
            for i in range(begin, end):  # by rising day
                while later < end and day[later] <= day[i]:
                    later += 1
                while until < end and day[until] <= day[i] + WINDOW_DAYS:
                    until += 1
                ahead[i] = until - later
                u = user[i]
                for j in range(starts[u], starts[u + 1]):
                    v = contact[j]
                    if item_of[v] == item:
                        shared[i] += 1
                        if 0 < day_of[v] - day[i] <= WINDOW_DAYS:
                            followed[i] += 1
    return shared, followed, ahead


@numba.njit(cache=True, parallel=True)
def _evidence(
    bounds: np.ndarray, shared: np.ndarray, followed: np.ndarray, later: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Per customer, whose adoptions lie within `bounds`: all that followed, and the chance of as many or more."""
    n = bounds.shape[0] - 1
    total = np.zeros(n, np.int64)
    p = np.full(n, np.nan)
    for u in numba.prange(n):
        if bounds[u] == bounds[u + 1]:
            continue
        for i in range(bounds[u], bounds[u + 1]):
            total[u] += followed[i]
        most = total[u]
        chance = np.zeros(most + 1)  # of 0, 1, ... followers so far; the last: of `most` or more
        chance[0] = 1.0
        for i in range(bounds[u], bounds[u + 1]):
            chance = _add(chance, shared[i], later[i], others[i])
        p[u] = min(chance[most], 1.0)
    return total, p


@numba.njit(cache=True)
def _add(chance: np.ndarray, drawn: int, marked: int, all_: int) -> np.ndarray:
    """The chances after one item more: of `drawn` without replacement from `all_`, how many of the `marked`."""
    most = chance.shape[0] - 1
    after = np.zeros(most + 1)
    for x in range(max(0, drawn + marked - all_), min(drawn, marked) + 1):
        one = np.exp(_choices(marked, x) + _choices(all_ - marked, drawn - x) - _choices(all_, drawn))
        for had in range(most + 1):
            after[min(had + x, most)] += chance[had] * one
    return after


@numba.njit(cache=True)
def _choices(n: int, k: int) -> float:
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0)
