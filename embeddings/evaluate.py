"""Held-out quality: Recall and NDCG at k over the users who began to use something, with bootstrap intervals.

What the lists are like beside that (coverage, novelty, popularity) is in `figures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.arithmetic import product
from embeddings.graph import Edges

K = 20
SHORT = 10
"""The second, shorter list that is reported."""
DRAWS = 1000
FEW = 200
"""With fewer measured users than this, tuning and reporting share them."""
MOST_USERS, FEWEST_USERS, MOST_ENTRIES = 10_000, 2_000, 200_000_000
CHUNK_ENTRIES = 1 << 25
"""Scores held at once while ranking (float32)."""

Score = Callable[[np.ndarray], np.ndarray]
"""From user positions (b,) to scores (b, m)."""


@dataclass(frozen=True)
class Quality:
    """Per-user figures (t,) of one scorer at `k`: `recall` = found / held out, `ndcg` against the best order.

    >>> Quality(20, np.array([0.0, 1.0]), np.array([0.0, 0.5])).summary()
    {'recall@20': 0.5, 'ndcg@20': 0.25}
    """

    k: int
    recall: np.ndarray
    ndcg: np.ndarray

    def summary(self) -> dict[str, float]:
        """Means over users, the k named; 0 where no user was measured."""
        mean = [float(part.mean()) if len(part) else 0.0 for part in (self.recall, self.ndcg)]
        return {f"recall@{self.k}": round(mean[0], 5), f"ndcg@{self.k}": round(mean[1], 5)}

    def interval(self, seed: int, draws: int = DRAWS) -> list[float]:
        """95 % bootstrap interval of the mean NDCG over users."""
        if not len(self.ndcg):
            return [0.0, 0.0]
        return ends(bootstrap(self.ndcg[:, None], seed, draws)[:, 0])

    def take(self, rows: np.ndarray) -> Quality:
        """Only the users at positions `rows`."""
        return Quality(self.k, self.recall[rows], self.ndcg[rows])


def halves(users: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tuning and reporting users; with fewer than `FEW` they are the same."""
    half = np.random.default_rng(seed + 1).permutation(len(users)) % 2 == 0
    return (users[half], users[~half]) if len(users) >= FEW else (users, users)


def most_users(m: int) -> int:
    """Users that scores of all m apps are made for at most, to measure by."""
    return min(MOST_USERS, max(FEWEST_USERS, MOST_ENTRIES // max(1, m)))


def measured_users(held: Edges, seed: int) -> np.ndarray:
    """Users with something held out, in order; a random `MOST_USERS` of them, or fewer with many apps, if there are
    more."""
    users, most = np.unique(held.users), most_users(held.shape[1])
    if len(users) > most:
        users = np.sort(np.random.default_rng(seed).choice(users, most, replace=False))
    return users


@dataclass(frozen=True)
class Lists:
    """The first apps of each measured user by one scorer, of all but those the user had used.

    `top` (t, w) int32 positions by falling score, -1 where there were fewer than w, `hits` (t, w) which of them were
    held out, `held` (t,) how many were; w is K, or the catalogue where that is smaller.
    """

    top: np.ndarray
    hits: np.ndarray
    held: np.ndarray

    def quality(self, k: int = K) -> Quality:
        """Recall@k = hits / held out (all of them, also when more than k); NDCG@k = sum of 1 / log2(rank + 1) over
        hits, divided by the same sum for the best possible order (Järvelin and Kekäläinen 2002)."""
        gains = 1 / np.log2(np.arange(2, k + 2))
        hits = self.hits[:, :k]
        best = np.cumsum(gains)[np.minimum(self.held, k) - 1]
        return Quality(k, hits.sum(axis=1) / self.held, (hits * gains[: hits.shape[1]]).sum(axis=1) / best)


def ranked(score: Score, known: sp.csr_array, held: sp.csr_array, users: np.ndarray, k: int = K) -> Lists:
    """Rank all apps but the `known` ones (n, m) for each of `users` and look for `held` (n, m) among the first k.

    Ties are broken by the app's position.
    """
    m = held.shape[1]
    step = max(1, CHUNK_ENTRIES // max(m, 1))
    width = min(k, m)
    lists = np.full((len(users), width), -1, np.int32)
    hits = np.zeros((len(users), width), bool)
    for at in range(0, len(users), step):
        rows = users[at : at + step]
        scores = np.array(score(rows), np.float32)
        used, wanted = known[rows], held[rows]
        scores[_row_numbers(used), used.indices] = -np.inf
        top = top_k(scores, k)
        relevant = np.zeros(scores.shape, bool)
        relevant[_row_numbers(wanted), wanted.indices] = True
        shown = np.take_along_axis(scores, top, axis=1) > -np.inf
        hits[at : at + step] = np.take_along_axis(relevant, top, axis=1) & shown
        lists[at : at + step] = np.where(shown, top, -1)
    return Lists(lists, hits, np.diff(held.indptr)[users])


def measure(score: Score, known: sp.csr_array, held: sp.csr_array, users: np.ndarray, k: int = K) -> Quality:
    """Recall and NDCG at k of a scorer: `ranked`, then `Lists.quality`."""
    return ranked(score, known, held, users, k).quality(k)


def bootstrap(values: np.ndarray, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Means (draws, q) of the rows of `values` (t, q), drawn anew with replacement each time.

    All columns see the same draws, so that two columns can be compared draw by draw.

    >>> means = bootstrap(np.array([[0.0, 1.0], [1.0, 0.0]]), seed=0)
    >>> bool(np.allclose(means.sum(axis=1), 1))
    True
    """
    t, q = values.shape
    rng = np.random.default_rng(seed)
    means = np.zeros((draws, q))
    step = max(1, CHUNK_ENTRIES // 8 // max(1, t))
    for at in range(0, draws if t else 0, step):
        size = min(step, draws - at)
        drawn = rng.integers(0, t, (size, t)) + np.arange(size)[:, None] * t
        times = np.bincount(drawn.ravel(), minlength=size * t).reshape(size, t)
        means[at : at + size] = product(times / t, values.astype(np.float64))
    return means


def ends(means: np.ndarray) -> list[float]:
    """The 95 % interval of bootstrapped means, to five digits."""
    return [round(float(q), 5) for q in np.quantile(means, [0.025, 0.975])]


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions (b, ≤ k) of the highest scores of each row, falling; equal scores by position.

    >>> top_k(np.array([[1.0, 3.0, 3.0, 2.0]]), 3).tolist()
    [[1, 2, 3]]
    """
    import torch

    b, m = scores.shape
    if k < m:
        # The k-th value decides who is in; which of several equal ones the library would name is left open.
        edge = torch.topk(torch.from_numpy(scores), k, dim=1, sorted=True).values[:, -1:].numpy()
        row, place = np.nonzero(scores >= edge)
        if len(row) > b * k:
            room = k - (scores > edge).sum(axis=1)
            level = scores[row, place] == edge[row, 0]
            before = np.cumsum(level) - level
            first = before[np.searchsorted(row, np.arange(b))]
            place = place[~level | (before - first[row] < room[row])]
        top = place.reshape(b, k)
    else:
        top = np.broadcast_to(np.arange(m), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def _row_numbers(matrix: sp.csr_array) -> np.ndarray:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
