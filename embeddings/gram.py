"""Products with AᵀA and its rows, for a sparse A (n, m) with far more rows than columns, without making it whole.

Kernels work on both at once, A and Aᵀ, so that no array with a column for each of n users is made. Each part of the
result is summed by one thread, in the order of the rows: the same bytes whatever the number of threads.
"""

from __future__ import annotations

import numba
import numpy as np
import scipy.sparse as sp

GROUP = 48
"""Columns of a block that a thread takes through all of A: so many of all of its rows stay near the processor."""
CHUNK = 1 << 17
"""Rows of A summed by themselves first: float32 does not lose so much of a sum over millions."""
ROWS = 64


def times(matrix: sp.csr_array, block: np.ndarray) -> np.ndarray:
    """AᵀA block (m, w) float32, for `matrix` A (n, m) and `block` (m, w), both float32.

    >>> times(sp.csr_array(np.array([[1, 2]], np.float32)), np.array([[1], [1]], np.float32)).tolist()
    [[3.0], [6.0]]
    """
    m, w = block.shape
    groups = -(-w // GROUP)
    parts = np.zeros((groups, m, GROUP), np.float32)
    for g in range(groups):
        part = block[:, g * GROUP : (g + 1) * GROUP]
        parts[g, :, : part.shape[1]] = part
    found = np.zeros_like(parts)
    _times(matrix.indptr.astype(np.int64), matrix.indices, matrix.data, parts, found, CHUNK)
    return np.ascontiguousarray(found.transpose(1, 0, 2).reshape(m, groups * GROUP)[:, :w])


def rows_into(matrix: sp.csr_array, whole: np.ndarray) -> None:
    """Write AᵀA into `whole` (m, m) float32."""
    _rows(*_both(matrix), whole)  # type: ignore[call-arg]


def largest(
    matrix: sp.csr_array, before: np.ndarray, after: np.ndarray, most: int, whole: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `most` largest entries above 0 of each row of diag(before) AᵀA diag(after) beside its diagonal: positions
    (m, most) int32 in order, values (m, most) float32, and how many (m,) there are; of equal ones the first.

    From `whole`, which is AᵀA, where it is given.
    """
    m = matrix.shape[1]
    scales = np.ascontiguousarray(before, np.float32), np.ascontiguousarray(after, np.float32)
    place, value, count = np.zeros((m, most), np.int32), np.zeros((m, most), np.float32), np.zeros(m, np.int64)
    if whole is not None:
        _largest_of_whole(whole, *scales, place, value, count)
    else:
        _largest(*_both(matrix), *scales, place, value, count)  # type: ignore[call-arg]
    return place, value, count


def _both(matrix: sp.csr_array) -> tuple[np.ndarray, ...]:
    """A and Aᵀ by rows."""
    turned = matrix.T.tocsr()
    return tuple(
        part
        for side in (matrix, turned)
        for part in (side.indptr.astype(np.int64), side.indices.astype(np.int32, copy=False), side.data)
    )


@numba.njit(cache=True, nogil=True, parallel=True)
def _times(starts, columns, values, parts, found, chunk):  # type: ignore[no-untyped-def]
    n = len(starts) - 1
    for g in numba.prange(len(parts)):
        block, total = parts[g], found[g]
        row, some = np.zeros(GROUP, np.float32), np.zeros(block.shape, np.float32)
        for first in range(0, n, chunk):
            some[:] = 0
            for u in range(first, min(n, first + chunk)):
                for k in range(GROUP):
                    row[k] = 0
                for e in range(starts[u], starts[u + 1]):
                    value, item = values[e], block[np.uint32(columns[e])]
                    for k in range(GROUP):
                        row[k] += value * item[k]
                for e in range(starts[u], starts[u + 1]):
                    value, item = values[e], some[np.uint32(columns[e])]
                    for k in range(GROUP):
                        item[k] += value * row[k]
            total += some


@numba.njit(cache=True, nogil=True, inline="always")
def _row(i, starts, columns, values, turned_starts, turned_columns, turned_values, found):  # type: ignore[no-untyped-def]
    """Row i of AᵀA, into `found` (m,)."""
    found[:] = 0
    for at in range(turned_starts[i], turned_starts[i + 1]):
        u, own = turned_columns[at], turned_values[at]
        for e in range(starts[u], starts[u + 1]):
            found[columns[e]] += own * values[e]


@numba.njit(cache=True, nogil=True, parallel=True)
def _rows(starts, columns, values, turned_starts, turned_columns, turned_values, whole):  # type: ignore[no-untyped-def]
    for i in numba.prange(len(whole)):
        _row(i, starts, columns, values, turned_starts, turned_columns, turned_values, whole[i])


@numba.njit(cache=True, nogil=True, parallel=True)
def _largest(  # type: ignore[no-untyped-def]
    starts, columns, values, turned_starts, turned_columns, turned_values, before, after, place, value, count
):
    m = len(before)
    for part in numba.prange((m + ROWS - 1) // ROWS):
        row, heap = np.zeros(m, np.float32), np.zeros(place.shape[1], np.float32)
        for i in range(part * ROWS, min(m, (part + 1) * ROWS)):
            _row(i, starts, columns, values, turned_starts, turned_columns, turned_values, row)
            count[i] = _kept(i, row, before[i], after, heap, place[i], value[i])


@numba.njit(cache=True, nogil=True, parallel=True)
def _largest_of_whole(whole, before, after, place, value, count):  # type: ignore[no-untyped-def]
    m = len(before)
    for part in numba.prange((m + ROWS - 1) // ROWS):
        row, heap = np.zeros(m, np.float32), np.zeros(place.shape[1], np.float32)
        for i in range(part * ROWS, min(m, (part + 1) * ROWS)):
            row[:] = whole[i]
            count[i] = _kept(i, row, before[i], after, heap, place[i], value[i])


@numba.njit(cache=True, nogil=True)
def _kept(i, row, before, after, heap, place, value):  # type: ignore[no-untyped-def]
    """Scale `row` (m,) in place, write its largest entries but the i-th, and return how many there are.

    `heap` (most,) holds the largest seen so far, the least of them first.
    """
    most = len(heap)
    if most == 0:
        return 0
    heap[:] = 0
    for j in range(len(row)):
        if row[j] != 0:
            row[j] = np.float32(0) if j == i else row[j] * before * after[j]
            if row[j] > heap[0]:
                put_in(heap, row[j])
    edge, above = heap[0], 0
    for k in range(most):
        above += heap[k] > edge
    room, n = most - above if edge > 0 else 0, 0
    for j in range(len(row)):
        if row[j] > edge or (room > 0 and row[j] == edge):
            room -= row[j] == edge
            place[n], value[n] = j, row[j]
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def put_in(heap, new):  # type: ignore[no-untyped-def]
    """Put `new` in the place of the least entry of a heap, its first."""
    at, size = 0, len(heap)
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= new:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = new
