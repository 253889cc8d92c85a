"""Customers' vectors with the apps that they used since the snapshot, without training anew.

The graph filter's part of a vector is a sum over the apps used (`embeddings.filter`), so an app more is a row more in
that sum, exactly. The trained part moves towards the mean of the apps' vectors.
"""

from __future__ import annotations

import numpy as np

from matching.arrays import Ragged
from matching.rank import Near, neighbours_of, scores_of
from matching.vectors import Vectors

LEAST = 1e-9
"""A spread below this is none."""


def with_use(
    vectors: Vectors, used: Ragged, users: np.ndarray, more: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (b, d) of customers at `users` (b,), and what neighbours of the apps they used add to the scores of all
    apps (b, m), or (1, 0) where the snapshot has no neighbours. `more` (f,): apps that a single customer used since.
    """
    left, near = with_near(vectors, used, users, more)
    if near is None:
        return left, np.zeros((1, 0), np.float32)
    return left, neighbours_of(*near, len(vectors.apps))


def with_near(
    vectors: Vectors, used: Ragged, users: np.ndarray, more: np.ndarray | None = None
) -> tuple[np.ndarray, Near | None]:
    """The same vectors, and what `neighbours_of` makes the rest from; None where the snapshot has no neighbours."""
    lists, values = used.lists(users)
    since = 0 if more is None else len(more)
    if more is not None and since:
        lists, values = np.array([0, len(values) + since]), np.append(values, more.astype(np.int32))
    left, pull = folded(vectors, vectors.row[users], lists, values, since)
    return left, Near(lists, values, pull, *vectors.near) if len(vectors.near_apps) else None


def folded(
    vectors: Vectors, row: np.ndarray, lists: np.ndarray, values: np.ndarray, more: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (b, d) float32 and pulls (b,) float32 of customers at the snapshot's rows `row` (b,), -1 for none.

    Customer i used the apps `values[lists[i]:lists[i + 1]]`, of which a single customer's last `more` are not in their
    vector yet. Customers whose use the snapshot does not know are made from the apps alone; without any app they have
    the vector that the snapshot made of what else is known, or zeros.
    """
    b, d = len(row), vectors.apps.shape[1]
    left, pull = np.zeros((b, d), np.float32), np.zeros(b, np.float32)
    known = row >= 0
    left[known] = vectors.users[row[known]]
    if vectors.fold.shape[1]:
        pull[known] = vectors.pull[row[known]]
        for i in np.flatnonzero((pull == 0) & (lists[1:] > lists[:-1])):
            left[i], pull[i] = fresh(vectors, values[lists[i] : lists[i + 1]])
            more = 0
    if more:
        added = values[len(values) - more :]
        f = vectors.fold.shape[1]
        left[0, :f] += pull[0] * vectors.fold[added].sum(axis=0)
        left[0, f:] = _towards(vectors.apps[:, f:], left[0, f:], added, len(values) - more, vectors.learned)
    return left, pull


def fresh(vectors: Vectors, used: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """Vector (d,) and pull of a customer who used the apps `used` (u,), by the graph filter alone.

    Scores have mean 0 and standard deviation 1 over the snapshot's apps, as there. Zeros where all apps score alike.
    """
    f = vectors.fold.shape[1]
    left = np.zeros(vectors.apps.shape[1], np.float32)
    left[:f] = vectors.fold[used].sum(axis=0)
    scores = scores_of(left, vectors.apps[: vectors.learned]).astype(np.float64)
    if len(vectors.near_apps):
        lists = np.array([0, len(used)])
        scores += neighbours_of(lists, used, np.ones(1, np.float32), *vectors.near, len(scores))[0]
    spread = float(scores.std())
    scale = np.float32(1 / spread if spread > LEAST else 0)
    left *= scale
    return left, scale


def _towards(apps: np.ndarray, vector: np.ndarray, used: np.ndarray, before: int, learned: int) -> np.ndarray:
    """The mean of `vector` (e,), as often as apps were used before, and the used apps' vectors, brought to its length.

    Without a vector: the mean of the apps' vectors, brought to the length at which scores of the `learned` ones
    have standard deviation 1.
    """
    mean = apps[used].astype(np.float64).mean(axis=0)
    norm, length = float(np.linalg.norm(mean)), float(np.linalg.norm(vector))
    if norm == 0:
        return vector
    if length == 0:
        spread = float((apps[:learned] @ mean.astype(np.float32)).std())
        before, length = 0, norm / max(spread, 1e-12)
    mixed = (before * vector + len(used) * mean * (length / norm)) / (before + len(used))
    return mixed.astype(np.float32)
