"""Which apps are used alike, and which customers are like those of a list, by the snapshot's vectors. NumPy alone.

Apps: cosine of their vectors without what popularity says: of the unit vectors less their mean, what is left of a
regression of each dimension on the logarithm of the app's share of users, so that two apps are not alike for being
popular, or for being rare.

Customers: with v_u the unit vectors, of apps and of products side by side, score(u) = v_u · c / |c| for
c = (mean of v over the list) - (mean of v over all): how far a customer goes the way in which the list differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ROWS = 1 << 14
"""Customers scored at a time."""
DIGITS = 6
"""Scores are compared and given with so many digits: what rounding leaves is no difference."""


def unit(rows: np.ndarray) -> np.ndarray:
    """Each row divided by its length, float32; rows of zeros stay.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    return (rows * np.divide(1, length, out=np.zeros_like(length), where=length > 0)[:, None]).astype(np.float32)


def app_space(apps: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Unit vectors (m, d) of apps without what popularity says; zeros for apps of which nothing is known.

    apps (m, d), popularity (m) shares of users.
    """
    rows = unit(apps)
    told = rows.any(axis=1) & (popularity > 0)
    if told.sum() < 2:
        return np.where(told[:, None], rows, 0).astype(np.float32)
    rest = rows[told] - rows[told].mean(axis=0, dtype=np.float64)
    level = np.log(popularity[told].astype(np.float64))
    level -= level.mean()
    if (spread := float(level @ level)) > 0:
        rest -= np.outer(level, level @ rest / spread)
    rest[np.einsum("nd,nd->n", rest, rest) < 10.0 ** (-2 * DIGITS)] = 0
    rows[told] = rest
    return np.where(told[:, None], unit(rows), 0).astype(np.float32)


@dataclass(frozen=True)
class Alike:
    """What likeness is told by: `apps` (m, d) as `app_space` gives them; customers' vectors as one or several arrays
    `users` (n, d_i), each brought to length 1; and `usual`, their mean over all customers."""

    apps: np.ndarray
    users: tuple[np.ndarray, ...]
    usual: np.ndarray

    @classmethod
    def of(cls, apps: np.ndarray, popularity: np.ndarray, *users: np.ndarray) -> Alike:
        """From a snapshot's arrays; all customers' vectors are read once."""
        return cls(app_space(apps, popularity), users, _mean(users, np.arange(len(users[0])))[0])

    def apps_like(self, app: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k apps nearest to the one at `app` and their scores, best first; equal ones by position, itself and
        apps of which nothing is known left out."""
        scores = (self.apps @ self.apps[app]).astype(np.float64).round(DIGITS)
        others = np.flatnonzero(self.apps.any(axis=1) & bool(self.apps[app].any()))
        return best(scores, others[others != app], k)

    def customers_like(self, listed: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k `candidates` (rows, ascending) most like the customers at rows `listed`, and their scores, best first.

        Equal ones come in order of position; who is on the list or has no vector is left out. Nobody where the list
        has no vector, or is like everybody.
        """
        mean, count = _mean(self.users, np.unique(listed))
        way = mean - self.usual
        length = float(np.linalg.norm(way))
        rows, scores = np.zeros(0, np.int64), np.zeros(0)
        if not count or length < 10.0**-DIGITS:
            return rows, scores
        for block, part in _blocks(self.users, np.setdiff1d(candidates, listed)):
            found = np.einsum("nd,d->n", part, way / length, dtype=np.float64).round(DIGITS)
            told = part.any(axis=1)
            rows, scores = np.append(rows, block[told]), np.append(scores, found[told])
            kept = np.sort(best(scores, np.arange(len(rows)), k)[0])
            rows, scores = rows[kept], scores[kept]
        order, scores = best(scores, np.arange(len(rows)), k)
        return rows[order], scores

    def told(self, rows: np.ndarray) -> int:
        """Of how many of some customers anything is known."""
        return _mean(self.users, rows)[1]


def best(scores: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k of `rows` (ascending) with the highest `scores[row]`, best first, and these; equal ones by position.

    >>> best(np.array([0.1, 0.5, 0.9, 0.5]), np.array([0, 1, 3]), 2)[0].tolist()
    [1, 3]
    """
    order = rows[np.argsort(-scores[rows], kind="stable")[:k]]
    return order, scores[order]


def _mean(users: tuple[np.ndarray, ...], rows: np.ndarray) -> tuple[np.ndarray, int]:
    """Mean of the vectors at `rows`, without those of zeros, and how many there were."""
    total, count = np.zeros(sum(part.shape[1] for part in users)), 0
    for _, part in _blocks(users, rows):
        total += part.sum(axis=0, dtype=np.float64)
        count += int(part.any(axis=1).sum())
    return total / max(count, 1), count


def _blocks(users: tuple[np.ndarray, ...], rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some of `rows` at a time, and their vectors: those of each array of length 1, side by side."""
    for at in range(0, len(rows), ROWS):
        some = rows[at : at + ROWS]
        yield some, np.hstack([unit(part[some]) for part in users])
