"""Where a customer stands in the call graph: PageRank, core, redundancy of the circle, and reach.

All over compressed rows (`starts` (n + 1,), `contact` (m,) rising within a row) of a graph in which u is among
v's contacts whenever v is among u's.
"""

from __future__ import annotations

import numba
import numpy as np

DAMPING = 0.85
BLOCKS = 16
"""Fixed pieces of parallel work with memory of their own: what is added up does not depend on threads."""


def pagerank(
    starts: np.ndarray, contact: np.ndarray, in_: np.ndarray, out: np.ndarray, rounds: int = 200, tol: float = 1e-12
) -> np.ndarray:
    """Weighted PageRank on the graph of who calls whom: (n,) summing to 1.

    A customer passes rank on to those they call, in proportion: being called by people who are called much
    counts. `in_` and `out` (m,) are strengths from the contact to the row's customer and back. Those who call
    nobody pass theirs to everyone.

    Brin and Page, "The anatomy of a large-scale hypertextual Web search engine" (1998).
    """
    n = len(starts) - 1
    if n == 0:
        return np.empty(0)
    given = np.bincount(np.repeat(np.arange(n), np.diff(starts)), weights=out, minlength=n)
    rank = np.full(n, 1.0 / n)
    for _ in range(rounds):
        share = np.divide(rank, given, out=np.zeros(n), where=given > 0)
        loose = float(rank[given == 0].sum())
        new = (1 - DAMPING) / n + DAMPING * (_pull(starts, contact, in_, share) + loose / n)
        moved = float(np.abs(new - rank).sum())
        rank = new
        if moved < tol:
            break
    return rank


@numba.njit(cache=True, parallel=True)
def _pull(starts: np.ndarray, contact: np.ndarray, strength: np.ndarray, share: np.ndarray) -> np.ndarray:
    n = starts.shape[0] - 1
    got = np.zeros(n)
    for u in numba.prange(n):
        total = 0.0
        for i in range(starts[u], starts[u + 1]):
            total += strength[i] * share[contact[i]]
        got[u] = total
    return got


@numba.njit(cache=True)
def cores(starts: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """(n,) int64 core numbers: the largest k such that the customer is in a group where each knows k of it.

    V. Batagelj, M. Zaversnik, "An O(m) algorithm for cores decomposition of networks" (2003).
    """
    n = starts.shape[0] - 1
    degree = np.empty(n, np.int64)
    for u in range(n):
        degree[u] = starts[u + 1] - starts[u]
    most = degree.max() if n else 0
    begin = np.zeros(most + 2, np.int64)
    for u in range(n):
        begin[degree[u] + 1] += 1
    begin = np.cumsum(begin)[: most + 1]
    place, order = np.empty(n, np.int64), np.empty(n, np.int64)
    fill = begin.copy()
    for u in range(n):
        place[u] = fill[degree[u]]
        order[place[u]] = u
        fill[degree[u]] += 1
    for step in range(n):
        u = order[step]
        for i in range(starts[u], starts[u + 1]):
            v = contact[i]
            if degree[v] > degree[u]:
                first = begin[degree[v]]
                w = order[first]
                if w != v:
                    order[place[v]], order[first] = w, v
                    place[w], place[v] = place[v], first
                begin[degree[v]] += 1
                degree[v] -= 1
    return degree


@numba.njit(cache=True, parallel=True)
def triangles(starts: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """(n,) int64: pairs of the customer's contacts who are in contact themselves."""
    n = starts.shape[0] - 1
    found = np.zeros(n, np.int64)
    for u in numba.prange(n):
        twice = 0
        for i in range(starts[u], starts[u + 1]):
            v = contact[i]
            a, a_end, b, b_end = starts[u], starts[u + 1], starts[v], starts[v + 1]
            if a_end - a > b_end - b:
                a, a_end, b, b_end = b, b_end, a, a_end
            if b_end - b > 16 * (a_end - a):
                for j in range(a, a_end):
                    left, right = b, b_end
                    while left < right:
                        middle = (left + right) // 2
                        if contact[middle] < contact[j]:
                            left = middle + 1
                        else:
                            right = middle
                    if left < b_end and contact[left] == contact[j]:
                        twice += 1
            else:
                while a < a_end and b < b_end:
                    if contact[a] == contact[b]:
                        twice += 1
                        a += 1
                        b += 1
                    elif contact[a] < contact[b]:
                        a += 1
                    else:
                        b += 1
        found[u] = twice // 2
    return found


def effective_size(starts: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """(n,) contacts that are not reached through each other: d - 2 t / d, 0 without any.

    d is the number of contacts and t the pairs of them who are in contact; high for a broker between groups
    (structural holes). R. S. Burt, "Structural Holes" (1992), in S. P. Borgatti's form (1997).
    """
    degree = np.diff(starts).astype(np.float64)
    return degree - np.divide(2.0 * triangles(starts, contact), degree, out=np.zeros(len(degree)), where=degree > 0)


@numba.njit(cache=True, parallel=True)
def reach(starts: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """(n,) int64: distinct others within two steps."""
    n = starts.shape[0] - 1
    found = np.zeros(n, np.int64)
    for block in numba.prange(BLOCKS):
        seen = np.full(n, -1, np.int32)
        for u in range(block * n // BLOCKS, (block + 1) * n // BLOCKS):
            seen[u] = u
            count = 0
            for i in range(starts[u], starts[u + 1]):
                v = contact[i]
                if seen[v] != u:
                    seen[v] = u
                    count += 1
                for j in range(starts[v], starts[v + 1]):
                    w = contact[j]
                    if seen[w] != u:
                        seen[w] = u
                        count += 1
            found[u] = count
    return found
