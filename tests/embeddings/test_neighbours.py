"""The filter's linear part against the dense formula, and its lists against sorting."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from embeddings import from_use, neighbours
from embeddings.filter import GraphFilter, top_right_singular
from embeddings.neighbours import closest
from embeddings.scorer import joined, standardised
from tests.embeddings.test_scorers import USERS, checkerboard, graph_of


@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 8), st.integers(0, 1 << 16))
def test_the_closest_apps_are_the_largest_entries(n, m, most, seed):
    rng = np.random.default_rng(seed)
    used = (rng.random((n, m)) < 0.5).astype(np.float32)
    before, after = rng.integers(1, 4, m).astype(np.float32), rng.integers(0, 3, m).astype(np.float32)
    gram = used.T @ used * before[:, None] * after
    np.fill_diagonal(gram, 0)
    found = closest(sp.csr_array(used), before, after, most).toarray()
    for row, wanted in zip(found, gram, strict=True):
        kept = np.argsort(-wanted, kind="stable")[:most]
        assert np.allclose(row[kept], wanted[kept])
        assert np.delete(row, kept).sum() == 0


def test_scores_follow_the_formula():
    graph = graph_of(checkerboard())
    used = graph.uses.matrix().toarray().astype(np.float64)
    users, apps = used.sum(1), used.sum(0)
    beta, gamma = 0.42, 2.0
    normal = used / np.sqrt(users)[:, None] / apps**beta
    values, basis = np.linalg.eigh(normal.T @ normal)
    low_pass = basis[:, -2:] @ basis[:, -2:].T
    linear = normal.T @ normal / values[-1]
    np.fill_diagonal(linear, 0)
    smooth, near = (used / apps**beta @ part * apps**beta for part in (low_pass, gamma * linear))
    expected = smooth + near - near.mean(axis=1, keepdims=True)
    found = GraphFilter(dimensions=2, exponent=beta, linear=gamma).fit(graph).scores(np.arange(USERS))
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_standardised_scores_have_mean_0_and_deviation_1(weight):
    vectors = GraphFilter(dimensions=3, linear=1.0).fit(graph_of(checkerboard())).weighed(weight)
    rows = np.arange(USERS)
    before, after = (v.scores(rows) for v in (vectors, standardised(vectors)))
    assert np.allclose(after, (before - before.mean(1, keepdims=True)) / before.std(1, keepdims=True), atol=1e-3)
    both = joined(vectors, GraphFilter(dimensions=2).fit(graph_of(checkerboard())), 2.0)
    other = standardised(GraphFilter(dimensions=2).fit(graph_of(checkerboard())))
    assert np.allclose(both.scores(rows), after + 2 * other.scores(rows), atol=1e-3)


def test_squares_are_those_of_what_neighbours_give():
    near = GraphFilter(dimensions=3, linear=1.0).fit(graph_of(checkerboard())).near
    assert near is not None
    given = near.scores(np.arange(USERS)).astype(np.float64) / near.pull[:, None]
    assert np.allclose(near.squares(slice(2, USERS)), (given**2).sum(axis=1)[2:], rtol=1e-5)


def test_an_app_more_moves_a_vector_by_its_row():
    uses = checkerboard()
    whole = GraphFilter(dimensions=4, linear=1.0).fit(graph_of(uses))
    assert whole.near is not None
    for user in (0, 7):
        used = uses.items[uses.users == user]
        assert np.allclose(whole.users[user], whole.near.fold[used].sum(axis=0), atol=1e-5)


def test_the_dense_and_the_sparse_way_find_the_same_space(monkeypatch):
    matrix = GraphFilter().normal(checkerboard())
    dense = top_right_singular(matrix, 2, seed=0)
    monkeypatch.setattr(neighbours, "DENSER", 0)
    sparse = top_right_singular(matrix, 2, seed=0)
    assert np.abs(dense @ dense.T - sparse @ sparse.T).max() < 1e-3


def test_vectors_made_when_asked_for_are_those_made_at_once(monkeypatch):
    graph = graph_of(checkerboard())
    at_once = GraphFilter(dimensions=4, linear=1.0).fit(graph)
    monkeypatch.setattr(from_use, "SMALL", 0)
    later = GraphFilter(dimensions=4, linear=1.0).fit(graph)
    assert isinstance(later.users, from_use.FromUse)
    rows = np.arange(USERS)
    for one, other in ((at_once, later), (at_once.first(2), later.first(2))):
        assert one.users.shape == other.users.shape
        assert np.array_equal(one.scores(rows), other.scores(rows))
    served = joined(later, at_once.first(2).weighed(0), 0.5)
    assert np.array_equal(served.everybody, joined(at_once, at_once.first(2).weighed(0), 0.5).everybody)
    again = standardised(served, served.everybody)
    assert again.users is served.users
