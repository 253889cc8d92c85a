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
BITS = 2**14 - 1
"""Low bits of a position by which `triangles` asks first."""


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

    For k = 0, 1, ... whoever knows k of those left is taken away, then whoever knows k because of that. Nobody is
    looked at in more levels than they have contacts, so the work is that of reading the ties: N. S. Dasari,
    R. Desh, M. Zubair, "ParK: an efficient algorithm for k-core decomposition on multicore processors" (2014).
    """
    n = starts.shape[0] - 1
    degree = np.diff(starts).astype(np.int32)
    left, queue = np.arange(n).astype(np.int32), np.empty(n, np.int32)
    remaining, k = n, 0
    while remaining:
        used, kept = 0, 0
        for i in range(remaining):
            u = left[i]
            if degree[u] == k:
                queue[used] = u
                used += 1
            elif degree[u] > k:
                left[kept] = u
                kept += 1
        remaining = kept
        place = 0
        while place < used:
            u = queue[place]
            place += 1
            for i in range(starts[u], starts[u + 1]):
                v = contact[i]
                if degree[v] > k:
                    degree[v] -= 1
                    if degree[v] == k:
                        queue[used] = v
                        used += 1
        k += 1
    return degree.astype(np.int64)


@numba.njit(cache=True, parallel=True)
def triangles(starts: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """(n,) int64: pairs of the customer's contacts who are in contact themselves.

    Each triangle is found once, from its member with the fewest contacts: M. Latapy, "Main-memory triangle
    computations for very large (sparse (power-law)) graphs" (2008). Whether w is a contact of u's is asked of a
    few bits of w first, in a table that stays in the nearest cache.
    """
    n = starts.shape[0] - 1
    higher, ends = _higher(starts, contact)
    found = np.zeros((BLOCKS, n), np.int32)
    for block in numba.prange(BLOCKS):
        mine, maybe = found[block], np.zeros(BITS + 1, np.bool_)
        for u in range(block * n // BLOCKS, (block + 1) * n // BLOCKS):
            if ends[u] - starts[u] < 2:
                continue
            for i in range(starts[u], ends[u]):
                maybe[higher[i] & BITS] = True
            for i in range(starts[u], ends[u]):
                v = higher[i]
                for j in range(starts[v], ends[v]):
                    w = higher[j]
                    if maybe[w & BITS] and _holds(higher, starts[u], ends[u], w):
                        mine[u] += 1
                        mine[v] += 1
                        mine[w] += 1
            for i in range(starts[u], ends[u]):
                maybe[higher[i] & BITS] = False
    total = np.zeros(n, np.int64)
    for u in numba.prange(n):
        for block in range(BLOCKS):
            total[u] += found[block, u]
    return total


@numba.njit(cache=True, parallel=True)
def _higher(starts: np.ndarray, contact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row, the contacts with more contacts than its own customer, or as many and a higher position.

    They lie, still rising, from `starts` to the ends, which is the second array.
    """
    n = starts.shape[0] - 1
    degree = np.diff(starts).astype(np.int32)
    higher, ends = np.empty(contact.shape[0], np.int32), np.empty(n, np.int64)
    for u in numba.prange(n):
        fill = starts[u]
        for i in range(starts[u], starts[u + 1]):
            v = contact[i]
            higher[fill] = v
            fill += (degree[v] > degree[u]) | ((degree[v] == degree[u]) & (v > u))  # no branch: it is by chance
        ends[u] = fill
    return higher, ends


@numba.njit(cache=True)
def _holds(values: np.ndarray, begin: int, end: int, wanted: int) -> bool:
    """Whether `wanted` is among the values from `begin` to `end`, which rise."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < end and values[low] == wanted


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
