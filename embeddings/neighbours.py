"""The linear item-item part of the graph filter: each app's closest apps, kept sparse.

With the normalised use matrix R̃ (n, m) of `embeddings.filter`, the Gram matrix R̃ᵀR̃ (m, m) says how often two apps are
used by the same customers. Its low-pass is a dot product of a few hundred dimensions; what that loses, tastes
that few share, is in the largest entries of each row. With 128 of them a row, .3 % of NDCG was lost on Gowalla.

Source: the linear part of GF-CF (Shen et al. 2021, https://arxiv.org/abs/2108.07567).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import scipy.sparse as sp

MOST = 128
"""Apps kept beside each app."""
CELLS = 1 << 25
"""Entries of the Gram matrix made at a time (float32)."""
BLOCK = 512
DENSER = 20
"""A dense product is this much quicker an entry than a sparse one."""
DENSEST = 1 << 30
"""Entries of a Gram matrix that is held whole (4 GB)."""


@dataclass(frozen=True)
class Neighbours:
    """What the apps that a user used add to the scores of others: pull[u] · Σ over u's apps i of weights[i, ·].

    `uses` (n, m) ones where used; `weights` (m, m), at most `MOST` a row; `pull` (n,) float32 scales a user's part.
    One more app i in use adds pull[u] · fold[i] to the first dimensions of the user's vector; `fold` (m, f) float32, of
    which the first takes up the mean of what i adds.
    """

    uses: sp.csr_array
    weights: sp.csr_array
    pull: np.ndarray
    fold: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (b, m) float32 of the users at `rows`."""
        return np.asarray((self.uses[rows] @ self.weights).todense(), np.float32) * self.pull[rows][:, None]

    def first(self, d: int) -> Neighbours:
        """The same for vectors of which only the first `d` dimensions are kept."""
        return replace(self, fold=self.fold[:, :d])

    def weighed(self, linear: float) -> Neighbours:
        """The same with all weights times `linear`; without any for 0."""
        weights = self.weights * np.float32(linear) if linear else no_neighbours(self.uses.shape)
        return replace(self, weights=weights)

    def scaled(self, factor: np.ndarray | float) -> Neighbours:
        """The same with each user's part times `factor` (n,)."""
        return replace(self, pull=(self.pull * factor).astype(np.float32))


def no_neighbours(shape: tuple[int, int]) -> sp.csr_array:
    """Weights (m, m) without an entry, for users and apps of `shape` (n, m)."""
    return cast("sp.csr_array[np.float32, tuple[int, int]]", sp.csr_array((shape[1], shape[1]), dtype=np.float32))


def gram_rows(normal: sp.csr_array, transposed: sp.csr_array, start: int, end: int) -> np.ndarray:
    """Rows `start` to `end` of R̃ᵀR̃, dense (end - start, m) float32."""
    return np.asarray((transposed[start:end] @ normal).todense(), np.float32)


def gram(normal: sp.csr_array) -> np.ndarray | None:
    """R̃ᵀR̃ (m, m) float32, whole, by blocks of rows; None where R̃ is sparse enough to be cheaper, or m too large."""
    m = normal.shape[1]
    if m * m > min(DENSEST, DENSER * normal.nnz):
        return None
    transposed, whole = normal.T.tocsr(), np.empty((m, m), np.float32)
    for start in range(0, m, BLOCK):
        end = min(m, start + BLOCK)
        whole[start:end] = gram_rows(normal, transposed, start, end)
    return whole


def closest(
    normal: sp.csr_array, before: np.ndarray, after: np.ndarray, most: int = MOST, whole: np.ndarray | None = None
) -> sp.csr_array:
    """The `most` largest entries of each row of diag(before) R̃ᵀR̃ diag(after), its diagonal left out: CSR (m, m).

    Equal entries by position; entries of 0 are never kept. A block of rows at a time; from `whole`, the Gram matrix of
    `gram`, where it is given.

    >>> used = sp.csr_array(np.array([[1, 1, 0], [1, 1, 1]], np.float32))
    >>> closest(used, np.ones(3), np.ones(3), most=1).toarray().tolist()
    [[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    m = normal.shape[1]
    most = min(most, max(m - 1, 0))
    transposed = normal.T.tocsr()
    step = max(1, CELLS // max(m, 1))
    columns, values, counts = [], [], []
    for start in range(0, m, step):
        end = min(m, start + step)
        part = gram_rows(normal, transposed, start, end) if whole is None else whole[start:end]
        rows = part * before[start:end, None] * after[None, :]
        rows = rows.astype(np.float32, copy=False)
        rows[np.arange(end - start), np.arange(start, end)] = 0
        place = _largest(rows, most)
        kept = np.take_along_axis(rows, place, axis=1)
        some = kept > 0
        columns.append(place[some].astype(np.int32))
        values.append(kept[some])
        counts.append(some.sum(axis=1))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))]) if counts else np.zeros(1, np.int64)
    none: list[np.ndarray] = [np.zeros(0, np.int32)]
    data = np.concatenate(values) if values else np.zeros(0, np.float32)
    return sp.csr_array((data, np.concatenate(columns or none), starts.astype(np.int64)), shape=(m, m))


def _largest(rows: np.ndarray, most: int) -> np.ndarray:
    """Positions (b, most) of the largest entries of each row, in order of position; of equal ones the first."""
    m = rows.shape[1]
    if most >= m:
        return np.broadcast_to(np.arange(m), rows.shape)
    if most == 0:
        return np.zeros((len(rows), 0), np.int64)
    edge = np.partition(rows, m - most, axis=1)[:, m - most, None]
    above = rows > edge
    level = rows == edge
    room = most - above.sum(axis=1, keepdims=True)
    return np.nonzero(above | (level & (np.cumsum(level, axis=1) <= room)))[1].reshape(len(rows), most)
