"""Apps used since the snapshot: vectors as the snapshot itself would have made them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.filter import GraphFilter
from embeddings.scorer import standardised
from matching.fold import folded
from matching.vectors import Vectors
from tests.embeddings.test_scorers import checkerboard, graph_of


@pytest.fixture(params=[0.0, 1.5], ids=["without neighbours", "with neighbours"])
def filtered(request):
    """The graph's edges, its filter's vectors as they are served, and the same as matching holds them."""
    uses = checkerboard()
    served = standardised(GraphFilter(dimensions=3, linear=request.param).fit(graph_of(uses)))
    near = served.near
    assert near is not None
    arrays = {name: np.zeros(0) for name in Vectors.__annotations__}
    arrays |= {
        "users": served.users,
        "apps": served.apps,
        "learned": len(served.apps),
        "pull": near.pull,
        "fold": near.fold,
    }
    parts = {"near_starts": near.weights.indptr, "near_apps": near.weights.indices, "near_weights": near.weights.data}
    return uses, served, Vectors(**(arrays | parts))


def lists_of(uses, users):
    each = [uses.items[uses.users == user] for user in users]
    return np.cumsum([0, *map(len, each)]), np.concatenate(each).astype(np.int32)


def test_a_customer_who_came_later_gets_what_the_snapshot_would_have_said(filtered):
    uses, served, vectors = filtered
    rows = np.array([3, -1, 4])
    left, pull = folded(vectors, rows, *lists_of(uses, [3, 8, 4]))
    assert np.array_equal(left[[0, 2]], served.users[[3, 4]])
    assert np.allclose(left[1], served.users[8], atol=1e-3)
    assert np.allclose(pull, served.near.pull[[3, 8, 4]], rtol=1e-3)


def test_an_app_more_adds_its_row_exactly(filtered):
    uses, served, vectors = filtered
    lists, values = lists_of(uses, [5])
    left, pull = folded(vectors, np.array([5]), np.array([0, lists[1] + 1]), np.append(values, 2).astype(np.int32), 1)
    assert np.allclose(left[0] - served.users[5], pull[0] * vectors.fold[2], atol=1e-5)


def test_nothing_used_is_nothing_known(filtered):
    _, _, vectors = filtered
    left, pull = folded(vectors, np.array([-1]), np.array([0, 0]), np.zeros(0, np.int32))
    assert not left.any()
    assert not pull.any()


def test_without_a_filter_a_vector_moves_towards_the_app(filtered):
    uses, served, vectors = filtered
    bare = replace(vectors, fold=np.zeros((len(vectors.apps), 0), np.float32), near_apps=np.zeros(0, np.int32))
    lists, values = lists_of(uses, [5])
    more = np.append(values, 2).astype(np.int32)
    left, _ = folded(bare, np.array([5]), np.array([0, lists[1] + 1]), more, 1)
    assert left[0] @ vectors.apps[2] > served.users[5] @ vectors.apps[2]
