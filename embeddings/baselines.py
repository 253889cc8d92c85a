"""Simple methods that every snapshot is held against, fitted on the same past: neighbours of items, EASE, ALS.

All three score a user by what the user uses, so they are fitted on a bounded number of pairs and asked for anybody: at
the bound and with 24,728 apps all of it takes 30 s of one processor and 1.3 GB, whatever the number of customers.
Each has few settings, chosen by the same tuning users as ours are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numba
import numpy as np
import scipy.sparse as sp

from embeddings.arithmetic import product, thread_count
from embeddings.evaluate import Score
from embeddings.gram import put_in

MOST_PAIRS = 2_000_000
"""Pairs that a baseline is fitted on: of more, those of a random part of the users."""
MOST_PRODUCTS = 2_000_000_000
"""Products of item with item over users that counting neighbours may take, some 20 s; fewer users count beyond."""
MOST_APPS = 5_000
"""EASE inverts a dense matrix of apps by apps: time grows with the cube, memory with the square. This many take about
10 s and 0.4 GB, five times as many 20 minutes and 10 GB."""
NEIGHBOURS = 100
COLUMNS = 2048
"""Items whose neighbours are counted at once."""
SHRINKAGE = (0.0, 20.0)
RIDGE = (0.1, 1.0)
ITERATIONS, REGULARISATION = 8, 10.0
FACTORS_ALPHA = ((24, 5.0), (64, 5.0), (128, 20.0))
"""Sizes of the least squares, from small to large catalogues."""


@dataclass(frozen=True)
class Baseline:
    """A fitted simple method: its `setting` in words and its scores from rows of use (b, m) to (b, m)."""

    setting: str
    scores: Callable[[sp.csr_array], np.ndarray]

    def of(self, known: sp.csr_array) -> Score:
        """Scores by the position of users in `known` (n, m)."""
        return lambda rows: self.scores(known[rows])


def baselines(known: sp.csr_array, seed: int) -> tuple[dict[str, Iterator[Baseline]], dict[str, str]]:
    """The variants of each simple method by name, fitted when asked for, on the users' apps `known` (n, m); and why
    what is left out is left out.

    >>> known = sp.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], np.float32))
    >>> found, out = baselines(known, seed=0)
    >>> first = next(found["item_knn"])
    >>> first.setting, first.scores(known[[0]]).argmax()
    ('100 neighbours, shrinkage 0', np.int64(0))
    >>> out
    {}
    """
    m, left_out = known.shape[1], {}
    found: dict[str, Iterator[Baseline]] = {}
    if not known.nnz:
        return {}, dict.fromkeys(("item_knn", "ease", "als"), "nobody used anything before")
    some = sample(known, MOST_PAIRS, seed)
    found["item_knn"] = (item_knn(some, shrinkage, seed) for shrinkage in SHRINKAGE)
    if m <= MOST_APPS:
        found["ease"] = (ease(some, ridge) for ridge in RIDGE)
    else:
        left_out["ease"] = f"{m:,} apps: a dense inverse of more than {MOST_APPS:,} takes too long"
    found["als"] = (als(some, factors, alpha, seed) for factors, alpha in FACTORS_ALPHA)
    return found, left_out


def sample(known: sp.csr_array, pairs: int, seed: int) -> sp.csr_array:
    """The rows of users who use something, or of as many random ones as have `pairs` edges together, in order."""
    active = np.flatnonzero(np.diff(known.indptr))
    if known.nnz > pairs:
        order = np.random.default_rng(seed).permutation(active)
        enough = np.searchsorted(np.cumsum(np.diff(known.indptr)[order]), pairs, side="right")
        active = np.sort(order[: max(1, enough)])
    return known[active]


def item_knn(rows: sp.csr_array, shrinkage: float, seed: int) -> Baseline:
    """Each item's `NEIGHBOURS` most alike: similarity(i, j) = |users of both| / (√(|users of i| |users of j|) + h).

    A user's score of i is the sum over the items used; h is the shrinkage, which trusts pairs with few users less.
    Source: Sarwar et al. 2001 (item-based collaborative filtering), shrinkage as in Bell and Koren 2007.
    """
    degree = np.diff(rows.indptr).astype(np.int64)
    total = int((degree**2).sum())
    if total > MOST_PRODUCTS:  # users of thousands of items cost the square of it
        rows = sample(rows, int(rows.nnz * MOST_PRODUCTS / total), seed)
    users = np.asarray(rows.sum(axis=0)).ravel()
    columns = rows.T.tocsr()
    parts = []
    for at in range(0, rows.shape[1], COLUMNS):
        both = sp.csr_array(columns[at : at + COLUMNS] @ rows)
        item = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
        length = np.sqrt(users[at + item] * users[both.indices]) + shrinkage
        both.data = np.where(item + at == both.indices, 0, both.data / length).astype(np.float32)
        parts.append(strongest(both, NEIGHBOURS))
    alike = sp.csr_array(sp.vstack(parts)).T.tocsr()
    return Baseline(f"{NEIGHBOURS} neighbours, shrinkage {shrinkage:g}", lambda used: (used @ alike).toarray())


def strongest(rows: sp.csr_array, k: int) -> sp.csr_array:
    """Only the k largest entries above 0 of each row; equal ones by position.

    >>> strongest(sp.csr_array(np.array([[1.0, 3.0, 3.0, 0.0], [0.0, 0.0, 2.0, 0.0]])), 1).toarray().tolist()
    [[0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]]
    """
    count = np.zeros(rows.shape[0], np.int64)
    place, value = np.zeros((len(count), k), np.int32), np.zeros((len(count), k), rows.dtype)
    _strongest(rows.indptr.astype(np.int64), rows.indices.astype(np.int32, copy=False), rows.data, place, value, count)
    kept = np.arange(k) < count[:, None]
    return sp.csr_array((value[kept], place[kept], np.append(0, np.cumsum(count))), shape=rows.shape)


@numba.njit(cache=True, nogil=True, parallel=True)
def _strongest(starts, columns, values, place, value, count):  # type: ignore[no-untyped-def]
    k = place.shape[1]
    for i in numba.prange(len(count)):
        mine, names = values[starts[i] : starts[i + 1]], columns[starts[i] : starts[i + 1]]
        heap = np.zeros(k, mine.dtype)
        for one in mine:
            if one > heap[0]:
                put_in(heap, one)
        above, level = np.flatnonzero(mine > heap[0]), np.zeros(0, np.int64)
        if heap[0] > 0:
            level = np.flatnonzero(mine == heap[0])
            level = level[np.argsort(names[level])][: k - len(above)]
        some = np.append(above, level)
        some = some[np.argsort(names[some])]
        place[i, : len(some)], value[i, : len(some)], count[i] = names[some], mine[some], len(some)


def ease(rows: sp.csr_array, ridge: float) -> Baseline:
    """The linear item-item model in closed form: P = (RᵀR + λI)⁻¹, weight(i, j) = -P(i, j) / P(j, j), 0 on the
    diagonal; λ is `ridge` times an item's mean number of users.

    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data" (https://arxiv.org/abs/1905.03375).
    """
    import torch

    gram = torch.from_numpy((rows.T @ rows).toarray().astype(np.float64))
    gram.diagonal().add_(ridge * rows.nnz / rows.shape[1])
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
    weights = (inverse / -inverse.diagonal()).fill_diagonal_(0).float().numpy()
    return Baseline(f"ridge {ridge:g} of the mean degree", lambda used: np.asarray(used @ weights, np.float32))


def als(rows: sp.csr_array, factors: int, alpha: float, seed: int) -> Baseline:
    """Alternating least squares of `implicit`: `factors` (fewer in a small catalogue), `ITERATIONS`, a used app `alpha`
    times as sure as an unused one. A user's factors are solved from their row, so nobody needs to be among `rows`.

    Source: Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets".
    """
    from implicit.cpu.als import AlternatingLeastSquares  # half a second to import: only where it is used
    from threadpoolctl import threadpool_limits

    factors = min(factors, *rows.shape)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors, REGULARISATION, alpha, iterations=ITERATIONS, num_threads=thread_count(), random_state=seed
        )
        model.fit(sp.csr_matrix(rows), show_progress=False)
    items = model.item_factors.T

    def scores(used: sp.csr_array) -> np.ndarray:
        with threadpool_limits(1, "blas"):
            found = model.recalculate_user(np.arange(used.shape[0]), sp.csr_matrix(used))
        return product(found, items)

    return Baseline(f"{factors} factors, {ITERATIONS} iterations, alpha {alpha:g}", scores)
