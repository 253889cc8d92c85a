"""What every scorer gives: vectors whose dot product ranks apps for users."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from embeddings.arithmetic import product
from embeddings.graph import Graph

ROWS = 1 << 15


@dataclass(frozen=True)
class Vectors:
    """`users` (n, d) and `apps` (m, d), float32; score(u, a) = users[u] · apps[a].

    A user's row may be scaled by any positive number without changing the ranking. A row of zeros is a user of
    whom the scorer knows nothing.
    """

    users: np.ndarray
    apps: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (b, m) of all apps for the users at `rows` (b,)."""
        return product(self.users[rows], self.apps.T)

    def first(self, d: int) -> Vectors:
        """Only the first d dimensions."""
        return Vectors(self.users[:, :d], self.apps[:, :d])


class Scorer(ABC):
    """Learns vectors from a graph; the same graph, seed and number of threads give the same vectors."""

    name: str

    @abstractmethod
    def fit(self, graph: Graph) -> Vectors:
        """Vectors for all users and apps of the graph; those without an edge included."""


def standardised(vectors: Vectors) -> Vectors:
    """The same ranking with readable scores: how many standard deviations an app lies above the user's mean app.

    score'(u, a) = (score(u, a) - mean over apps) / standard deviation over apps, still one dot product: with the
    covariance C of the apps' centred vectors, the deviation is sqrt(users[u]ᵀ C users[u]). Users without any spread
    (rows of zeros, a single app) become rows of zeros.

    >>> v = standardised(Vectors(np.array([[2.0], [0.0]], np.float32), np.array([[0.0], [1.0]], np.float32)))
    >>> v.scores(np.array([0, 1])).round(3).tolist()
    [[-1.0, 1.0], [-0.0, 0.0]]
    """
    if not len(vectors.apps):
        return vectors
    centred = vectors.apps - vectors.apps.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = product(centred.T.astype(np.float64), centred.astype(np.float64)) / len(centred)
    users = np.zeros(vectors.users.shape, np.float32)
    for at in range(0, len(users), ROWS):
        rows = vectors.users[at : at + ROWS].astype(np.float64)
        spread = np.sqrt(np.maximum(np.einsum("nd,nd->n", product(rows, covariance), rows), 0))
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-9)
        users[at : at + ROWS] = rows * scale[:, None]
    return Vectors(users, centred)


def joined(left: Vectors, right: Vectors, weight: float) -> Vectors:
    """Both scorers as one dot product: the sum of their standardised scores, the right one's times `weight`."""
    one, two = standardised(left), standardised(right)
    return Vectors(np.hstack([one.users, two.users * np.float32(weight)]), np.hstack([one.apps, two.apps]))
