"""One suite for every scorer: two tastes that share no app, one edge a user withheld, so the right answer is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from embeddings.arithmetic import fixed_threads
from embeddings.catalogue import Catalogue
from embeddings.filter import GraphFilter, top_right_singular
from embeddings.gnn_training import GNNScorer
from embeddings.graph import Edges, Graph, no_edges
from embeddings.scorer import Scorer, Vectors, joined, standardised

USERS, APPS = 60, 24


def checkerboard(missing: bool = True) -> Edges:
    """User u uses every app of the same parity, but (when `missing`) app u mod 24's neighbour of that parity."""
    users, items = np.nonzero(np.add.outer(np.arange(USERS), np.arange(APPS)) % 2 == 0)
    if missing:
        kept = items != withheld()[users]
        users, items = users[kept], items[kept]
    zero = np.zeros(len(users), np.int32)
    ones = np.ones(len(users), np.float32)
    return Edges(users.astype(np.int32), items.astype(np.int32), ones, zero, zero, (USERS, APPS))


def withheld() -> np.ndarray:
    return np.arange(USERS) % APPS


def graph_of(uses: Edges) -> Graph:
    n, m = uses.shape
    nothing = pa.array([], pa.string())
    users = pa.array([i.to_bytes(16, "big") for i in range(n)], pa.binary())
    nodes = Catalogue(users, pa.array([f"a{i:02d}" for i in range(m)], pa.string()), nothing, nothing)
    return Graph(nodes, uses, no_edges(n, 0))


@pytest.fixture(params=["filter", "gnn"])
def make(request) -> Callable[[], Scorer]:
    return {"filter": lambda: GraphFilter(dimensions=8), "gnn": lambda: GNNScorer(dimensions=8)}[request.param]


def test_finds_what_was_withheld(make):
    uses = checkerboard()
    scores = make().fit(graph_of(uses)).scores(np.arange(USERS))
    used = uses.matrix().toarray() > 0
    best = np.where(used, -np.inf, scores).argmax(axis=1)
    assert (best == withheld()).mean() > 0.9


def test_shapes_and_types(make):
    vectors = make().fit(graph_of(checkerboard()))
    assert vectors.users.dtype == vectors.apps.dtype == np.float32
    assert vectors.users.shape == (USERS, vectors.apps.shape[1])
    assert vectors.apps.shape[0] == APPS
    assert np.isfinite(vectors.users).all()
    assert np.isfinite(vectors.apps).all()


def test_the_same_input_gives_the_same_bytes(make):
    with fixed_threads():
        one, other = (make().fit(graph_of(checkerboard())) for _ in range(2))
    assert one.users.tobytes() == other.users.tobytes()
    assert one.apps.tobytes() == other.apps.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 0)])
def test_tiny_graphs_have_vectors(make, shape):
    n, m = shape
    pairs = 1 if m else 0
    zero = np.zeros(pairs, np.int32)
    uses = Edges(zero, zero, np.ones(pairs, np.float32), zero, zero, shape)
    vectors = make().fit(graph_of(uses))
    assert vectors.scores(np.arange(n)).shape == shape
    assert np.isfinite(vectors.users).all()


def test_the_filter_knows_nothing_of_who_used_nothing():
    uses = checkerboard()
    vectors = GraphFilter().fit(graph_of(uses.keep(uses.users > 0)))
    assert not vectors.users[0].any()
    assert vectors.users[1].any()


def test_strengths_decide_when_weighted():
    uses = checkerboard(missing=False)
    heavy = Edges(uses.users, uses.items, uses.strength * (1 + uses.items % 3), uses.first, uses.last, uses.shape)
    plain, weighted = (GraphFilter(4, weighted=w).fit(graph_of(heavy)) for w in (False, True))
    assert not np.allclose(plain.apps, weighted.apps)


def test_the_singular_vectors_span_what_lapack_finds():
    rng = np.random.default_rng(0)
    dense = (rng.random((50, 30)) < 0.2).astype(np.float32)
    edges = np.nonzero(dense)
    zero = np.zeros(len(edges[0]), np.int32)
    uses = Edges(*(e.astype(np.int32) for e in edges), np.ones(len(zero), np.float32), zero, zero, (50, 30))
    found = top_right_singular(uses.matrix(), 5, seed=0)
    exact = np.linalg.svd(dense, full_matrices=False)[2][:5].T
    assert np.abs(np.abs(found.T @ exact) - np.eye(5)).max() < 1e-3


def test_standardised_scores_have_mean_0_and_deviation_1():
    rng = np.random.default_rng(1)
    vectors = Vectors(rng.random((5, 3), np.float32), rng.random((40, 3), np.float32))
    before, after = (v.scores(np.arange(5)) for v in (vectors, standardised(vectors)))
    assert np.allclose(after, (before - before.mean(1, keepdims=True)) / before.std(1, keepdims=True), atol=1e-4)


def test_joined_scores_are_the_weighted_sum():
    rng = np.random.default_rng(2)
    one, two = (Vectors(rng.random((5, d), np.float32), rng.random((9, d), np.float32)) for d in (2, 4))
    rows = np.arange(5)
    expected = standardised(one).scores(rows) + 2 * standardised(two).scores(rows)
    assert np.allclose(joined(one, two, 2.0).scores(rows), expected, atol=1e-5)
