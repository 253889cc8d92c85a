"""How likely a customer follows a contact: by what passes between them, or learned from what followed in the past.

By strength, u's chance with v is u's share of all calls and messages that v has with customers, so that the chances
into somebody add up to 1 as a linear threshold asks, and as in the weighted cascade.

Learned, from adoptions (first uses of apps, first subscriptions): when v adopted within `WINDOW_DAYS` after u and
others of v's contacts, each of these gets an equal part of the credit. With A(u) adoptions of u, credit C(u, v), and
ties gathered by strength into `LEVELS` levels with b = sum C / sum A in each,

    chance(u, v) = lift x (C(u, v) + PRIOR b) / (A(u) + PRIOR),    lift = max(0, 1 - expected / followed)

where `followed` counts who followed whom in the level, and `expected` how many would have had the days of each item
been shuffled among its adopters: what friends who are merely alike would show does not count. Partial credits:
A. Goyal, F. Bonchi, L. Lakshmanan, "Learning influence probabilities in social networks" (WSDM 2010).
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.sparse import csr_array

from graph.calls.adoptions import WINDOW_DAYS, Adoptions
from graph.calls.influence.network import Network, network

LEVELS = 10
PRIOR = 10.0


def by_strength(strengths: csr_array) -> Network:
    """The network of `strengths` (n, n): calls and messages from row to column."""
    source, target, share = _shares(strengths)
    return network(strengths.shape[0], source, target, share)


def learned(strengths: csr_array, adoptions: Adoptions) -> Network:
    """The network with chances learned from past adoptions; ties in levels that led nobody have none."""
    n = strengths.shape[0]
    source, target, share = _shares(strengths)
    order = np.lexsort((source, target))
    source, target, share = source[order], target[order], share[order]
    starts = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(target, minlength=n), out=starts[1:])
    credit, followed, expected = _credits(
        adoptions.user, adoptions.day, adoptions.starts, starts, source.astype(np.int32)
    )
    many = np.bincount(adoptions.user, minlength=n).astype(np.float64)[source]
    level = _levels(share)
    sums = {
        name: np.bincount(level, weights=values, minlength=LEVELS)
        for name, values in (("credit", credit), ("many", many), ("followed", followed), ("expected", expected))
    }
    base = np.divide(sums["credit"], sums["many"], out=np.zeros(LEVELS), where=sums["many"] > 0)
    over = np.divide(sums["expected"], sums["followed"], out=np.ones(LEVELS), where=sums["followed"] > 0)
    lift = np.maximum(0.0, 1.0 - over)
    chance = lift[level] * (credit + PRIOR * base[level]) / (many + PRIOR)
    return network(n, source, target, np.minimum(chance, 1.0))


def _shares(strengths: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ties in both directions with the share of what the one influenced has with everybody."""
    both = (strengths + strengths.T).tocoo()
    kept = (both.row != both.col) & (both.data > 0)
    source, target, much = both.row[kept], both.col[kept], both.data[kept]
    total = np.bincount(target, weights=much, minlength=strengths.shape[0])
    return source, target, much / total[target]


def _levels(share: np.ndarray) -> np.ndarray:
    """(m,) int: tenths of the ties by strength, from the weakest; equal shares are in one level."""
    bounds = np.quantile(share, np.arange(1, LEVELS) / LEVELS) if len(share) else np.zeros(LEVELS - 1)
    return np.searchsorted(bounds, share, side="right")


@numba.njit(cache=True)
def _credits(
    user: np.ndarray, day: np.ndarray, items: np.ndarray, starts: np.ndarray, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per tie into each row: credit, how often the row followed the source, and how often by chance it would have."""
    n = starts.shape[0] - 1
    credit, followed, expected = np.zeros(source.shape[0]), np.zeros(source.shape[0]), np.zeros(source.shape[0])
    item_of = np.full(n, -1, np.int64)
    day_of, share_of = np.zeros(n, np.int64), np.zeros(n)
    for item in range(items.shape[0] - 1):
        begin, end = items[item], items[item + 1]
        if end - begin < 2:
            continue
        later = until = begin
        for i in range(begin, end):  # by rising day
            while later < end and day[later] <= day[i]:
                later += 1
            while until < end and day[until] <= day[i] + WINDOW_DAYS:
                until += 1
            item_of[user[i]] = item
            day_of[user[i]] = day[i]
            share_of[user[i]] = (until - later) / (end - begin - 1)
        for i in range(begin, end):
            v = user[i]
            before = 0
            for j in range(starts[v], starts[v + 1]):
                u = source[j]
                if item_of[u] == item:
                    expected[j] += share_of[u]
                    if 0 < day[i] - day_of[u] <= WINDOW_DAYS:
                        before += 1
            if before:
                for j in range(starts[v], starts[v + 1]):
                    u = source[j]
                    if item_of[u] == item and 0 < day[i] - day_of[u] <= WINDOW_DAYS:
                        credit[j] += 1.0 / before
                        followed[j] += 1.0
    return credit, followed, expected
