"""Rows of different lengths in three flat arrays, and the positions of keys in a sorted column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse


@dataclass(frozen=True)
class Ragged:
    """`rows` lists of positions: list i is `values[starts[i]:starts[i + 1]]`, with one weight a value.

    starts   int64 (rows + 1)
    values   int32 (total)
    weights  float32 (total)

    >>> held = Ragged.of(np.array([2, 0, 0]), np.array([1, 3, 1]), rows=3)
    >>> held.row(0).tolist(), held.row(1).tolist(), held.row(2).tolist()
    ([1, 3], [], [1])
    """

    starts: np.ndarray
    values: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, rows_of: np.ndarray, values: np.ndarray, *, rows: int, weights: np.ndarray | None = None) -> Ragged:
        """From pairs in any order: lists sorted by value, the weights (1 by default) of equal pairs added.

        Pairs with a negative row or value are left out.
        """
        rows_of, values = np.asarray(rows_of, np.int64), np.asarray(values, np.int64)
        weights = np.ones(len(values), np.float32) if weights is None else np.asarray(weights, np.float32)
        known = (rows_of >= 0) & (values >= 0)
        rows_of, values, weights = rows_of[known], values[known], weights[known]
        width = int(values.max()) + 1 if len(values) else 1
        matrix = sparse.coo_array((weights, (rows_of, values)), shape=(rows, width)).tocsr()
        matrix.sort_indices()
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32))

    @classmethod
    def in_order(
        cls, rows_of: np.ndarray, values: np.ndarray, order: np.ndarray, *, rows: int, weights: np.ndarray | None = None
    ) -> Ragged:
        """From pairs: each list in ascending `order` (ties by value) instead of by value."""
        known = (rows_of >= 0) & (values >= 0)
        weights = np.ones(len(values), np.float32) if weights is None else np.asarray(weights, np.float32)
        rows_of, values, order, weights = rows_of[known], values[known], order[known], weights[known]
        place = np.lexsort((values, order, rows_of))
        starts = np.zeros(rows + 1, np.int64)
        np.cumsum(np.bincount(rows_of.astype(np.int64), minlength=rows), out=starts[1:])
        return cls(starts, values[place].astype(np.int32), weights[place])

    @property
    def rows(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> np.ndarray:
        return self.values[self.starts[i] : self.starts[i + 1]]

    def lists(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists of some rows as starts (len(rows) + 1) and values.

        >>> Ragged.of(np.array([2, 0, 0]), np.array([1, 3, 1]), rows=3).lists(np.array([2, 0]))
        (array([0, 1, 3]), array([1, 1, 3], dtype=int32))
        """
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(self.starts[rows + 1] - self.starts[rows], out=starts[1:])
        return starts, self.pairs(rows)[1]

    def pairs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists of some rows as (place in `rows`, value), both flat.

        >>> Ragged.of(np.array([2, 0, 0]), np.array([1, 3, 1]), rows=3).pairs(np.array([2, 0]))
        (array([0, 1, 1]), array([1, 1, 3], dtype=int32))
        """
        first, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        place = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return place, self.values[np.repeat(first, counts) + within]


def positions(values: pa.Array | pa.ChunkedArray, keys: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Where each value lies in `keys`, as int64; -1 where it does not, or is null.

    >>> positions(pa.array(["b", "x", None]), pa.array(["a", "b"]))
    array([ 1, -1, -1])
    """
    if not len(values):  # looking nothing up among millions still makes a table of them
        return np.zeros(0, np.int64)
    found = pc.index_in(values, value_set=_whole(keys), skip_nulls=True)
    return np.asarray(pc.fill_null(_whole(found), -1), np.int64)


def sixteen(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """A column of 16-byte pseudonyms as a NumPy array of `S16`, which sorts as the bytes do.

    >>> sixteen(pa.array([b"0123456789abcdef"], pa.binary()))
    array([b'0123456789abcdef'], dtype='|S16')
    """
    fixed = _whole(column).cast(pa.binary(16))
    return np.frombuffer(fixed.buffers()[1] or b"", "S16", count=len(fixed), offset=fixed.offset * 16)


def binary(users: np.ndarray) -> pa.Array:
    """The opposite of `sixteen`: a column from `S16` (n,), or from uint8 (n, 16).

    >>> binary(np.array([b"0123456789abcdef"])).to_pylist()
    [b'0123456789abcdef']
    """
    packed = pa.py_buffer(np.ascontiguousarray(users).view(np.uint8))
    return pa.Array.from_buffers(pa.binary(16), len(users), [None, packed]).cast(pa.binary())


def find(keys: np.ndarray, key: bytes) -> int:
    """Position of a 16-byte pseudonym in a sorted `S16` array; -1 where it is not."""
    place = int(np.searchsorted(keys, np.bytes_(key)))
    return place if place < len(keys) and keys[place] == key.rstrip(b"\0") else -1


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
