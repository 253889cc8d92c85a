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


def learned_from(graph: Graph, vectors: Vectors) -> np.ndarray:
    """Customers with use and a vector, of whom newcomers are learned."""
    return np.flatnonzero((graph.uses.degrees()[0] > 0) & vectors.users.any(axis=1))


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


def of_new(
    ridge: Ridge, known: sp.csr_array, vectors: Vectors, graph: Graph, users: np.ndarray, learned: np.ndarray
) -> New:
    """What is told of the customers at `users` (c,) by the codes `known` (n, f) and by those `learned` from whom they
    call."""
    mine = known[users]
    expected, attributes = ridge.of(mine), np.diff(mine.indptr) > 0
    if graph.calls is None or not len(graph.calls):
        return New(expected, np.zeros_like(expected), attributes, np.zeros(len(users), bool))
    warm = np.zeros(len(vectors.users), bool)
    warm[learned] = True
    weights = hearing(graph.calls, warm)[users]
    hears = np.diff(weights.indptr) > 0
    differs = weights @ vectors.users - (weights @ known) @ ridge.weights - hears[:, None] * ridge.base
    return New(expected, np.asarray(differs, np.float32), attributes, hears)


def vectors_of_new(
    vectors: Vectors, graph: Graph, users: np.ndarray, penalty: float, alpha: float, seed: int
) -> np.ndarray:
    """Vectors (c, d) of the customers at `users` (c,), who have no use, by what is known of them and, where `alpha` is
    not 0, by the people they call; zeros where there is neither."""
    known, learned = known_of_users(graph), learned_from(graph, vectors)
    ridge = fit_ridge(known, vectors.users, learned, penalty, seed)
    return of_new(ridge, known, vectors, graph, users, learned).vectors(alpha)


def with_newcomers(vectors: Vectors, graph: Graph, chosen: Newcomers, seed: int) -> Vectors:
    """The vectors served, with those of customers and apps without use put in as chosen, in place."""
    used_by = graph.uses.degrees()[0]
    if chosen.users == "attributes":
        new = np.flatnonzero(used_by == 0)
        vectors.users[new] = vectors_of_new(vectors, graph, new, chosen.penalty, chosen.calls, seed)
    if chosen.apps == "attributes":
        fill_apps(vectors, graph, chosen.app_penalty, seed)
    return standardised(vectors) if (chosen.users, chosen.apps) != ("segment", "none") else vectors


def fill_apps(vectors: Vectors, graph: Graph, penalty: float, seed: int) -> None:
    """Give apps without use what their attributes let expect, in place; those without attributes stay as they are."""
    known, users_of = known_of_apps(graph), graph.uses.degrees()[1]
    new = np.flatnonzero((users_of == 0) & (np.diff(known.indptr) > 0))
    vectors.apps[new] = fit_ridge(known, vectors.apps, np.flatnonzero(users_of), penalty, seed).of(known[new])
