"""Vectors for customers and apps without use: from attributes by a ridge regression, and from the people called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.graph import Graph
from embeddings.ridge import Ridge, fit_ridge, known_of_apps, known_of_users
from embeddings.scorer import Vectors, standardised
from embeddings.social import hearing
from embeddings.trial import Newcomers

CHUNK = 1 << 16


def learned_from(graph: Graph, vectors: Vectors) -> np.ndarray:
    """Customers with use and a vector, of whom newcomers are learned."""
    return np.flatnonzero((graph.uses.degrees()[0] > 0) & vectors.everybody.any(axis=1))


@dataclass(frozen=True)
class New:
    """Customers without use: what attributes let expect, `expected` (c, d), and by how much the people they call differ
    from what theirs let expect, `differs` (c, d) on average; `known`, `heard` (c,) say of whom there is either."""

    expected: np.ndarray
    differs: np.ndarray
    known: np.ndarray
    heard: np.ndarray

    def vectors(self, alpha: float) -> np.ndarray:
        """expected + α · differs (c, d), see `social`; zeros for whom nothing is known."""
        something = self.known | self.heard if alpha else self.known
        return (self.expected + np.float32(alpha) * self.differs) * something[:, None]


def voices(graph: Graph, learned: np.ndarray) -> sp.csr_array | None:
    """Weights (n, n) of the people whom each customer calls, of those `learned` from; None without any call."""
    if graph.calls is None or not len(graph.calls):
        return None
    warm = np.zeros(graph.uses.shape[0], bool)
    warm[learned] = True
    return hearing(graph.calls, warm)


def of_new(ridge: Ridge, known: sp.csr_array, vectors: Vectors, weights: sp.csr_array | None, users: np.ndarray) -> New:
    """What is told of the customers at `users` (c,) by the codes `known` (n, f) and by whom they call, `voices`."""
    mine = known[users]
    expected, attributes = ridge.of(mine), np.diff(mine.indptr) > 0
    if weights is None:
        return New(expected, np.zeros_like(expected), attributes, np.zeros(len(users), bool))
    heard = weights[users]
    hears = np.diff(heard.indptr) > 0
    differs = heard @ vectors.users - (heard @ known) @ ridge.weights - hears[:, None] * ridge.base
    return New(expected, np.asarray(differs, np.float32), attributes, hears)


def with_newcomers(vectors: Vectors, graph: Graph, chosen: Newcomers, seed: int) -> Vectors:
    """The vectors served, with those of customers and apps without use put in as chosen, in place."""
    if chosen.users == "attributes":
        known, learned = known_of_users(graph), learned_from(graph, vectors)
        ridge = fit_ridge(known, vectors.everybody, learned, chosen.penalty, seed)
        weights = voices(graph, learned) if chosen.calls else None
        new = np.flatnonzero(graph.uses.degrees()[0] == 0)
        for at in range(0, len(new), CHUNK):
            part = new[at : at + CHUNK]
            vectors.everybody[part] = of_new(ridge, known, vectors, weights, part).vectors(chosen.calls)
    if chosen.apps == "attributes":
        fill_apps(vectors, graph, chosen.app_penalty, seed)
    return standardised(vectors, vectors.everybody) if (chosen.users, chosen.apps) != ("segment", "none") else vectors


def fill_apps(vectors: Vectors, graph: Graph, penalty: float, seed: int) -> None:
    """Give apps without use what their attributes let expect, in place; those without attributes stay as they are."""
    known, users_of = known_of_apps(graph), graph.uses.degrees()[1]
    new = np.flatnonzero((users_of == 0) & (np.diff(known.indptr) > 0))
    vectors.apps[new] = fit_ridge(known, vectors.apps, np.flatnonzero(users_of), penalty, seed).of(known[new])
