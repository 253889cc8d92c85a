"""What every scorer gives: vectors whose dot product ranks apps for users."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from embeddings.arithmetic import product
from embeddings.graph import Graph
from embeddings.neighbours import Neighbours, no_neighbours

ROWS = 1 << 15
FEWER = 1 << 11
"""Users whose neighbours' scores are held at once: each has thousands."""


@dataclass(frozen=True)
class Vectors:
    """`users` (n, d) and `apps` (m, d), float32; score(u, a) = users[u] · apps[a].

    `near` adds what apps say of apps, which is no dot product. A user's row (with their `near.pull`) may be scaled by any
    positive number without changing the ranking. A row of zeros is a user of whom the scorer knows nothing.
    """

    users: np.ndarray
    apps: np.ndarray
    near: Neighbours | None = None

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (b, m) of all apps for the users at `rows` (b,)."""
        dot = product(self.users[rows], self.apps.T)
        return dot if self.near is None or not self.near.weights.nnz else dot + self.near.scores(rows)

    def first(self, d: int) -> Vectors:
        """Only the first d dimensions, and `near`."""
        near = None if self.near is None else self.near.first(d)
        return Vectors(self.users[:, :d], self.apps[:, :d], near)

    def weighed(self, linear: float) -> Vectors:
        """With the neighbours' part `linear` times as heavy; 0 leaves it out."""
        if self.near is None:
            return self
        none = no_neighbours(self.near.uses.shape)
        return replace(
            self, near=replace(self.near, weights=self.near.weights * np.float32(linear) if linear else none)
        )


class Scorer(ABC):
    """Learns vectors from a graph; the same graph, seed and number of threads give the same vectors."""

    name: str

    @abstractmethod
    def fit(self, graph: Graph) -> Vectors:
        """Vectors for all users and apps of the graph; those without an edge included."""


def standardised(vectors: Vectors) -> Vectors:
    """The same ranking with readable scores: how many standard deviations an app lies above the user's mean app.

    score'(u, a) = (score(u, a) - mean over apps) / standard deviation over apps, still a dot product (one dimension
    more where `near` has to be centred). With C the covariance of the apps' vectors and z what `near` gives, the
    variance is usersᵀ C users + 2 cov(users · apps, z) + var z. Users without any spread (rows of zeros, a single
    app) become rows of zeros.

    >>> v = standardised(Vectors(np.array([[2.0], [0.0]], np.float32), np.array([[0.0], [1.0]], np.float32)))
    >>> v.scores(np.array([0, 1])).round(3).tolist()
    [[-1.0, 1.0], [-0.0, 0.0]]
    """
    if not len(vectors.apps):
        return vectors
    m = len(vectors.apps)
    near = vectors.near if vectors.near is not None and vectors.near.weights.nnz else None
    centred = vectors.apps - vectors.apps.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = product(centred.T.astype(np.float64), centred.astype(np.float64)) / m
    together = None if near is None else near.weights @ centred
    extra = 0 if near is None else 1
    n, d = vectors.users.shape
    users, scales = np.zeros((n, d + extra), np.float32), np.zeros(n, np.float32)
    for at in range(0, n, ROWS):
        block = slice(at, min(n, at + ROWS))
        rows = vectors.users[block].astype(np.float64)
        variance = np.einsum("nd,nd->n", product(rows, covariance), rows)
        mean = np.zeros(len(rows))
        if near is not None and together is not None:
            uses, pull = near.uses[block], near.pull[block].astype(np.float64)
            mean, square = _moments(uses, near.weights, pull)
            cross = np.einsum("nd,nd->n", rows, np.asarray(uses @ together)) * pull / m
            variance += 2 * cross + square - mean**2
        spread = np.sqrt(np.maximum(variance, 0))
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-9)
        users[block, :d] = rows * scale[:, None]
        users[block, d:] = (-mean * scale)[:, None]
        scales[block] = scale
    apps = np.hstack([centred, np.ones((m, extra), np.float32)])
    return Vectors(users, apps, None if vectors.near is None else vectors.near.scaled(scales))


def _moments(uses: sp.csr_array, weights: sp.csr_array, pull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square (b,) over all apps of pull · uses @ weights, a few users at a time."""
    m, means, squares = weights.shape[0], np.zeros(len(pull)), np.zeros(len(pull))
    for at in range(0, len(pull), FEWER):
        part = uses[at : at + FEWER] @ weights
        means[at : at + FEWER] = part.sum(axis=1)
        squares[at : at + FEWER] = part.multiply(part).sum(axis=1)
    return means * pull / m, squares * pull**2 / m


def joined(left: Vectors, right: Vectors, weight: float) -> Vectors:
    """Both scorers as one dot product: the sum of their standardised scores, the right one's times `weight`.

    Only the left one may have neighbours.
    """
    one, two = standardised(left), standardised(right)
    users = np.hstack([one.users, two.users * np.float32(weight)])
    return Vectors(users, np.hstack([one.apps, two.apps]), one.near)
