"""Whether a customer's contacts adopted products and apps after the customer did, more than chance allows.

An adoption is a customer's first use of an app or first subscription of a product. Apps used within
`WINDOW_DAYS` of the beginning of known use are left out: they may have been used long before.

Who adopts is taken as given, so that alike friends do not make a leader; chance is the shuffling of adoption
times among an item's adopters. With the customer's own day t fixed, a contact who adopted the item too follows within
the window with the probability that any of its other adopters does:

    chance(t) = #{other adopters with a day in (t, t + WINDOW_DAYS]} / #{other adopters}

`led` is how many did follow; summed over items and contacts, chance gives the mean of what shuffling would show, and
`evidence` is the Poisson probability of `led` or more (a little too large, as the sum of unequal chances varies less).
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numba
import numpy as np
from scipy.special import pdtrc

from graph.calls.ids import Positions
from graph.calls.position import BLOCKS
from lake.tables import Lake
from lake.use import app_use, has_app_use

WINDOW_DAYS = 30


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
        known_from = usage.day.min().as_scalar() + ibis.interval(days=WINDOW_DAYS)
        first = usage.group_by("user", item=usage.app).aggregate(day=usage.day.min())
        parts.append(first.filter(first.day >= known_from).mutate(kind=ibis.literal("app")))
    if lake.has("subscriptions"):
        held = lake.scan("subscriptions")
        parts.append(
            held.group_by("user", item=held["product"])
            .aggregate(day=held.since.min())
            .mutate(kind=ibis.literal("product"))
        )
    if not parts:
        return None
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    table = rows.order_by("kind", "item", "day", "user").to_pyarrow()
    item = table["kind"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64) << 32
    item = item | table["item"].combine_chunks().dictionary_encode().indices.to_numpy()
    day = table["day"].cast("int32").to_numpy()
    begins = np.flatnonzero(np.r_[True, item[1:] != item[:-1]]) if len(item) else np.empty(0, np.int64)
    return Adoptions(positions.known(table["user"]), day, np.append(begins, len(item)).astype(np.int64))


def led(adoptions: Adoptions, starts: np.ndarray, contact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adoptions by contacts that followed the customer's own, and the evidence.

    `starts`, `contact`: the call graph as in `graph.calls.position`. Returns `led` (n,) int64 and `evidence` (n,):
    the p-value, nan for customers none of whose contacts adopted what they did.
    """
    followed, chance, shared = _count(adoptions.user, adoptions.day, adoptions.starts, starts, contact)
    followed, chance, shared = followed.sum(axis=0), chance.sum(axis=0), shared.sum(axis=0)
    p = np.where(followed > 0, pdtrc(np.maximum(followed - 1, 0), chance), 1.0)
    return followed, np.where(shared > 0, p, np.nan)


@numba.njit(cache=True, parallel=True)
def _count(
    user: np.ndarray, day: np.ndarray, items: np.ndarray, starts: np.ndarray, contact: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, last = starts.shape[0] - 1, items.shape[0] - 1
    followed = np.zeros((BLOCKS, n), np.int64)
    chance = np.zeros((BLOCKS, n))
    shared = np.zeros((BLOCKS, n), np.int64)
    for block in numba.prange(BLOCKS):
        item_of = np.full(n, -1, np.int64)
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
                if end - begin < 2:
                    continue
                share = (until - later) / (end - begin - 1)
                u = user[i]
                for j in range(starts[u], starts[u + 1]):
                    v = contact[j]
                    if item_of[v] == item:
                        shared[block, u] += 1
                        chance[block, u] += share
                        if 0 < day_of[v] - day[i] <= WINDOW_DAYS:
                            followed[block, u] += 1
    return followed, chance, shared
