"""How well a product fits a customer, from 0 to 1, out of the trained vectors.

affinity(u, p) = sigmoid(a · (s(u, p) - mean over customers of s(·, p))), s the cosine of the trained vectors. The slope
a is fitted on held-out subscriptions so that sigmoid(a · (s(u, p) - s(v, p))) is the probability that u, who took p,
comes before a random other customer v: .5 means 'like the average customer', and no product gains by being common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embeddings.graph import Edges
from embeddings.scorer import Vectors

OTHERS = 10
MOST_HELD = 50_000
"""Held-out pairs that are compared at most: a slope and a share need no more."""
BLOCK = 8192
STEEPEST = 50.0


@dataclass(frozen=True)
class Affinity:
    """The fitted `slope`; `auc`, how often the customer who took the product came first; `pairs` held out; `then`: the
    affinity vectors of the past that it was fitted on."""

    slope: float
    auc: float
    pairs: int
    then: Vectors | None = None


def fit_affinity(vectors: Vectors, held: Edges, known: Edges, seed: int) -> Affinity:
    """Compare each held-out (user, product) with random other users of whom something is known.

    Without any held-out pair, or where the vectors do not tell (AUC ≤ .5), the slope is 0: everybody fits alike.
    """
    told = np.flatnonzero(vectors.everybody.any(axis=1))
    rng = np.random.default_rng(seed)
    if not len(held) or not len(told):
        return Affinity(0.0, 0.5, 0)
    some = np.arange(len(held)) if len(held) <= MOST_HELD else np.sort(rng.choice(len(held), MOST_HELD, replace=False))
    took, product = np.repeat(held.users[some], OTHERS), np.repeat(held.items[some], OTHERS)
    other = rng.choice(told, len(took))
    holders = np.concatenate([known.users.astype(np.int64), held.users]) * known.shape[1]
    holders += np.concatenate([known.items, held.items])
    fair = ~np.isin(other.astype(np.int64) * known.shape[1] + product, holders) & vectors.users[took].any(axis=1)
    took, product, other = took[fair], product[fair], other[fair]
    parts = [slice(at, at + BLOCK) for at in range(0, len(took), BLOCK)]
    difference = np.concatenate(
        [
            np.einsum(
                "bd,bd->b",
                vectors.users[took[part]].astype(np.float64) - vectors.users[other[part]],
                vectors.apps[product[part]],
            )
            for part in parts
        ]
        or [np.zeros(0)]
    )
    if not len(difference):
        return Affinity(0.0, 0.5, 0)
    auc = float(np.mean(difference > 0) + np.mean(difference == 0) / 2)
    return Affinity(slope_of(difference) if auc > 0.5 else 0.0, round(auc, 5), len(held))


def slope_of(difference: np.ndarray) -> float:
    """The a in 0 … `STEEPEST` that maximises the sum of log sigmoid(a · difference), by bisection of its derivative.

    >>> round(slope_of(np.array([1.0, 1.0, 1.0, -1.0])), 3)  # sigmoid(a) = 3/4
    1.099
    """
    low, high = 0.0, STEEPEST
    for _ in range(40):
        middle = (low + high) / 2
        slope = np.mean(difference / (1 + np.exp(np.clip(middle * difference, -500, 500))))
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2


def affinity_vectors(vectors: Vectors, slope: float) -> Vectors:
    """Users (n, d + 1) and products (p, d + 1) whose dot product is the affinity's log-odds; unknown users stay 0."""
    every = vectors.everybody
    told = np.asarray(every.any(axis=1))  # rows of zeros add nothing to the sum
    mean = every.sum(axis=0, dtype=np.float64) / max(1, int(told.sum()))
    users = np.hstack([every, told[:, None]], dtype=np.float32)
    level = -(vectors.apps @ mean.astype(np.float32))
    products = np.hstack([vectors.apps, level[:, None]]) * np.float32(slope)
    return Vectors(users, products.astype(np.float32))
