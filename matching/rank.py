"""The k best of many items: exact, the same for one customer as for a block of them, ties by identifier.

Scores come from a matrix product in single precision, whose last bits depend on how many customers are in the block.
So every item within the rounding error of the k-th best is kept, scored again in double precision in one fixed
order, and only then sorted. What comes out depends on the vectors alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

ROUNDING = 2.0**-23
"""Unit of single precision; the error of a dot product of d terms is within d times it, relative to the lengths."""


class Near(NamedTuple):
    """What `neighbours_of` makes `added` from, for rows whose part is made while they are ranked."""

    starts: np.ndarray
    used: np.ndarray
    pull: np.ndarray
    near_starts: np.ndarray
    near_apps: np.ndarray
    near_weights: np.ndarray


def top_k(
    scores: np.ndarray,
    mask: np.ndarray,
    k: int,
    *,
    left: np.ndarray | None = None,
    right: np.ndarray | None = None,
    longest: float = 0.0,
    exact: np.ndarray | None = None,
    added: np.ndarray | None = None,
    near: Near | None = None,
    parallel: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The best k items of each row.

    scores  float32 or float64 (b, m)
    mask    bool (b, m): items that may be taken
    left, right   float32 (b, d), (m, d): what `scores` was made from; without them, `scores` is taken as exact
    longest       largest length among the rows of `right`
    exact         bool (b): rows whose scores are exact although `left` is given
    added         float32 (b, m): what `scores` hold beside the product, exact to the last bit
    near          instead of `added`, where rows are ranked in parallel: what `scores`, of which nothing is left
                  afterwards, do not hold yet. A block's `added` is as large as its scores, a row's stays in the cache

    Returns items int32 (b, k), -1 where there are fewer, and their scores float64 (b, k), nan there. Higher first,
    equal scores in the order of position.

    >>> items, values = top_k(np.array([[0.1, 0.5, 0.5, 0.9]]), np.array([[True, True, True, False]]), 2)
    >>> items.tolist(), values.tolist()
    ([[1, 2]], [[0.5, 0.5]])
    """
    b, m = scores.shape
    k = min(k, m)
    items, values = np.full((b, k), -1, np.int32), np.full((b, k), np.nan)
    if not b or not k:
        return items, values
    added = np.zeros((1, 0), np.float32) if added is None else added
    if left is None or right is None:
        left = right = np.zeros((1, 0), np.float32)
        slack, exact = np.zeros(b), np.ones(b, bool)
    else:
        exact = np.zeros(b, bool) if exact is None else exact
        lengths = np.sqrt(np.einsum("bd,bd->b", left, left, dtype=np.float64))
        reach = lengths * longest
        if added.size:
            reach += np.abs(added).max(axis=1)
        per_length = 2 * (right.shape[1] + 1) * ROUNDING
        if near is not None:
            _near_side_by_side(scores, mask, k, left, right, *near, reach, per_length, exact, items, values)
            return items, values
        slack = np.where(exact, 0.0, per_length * reach)
    kernel = _side_by_side if parallel else _in_turn
    kernel(scores, mask, k, left, right, added, slack, exact, items, values)
    return items, values


def warm_up() -> None:
    """Compile, or read the compiled kernels, before the first customer waits for them."""
    one = np.zeros((1, 1), np.float32)
    top_k(one, np.ones((1, 1), bool), 1, left=one, right=one, added=one)
    near = np.zeros(1, np.int32)
    neighbours_of(np.array([0, 1]), near, np.ones(1, np.float32), np.array([0, 1]), near, one[0], 1)
    top_k(one.astype(np.float64), np.ones((1, 1), bool), 1)
    scores_of(one[0], one)
    pair_scores(one, one, np.zeros(1, np.int32))


# Two loops over one kernel: a request must not enter numba's thread pool, which several threads cannot share. They are
# two functions, not two builds of one, as numba's cache would hand the one's machine code to the other.
@numba.njit(cache=True, nogil=True)
def _in_turn(scores, mask, k, left, right, added, slack, exact, items, values):  # type: ignore[no-untyped-def]
    for b in range(scores.shape[0]):
        more = added[b % len(added)]
        _best(scores[b], mask[b], k, left[b % len(left)], right, more, slack[b], exact[b], items[b], values[b])


@numba.njit(cache=True, nogil=True, parallel=True)
def _side_by_side(scores, mask, k, left, right, added, slack, exact, items, values):  # type: ignore[no-untyped-def]
    for b in numba.prange(scores.shape[0]):
        more = added[b % len(added)]
        _best(scores[b], mask[b], k, left[b % len(left)], right, more, slack[b], exact[b], items[b], values[b])


