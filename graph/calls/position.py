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
    starts: np.ndarray, contact: np.ndarray, in_: np.ndarray, out: np.ndarray, rounds: int = 200, tol: float = 1e-7
) -> np.ndarray:
    """Weighted PageRank on the graph of who calls whom: (n,) summing to 1.

    A customer passes rank on to those they call, in proportion: being called by people who are called much
    counts. `in_` and `out` (m,) are strengths from the contact to the row's customer and back. Those who call
    nobody pass theirs to everyone. Ends when a round moves less than `tol` of all rank, which is then less than
    5.7 `tol` from where it would end: d / (1 - d) times the last move.

    Brin and Page, "The anatomy of a large-scale hypertextual Web search engine" (1998).
    """
    n = len(starts) - 1
    if n == 0:
        return np.empty(0)
    given = _row_sums(starts, out)
    got = _row_sums(starts, in_)
    loose = np.flatnonzero(given == 0)
    passed = np.divide(1.0, given, out=np.zeros(n), where=given > 0)
    total = got.sum()
    rank = (1 - DAMPING) / n + DAMPING * got / total if total else np.full(n, 1.0 / n)  # nearer than all alike
    for _ in range(rounds):
        base = (1 - DAMPING + DAMPING * float(rank[loose].sum())) / n
        new, moved = _pull(starts, contact, in_, rank * passed, rank, base)
        rank = new
        if float(moved.sum()) < tol:
            break
    return rank


@numba.njit(cache=True, parallel=True)
def _row_sums(starts: np.ndarray, strength: np.ndarray) -> np.ndarray:
    n = starts.shape[0] - 1
    total = np.zeros(n)
    for u in numba.prange(n):
        for i in range(starts[u], starts[u + 1]):
            total[u] += strength[i]
    return total


@numba.njit(cache=True, parallel=True)
def _pull(
    starts: np.ndarray, contact: np.ndarray, strength: np.ndarray, share: np.ndarray, rank: np.ndarray, base: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rank after one round, and how far each block's moved."""
    n = starts.shape[0] - 1
    new, moved = np.empty(n), np.zeros(BLOCKS)
    for block in numba.prange(BLOCKS):
        far = 0.0
        for u in range(block * n // BLOCKS, (block + 1) * n // BLOCKS):
            total = 0.0
            for i in range(starts[u], starts[u + 1]):
                total += strength[i] * share[contact[i]]
            new[u] = base + DAMPING * total
            far += abs(new[u] - rank[u])
        moved[block] = far
    return new, moved


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
    """(n,) int64: pairs of the customer's contacts who are in contact themselves.

    Each triangle is found once, from its member with the fewest contacts: M. Latapy, "Main-memory triangle
    computations for very large (sparse (power-law)) graphs" (2008).
    """
    n = starts.shape[0] - 1
    above = np.zeros(n + 1, np.int64)
    for u in numba.prange(n):
        for i in range(starts[u], starts[u + 1]):
            above[u + 1] += _above(starts, u, contact[i])
    above = np.cumsum(above)
    higher = np.empty(above[n], np.int32)
    for u in numba.prange(n):
        fill = above[u]
        for i in range(starts[u], starts[u + 1]):
            if _above(starts, u, contact[i]):
                higher[fill] = contact[i]
                fill += 1
    found = np.zeros((BLOCKS, n), np.int32)
    for block in numba.prange(BLOCKS):
        mine = found[block]
        near = np.full(n, -1, np.int32)
        for u in range(block * n // BLOCKS, (block + 1) * n // BLOCKS):
            for i in range(above[u], above[u + 1]):
                near[higher[i]] = u
            for i in range(above[u], above[u + 1]):
                v = higher[i]
                for j in range(above[v], above[v + 1]):
                    if near[higher[j]] == u:
                        mine[u] += 1
                        mine[v] += 1
                        mine[higher[j]] += 1
    return found.sum(axis=0)


@numba.njit(cache=True)
def _above(starts: np.ndarray, u: int, v: int) -> bool:
    """Whether v has more contacts than u, or as many and a higher position."""
    mine, theirs = starts[u + 1] - starts[u], starts[v + 1] - starts[v]
    return theirs > mine or (theirs == mine and v > u)


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
