"""What every scorer gives: vectors whose dot product ranks apps for users."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from embeddings.arithmetic import product
from embeddings.from_use import FromUse, Rows
from embeddings.graph import Graph
from embeddings.neighbours import Neighbours

ROWS = 1 << 15


@dataclass(frozen=True)
class Vectors:
    """`users` (n, d) and `apps` (m, d), float32; score(u, a) = users[u] · apps[a].

    `near` adds what apps say of apps, which is no dot product; dimension 0 is then the same for all apps and takes its
    mean away. A user's row (with their `near.pull`) may be scaled by any positive number without changing the ranking.
    A row of zeros is a user of whom the scorer knows nothing.
    """

    users: Rows
    apps: np.ndarray
    near: Neighbours | None = None

    @property
    def everybody(self) -> np.ndarray:
        """The rows of all users, made where they are not there yet."""
        return np.asarray(self.users)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (b, m) of all apps for the users at `rows` (b,)."""
        dot = product(self.users[rows], self.apps.T)
        return dot if self.near is None or not self.near.weights.nnz else dot + self.near.scores(rows)

    def first(self, d: int) -> Vectors:
        """Only the first d dimensions, beside the one that belongs to `near`."""
        d += self.near is not None
        users = self.users.first(d) if isinstance(self.users, FromUse) else self.users[:, :d]
        return Vectors(users, self.apps[:, :d], None if self.near is None else self.near.first(d))

    @property
    def width(self) -> int:
        """Dimensions, without the one that belongs to `near`."""
        return self.apps.shape[1] - (self.near is not None)

    def tilted(self, d: int, weight: float) -> Vectors:
        """With the dimensions from `d` on `weight` times as heavy, on the apps' side: users' rows are shared."""
        apps = self.apps.copy()
        apps[:, d:] *= np.float32(weight)
        return replace(self, apps=apps)

    def weighed(self, linear: float) -> Vectors:
        """With the neighbours' part `linear` times as heavy; 0 leaves it out."""
        if self.near is None:
            return self
        apps = self.apps.copy()
        apps[:, 0] *= np.float32(linear)
        return Vectors(self.users, apps, self.near.weighed(linear))


class Scorer(ABC):
    """Learns vectors from a graph; the same graph, seed and number of threads give the same vectors."""

    name: str

    @abstractmethod
    def fit(self, graph: Graph) -> Vectors:
        """Vectors for all users and apps of the graph; those without an edge included."""


def standardised(vectors: Vectors, out: np.ndarray | None = None) -> Vectors:
    """The same ranking with readable scores: how many standard deviations an app lies above the user's mean app.

    score'(u, a) = (score(u, a) - mean over apps) / standard deviation over apps, still a dot product. With C the
    covariance of the apps' vectors and z what `near` gives, the variance is usersᵀ C users + 2 cov(users · apps, z)
    + var z. Users without any spread (rows of zeros, a single app) become rows of zeros. The users' rows are written
    to `out` (n, d), which may be those of `vectors`.

    >>> v = standardised(Vectors(np.array([[2.0], [0.0]], np.float32), np.array([[0.0], [1.0]], np.float32)))
    >>> v.scores(np.array([0, 1])).round(3).tolist()
    [[-1.0, 1.0], [-0.0, 0.0]]
    """
    n, d = vectors.users.shape
    users = np.empty((n, d), np.float32) if out is None else out
    m, near = len(vectors.apps), vectors.near
    centred = vectors.apps - vectors.apps.mean(axis=0, dtype=np.float64).astype(np.float32) if m else vectors.apps
    covariance = product(centred.T.astype(np.float64), centred.astype(np.float64)) / max(m, 1)
    moments = None if near is None or not near.weights.nnz else Moments.of(near, centred)
    scales = np.zeros(n, np.float32)
    for at in range(0, n, ROWS):
        block = slice(at, min(n, at + ROWS))
        rows = vectors.users[block].astype(np.float64)
        variance = np.einsum("nd,nd->n", product(rows, covariance), rows)
        if moments is not None:
            mean, more = moments.at(block, rows)
            variance += more
        spread = np.sqrt(np.maximum(variance, 0))
        scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-9)
        users[block] = rows * scale[:, None]
        if moments is not None:
            users[block, 0] = -mean * scale
        scales[block] = scale
    if near is None:
        return Vectors(users, centred)
    apps = centred.copy()
    apps[:, 0] = 1 if moments is not None else 0
    return Vectors(users, apps, near.scaled(scales))


@dataclass(frozen=True)
class Moments:
    """What the neighbours' part of scores adds to mean and variance.

    `means` (m,): mean of each app's row of weights; `together` (m, d): of each row times the apps' centred vectors.
    """

    near: Neighbours
    means: np.ndarray
    together: np.ndarray

    @classmethod
    def of(cls, near: Neighbours, centred: np.ndarray) -> Moments:
        m = len(centred)
        return cls(near, np.asarray(near.weights.sum(axis=1), np.float64) / m, (near.weights @ centred) / m)

    def at(self, block: slice, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean over the apps (b,) of a block of users, and what is added to the variance (b,) of the dot products of
        their vectors `rows`."""
        uses, pull = self.near.uses[block], self.near.pull[block].astype(np.float64)
        mean = (uses @ self.means) * pull
        cross = np.einsum("nd,nd->n", rows, uses @ self.together) * pull
        return mean, 2 * cross + self.near.squares(block) * pull**2 / len(self.means) - mean**2


def joined(left: Vectors, right: Vectors, weight: float) -> Vectors:
    """Both scorers as one dot product: the sum of their standardised scores, the right one's times `weight`.

    Only the left one may have neighbours.
    """
    n, d = left.users.shape
    users = np.empty((n, d + right.users.shape[1]), np.float32)
    one, two = standardised(left, users[:, :d]), standardised(right, users[:, d:])
    return Vectors(users, np.hstack([one.apps, two.apps]), one.near).tilted(d, weight)
