"""What the people one talks with say of one's taste: a step of propagation over calls.

With C the calls between customers, each strength as log(1 + calls), S = D^-½ C D^-½ with D the row sums: a customer
hears much from whom they call much, and little from somebody who calls everybody. Rows of S are divided by their sums
over the people who are known, so what is heard is a weighted mean.

- Of a customer without use, what is heard is how the people called differ from what their attributes let expect:
  vector = expected + α · mean (vector - expected) of the people called.
- Of one with use: vector + α · mean (vector) of the people called.

α is chosen from few values on half of the held-out customers, and 0 unless surely better (`cold`, `train`).

Source: one step of the propagation of residuals in "Correct and Smooth" (Huang et al. 2020,
https://arxiv.org/abs/2010.13993).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from embeddings.evaluate import Score
from embeddings.graph import Edges
from embeddings.scorer import Vectors, standardised
from embeddings.trial import Trial, lift, surely_better

ALPHAS = (0.1, 0.25, 0.5, 1.0, 2.0)
CHUNK = 1 << 16


def hearing(calls: Edges, heard: np.ndarray) -> sp.csr_array:
    """Weights (n, n) float32 of the people called for each customer, of those whom `heard` (n,) is true for; rows sum
    to 1, or to 0 where there is nobody.

    >>> ends = np.array([0, 1, 1, 2], np.int32), np.array([1, 0, 2, 1], np.int32)
    >>> none = np.full(4, -1, np.int32)
    >>> calls = Edges(*ends, np.ones(4, np.float32), none, none, (3, 3))
    >>> hearing(calls, np.array([True, False, True])).toarray().round(2).tolist()
    [[0.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
    """
    n = calls.shape[0]
    strength = np.log1p(calls.strength.astype(np.float64))
    degree = np.bincount(calls.users, strength, n)
    loudness = np.divide(1, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    weight = strength * loudness[calls.items] * heard[calls.items]
    total = np.bincount(calls.users, weight, n)
    weight *= np.divide(1, total, out=np.zeros(n), where=total > 0)[calls.users]
    starts = np.searchsorted(calls.users, np.arange(n + 1))
    matrix = sp.csr_array((weight.astype(np.float32), calls.items.astype(np.int32), starts), shape=(n, n))
    matrix.eliminate_zeros()
    return matrix


def smoothed(vectors: Vectors, weights: sp.csr_array, alpha: float, only: np.ndarray | None = None) -> Vectors:
    """Users' vectors with `alpha` times what they hear added; whoever has no vector stays without.

    With `only` (b,), just the users at these positions have a vector.
    """
    if not alpha or not weights.nnz:
        return vectors
    every, users = vectors.everybody, np.zeros(vectors.users.shape, np.float32)
    wanted = np.arange(len(users)) if only is None else only
    for at in range(0, len(wanted), CHUNK):
        rows = wanted[at : at + CHUNK]
        own = every[rows]
        heard = np.asarray(weights[rows] @ every, np.float32)
        users[rows] = own + np.float32(alpha) * heard * own.any(axis=1, keepdims=True)
    return replace(vectors, users=users)


def best_alpha(trial: Trial, vectors: Vectors) -> tuple[float, Score, dict[str, Any]]:
    """α for customers with use, 0 unless a larger one ranks surely better; their scores with it; and what it gives.

    The figures are of the best α above 0, kept or not; without any call there are none.
    """
    alone = trial.with_fallback(vectors)
    calls = trial.held.train.calls
    if calls is None or not len(calls):
        return 0.0, alone, {}
    own = standardised(vectors)
    weights = hearing(calls, np.asarray(own.everybody.any(axis=1)))
    measured = np.union1d(trial.tuning, trial.reporting)
    scores = {alpha: trial.with_fallback(smoothed(own, weights, alpha, measured)) for alpha in ALPHAS}
    tuned = {alpha: trial.quality(score, trial.tuning) for alpha, score in scores.items()}
    best = max(ALPHAS, key=lambda alpha: float(tuned[alpha].ndcg.sum()))
    kept = surely_better(tuned[best], trial.quality(alone, trial.tuning), trial.seed)
    given = lift(trial.quality(alone, trial.reporting), trial.quality(scores[best], trial.reporting), kept)
    figures = {"alpha": best, **given}
    if not kept:
        return 0.0, alone, figures
    return best, trial.with_fallback(smoothed(own, weights, best)), figures
