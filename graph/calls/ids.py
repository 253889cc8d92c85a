"""Pseudonyms to dense positions: a user's index is their row in the sorted `customers` table."""

from __future__ import annotations

import numba
import numpy as np
import pyarrow as pa

from lake.errors import NotReady

BUCKET_BITS = 16


def as_words(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """A column of 16-byte pseudonyms, none null, as (n, 2) unsigned 64-bit words in the order of the bytes."""
    if isinstance(column, pa.ChunkedArray):
        parts = [as_words(chunk) for chunk in column.chunks]
        return np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)
    fixed = column.cast(pa.binary(16))
    data = np.frombuffer(fixed.buffers()[1] or b"", dtype=">u8", count=2 * (len(fixed) + fixed.offset))
    return data[2 * fixed.offset :].reshape(-1, 2).astype(np.uint64)


class Positions:
    """Looks up positions in a sorted column of pseudonyms.

    Pseudonyms are cipher blocks, spread evenly, so their first bits lead to a bucket of a few; a binary search
    inside it keeps the answer right for any other bytes.

    >>> users = pa.array([b"a" * 16, b"b" * 16], pa.binary())
    >>> Positions(users).of(pa.array([b"b" * 16, b"c" * 16], pa.binary()))
    array([ 1, -1], dtype=int32)
    """

    def __init__(self, users: pa.Array | pa.ChunkedArray) -> None:
        words = as_words(users)
        self._high, self._low = np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])
        buckets = np.arange((1 << BUCKET_BITS) + 1, dtype=np.uint64)
        first = (buckets[:-1] << np.uint64(64 - BUCKET_BITS)).astype(np.uint64)
        self._starts = np.append(np.searchsorted(self._high, first), len(words)).astype(np.int64)

    def __len__(self) -> int:
        return len(self._high)

    def of(self, column: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """(n,) int32 positions; -1 where the pseudonym is not there."""
        words = as_words(column)
        return _search(self._high, self._low, self._starts, words[:, 0], words[:, 1])

    def known(self, column: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """As `of`, when every pseudonym must be there. Raises NotReady otherwise."""
        found = self.of(column)
        if len(found) and found.min() < 0:
            raise NotReady(
                f"{int((found < 0).sum())} numbers of the calls are not among the lake's customers",
                "load the feeds again, then analyse",
            )
        return found


@numba.njit(cache=True)
def _search(
    high: np.ndarray, low: np.ndarray, starts: np.ndarray, wanted_high: np.ndarray, wanted_low: np.ndarray
) -> np.ndarray:
    found = np.empty(wanted_high.shape[0], np.int32)
    shift = np.uint64(64 - BUCKET_BITS)
    for i in range(wanted_high.shape[0]):
        h, w = wanted_high[i], wanted_low[i]
        bucket = h >> shift
        left, right = starts[bucket], starts[bucket + np.uint64(1)]
        while left < right:
            middle = (left + right) // 2
            if high[middle] < h or (high[middle] == h and low[middle] < w):
                left = middle + 1
            else:
                right = middle
        hit = left < high.shape[0] and high[left] == h and low[left] == w
        found[i] = left if hit else -1
    return found
