"""The linear item-item part of the graph filter: each app's closest apps, kept sparse.

With the normalised use matrix R̃ (n, m) of `embeddings.filter`, the Gram matrix R̃ᵀR̃ (m, m) says how often two apps are
used by the same customers. Its low-pass is a dot product of a few hundred dimensions; what that loses, tastes
that few share, is in the largest entries of each row. With 128 of them a row, .3 % of NDCG was lost on Gowalla.

Source: the linear part of GF-CF (Shen et al. 2021, https://arxiv.org/abs/2108.07567).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numba
import numpy as np
import scipy.sparse as sp

from embeddings.gram import largest, rows_into

MOST = 128
"""Apps kept beside each app."""
PART = 1024
"""Users that a thread takes at a time."""
DENSER = 20
"""A dense product is this much quicker an entry than a sparse one."""
DENSEST = 1 << 29
"""Entries of a Gram matrix that is held whole (2 GB)."""


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

    def squares(self, rows: slice) -> np.ndarray:
        """Sum (b,) float64 of the squares of what the users at `rows` are given over all apps, before their `pull`."""
        uses, weights = self.uses[rows], self.weights
        found = np.zeros(uses.shape[0])
        starts, near_starts = uses.indptr.astype(np.int64), weights.indptr.astype(np.int64)
        _squares(starts, uses.indices, near_starts, weights.indices, weights.data, weights.shape[0], found)
        return found

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


def gram(normal: sp.csr_array) -> np.ndarray | None:
    """R̃ᵀR̃ (m, m) float32, whole; None where R̃ is sparse enough to be cheaper, or m too large."""
    m = normal.shape[1]
    if m * m > min(DENSEST, DENSER * normal.nnz):
        return None
    whole = np.empty((m, m), np.float32)
    rows_into(normal, whole)
    return whole


def closest(
    normal: sp.csr_array, before: np.ndarray, after: np.ndarray, most: int = MOST, whole: np.ndarray | None = None
) -> sp.csr_array:
    """The `most` largest entries of each row of diag(before) R̃ᵀR̃ diag(after), its diagonal left out: CSR (m, m).

    Equal entries by position; entries of 0 are never kept. From `whole`, the Gram matrix of `gram`, where it is given.

    >>> used = sp.csr_array(np.array([[1, 1, 0], [1, 1, 1]], np.float32))
    >>> closest(used, np.ones(3), np.ones(3), most=1).toarray().tolist()
    [[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    m = normal.shape[1]
    most = min(most, max(m - 1, 0))
    place, value, count = largest(normal.astype(np.float32), before, after, most, whole)
    kept = np.arange(most) < count[:, None]
    return sp.csr_array((value[kept], place[kept], np.append(0, np.cumsum(count))), shape=(m, m))


@numba.njit(cache=True, nogil=True, parallel=True)
def _squares(starts, used, near_starts, near, weights, m, found):  # type: ignore[no-untyped-def]
    for part in numba.prange((len(found) + PART - 1) // PART):
        total = np.zeros(m, np.float32)
        for u in range(part * PART, min(len(found), (part + 1) * PART)):
            for e in range(starts[u], starts[u + 1]):
                for k in range(near_starts[used[e]], near_starts[used[e] + 1]):
                    total[near[k]] += weights[k]
            square = 0.0
            for e in range(starts[u], starts[u + 1]):
                for k in range(near_starts[used[e]], near_starts[used[e] + 1]):
                    square += np.float64(total[near[k]]) ** 2
                    total[near[k]] = 0
            found[u] = square