@numba.njit(cache=True, nogil=True, parallel=True)
def _near_side_by_side(  # type: ignore[no-untyped-def]
    scores, mask, k, left, right, starts, used, pull, near_starts, near_apps, near_weights, reach, per_length, exact,
    items, values,
):  # fmt: skip
    for b in numba.prange(scores.shape[0]):
        row, more, largest = scores[b], np.zeros(scores.shape[1], np.float32), np.float32(0)
        if not exact[b]:
            _add_neighbours(more, starts[b], starts[b + 1], used, pull[b], near_starts, near_apps, near_weights)
            for i in range(len(row)):
                row[i] += more[i]
                largest = max(largest, abs(more[i]))
        slack = 0.0 if exact[b] else per_length * (reach[b] + largest)
        _best(row, mask[b], k, left[b], right, more, slack, exact[b], items[b], values[b])


@numba.njit(cache=True, nogil=True)
def _best(row, allowed, k, vector, right, added, slack, exact, items, values):  # type: ignore[no-untyped-def]
    """The best k of one row into `items` and `values`."""
    m = len(row)
    heap = np.full(k, -np.inf)  # the k largest so far, the smallest first
    for i in range(m):
        # The score is asked first: soon few are above, while every third item may be allowed, which no CPU foresees.
        if row[i] > heap[0] and allowed[i]:
            _sift(heap, row[i])
    bound = heap[0] - slack
    count = 0
    for i in range(m):
        if row[i] >= bound and allowed[i]:
            count += 1
    chosen = np.empty(count, np.int32)
    again = np.empty(count, np.float64)
    at = 0
    for i in range(m):
        if row[i] >= bound and allowed[i]:
            chosen[at] = i
            again[at] = row[i] if exact else _dot(vector, right[i]) + (added[i] if len(added) else 0.0)
            at += 1
    order = np.argsort(-again, kind="mergesort")  # stable: equal scores stay in the order of position
    for j in range(min(k, count)):
        items[j] = chosen[order[j]]
        values[j] = again[order[j]]


@numba.njit(cache=True, nogil=True)
def _sift(heap: np.ndarray, value: float) -> None:
    """Replace the smallest of a min-heap and restore its order."""
    k, i = len(heap), 0
    while True:
        child = 2 * i + 1
        if child >= k:
            break
        if child + 1 < k and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = value


@numba.njit(cache=True, nogil=True)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for i in range(len(a)):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@numba.njit(cache=True, nogil=True, fastmath=True)
def scores_of(vector: np.ndarray, right: np.ndarray) -> np.ndarray:
    """right @ vector in single precision, float32 (m), on one thread.

    For one customer this is quicker than the library's product, which wakes all threads for it.
    """
    out = np.empty(len(right), np.float32)
    for i in range(len(right)):
        total = np.float32(0)
        for j in range(len(vector)):
            total += right[i, j] * vector[j]
        out[i] = total
    return out


@numba.njit(cache=True, nogil=True)
def neighbours_of(
    starts: np.ndarray,
    used: np.ndarray,
    pull: np.ndarray,
    near_starts: np.ndarray,
    near_apps: np.ndarray,
    near_weights: np.ndarray,
    m: int,
) -> np.ndarray:
    """What the apps that customers used add to the scores of others, float32 (b, m), in the order of the lists.

    Customer i used `used[starts[i]:starts[i + 1]]`; app a adds pull[i] times `near_weights` to its `near_apps`, both
    from `near_starts[a]` to `near_starts[a + 1]`.
    """
    out = np.zeros((len(starts) - 1, m), np.float32)
    for i in range(len(starts) - 1):
        _add_neighbours(out[i], starts[i], starts[i + 1], used, pull[i], near_starts, near_apps, near_weights)
    return out


@numba.njit(cache=True, nogil=True)
def _add_neighbours(row, start, end, used, pull, near_starts, near_apps, near_weights):  # type: ignore[no-untyped-def]
    for j in range(start, end):
        for at in range(near_starts[used[j]], near_starts[used[j] + 1]):
            row[near_apps[at]] += near_weights[at]
    row *= pull


@numba.njit(cache=True, nogil=True)
def pair_scores(left: np.ndarray, right: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """left[i] · right[columns[j]] in double precision and one fixed order: float64 (b, len(columns)).

    A negative column gives 0.
    """
    out = np.zeros((len(left), len(columns)))
    for i in range(len(left)):
        for j in range(len(columns)):
            if columns[j] >= 0:
                out[i, j] = _dot(left[i], right[columns[j]])
    return out
