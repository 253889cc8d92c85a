from __future__ import annotations

import numpy as np

from embeddings.graph import Edges, no_edges
from embeddings.products import affinity_vectors, fit_affinity, slope_of
from embeddings.scorer import Vectors


def _edges(users: list[int], items: list[int], shape: tuple[int, int]) -> Edges:
    zero = np.zeros(len(users), np.int32)
    ids = np.array(users, np.int32), np.array(items, np.int32)
    return Edges(*ids, np.ones(len(users), np.float32), zero, zero, shape)


def test_a_product_that_finds_its_takers_has_a_slope():
    rng = np.random.default_rng(0)
    fit = rng.random(200).astype(np.float32)
    vectors = Vectors(np.stack([fit, np.ones(200, np.float32)], axis=1), np.array([[1, 0]], np.float32))
    takers = np.flatnonzero(rng.random(200) < fit).tolist()
    found = fit_affinity(vectors, _edges(takers, [0] * len(takers), (200, 1)), no_edges(200, 1), seed=0)
    assert found.auc > 0.6
    assert found.slope > 0.5
    assert found.pairs == len(takers)


def test_without_held_out_pairs_everybody_fits_alike():
    vectors = Vectors(np.ones((3, 2), np.float32), np.ones((2, 2), np.float32))
    found = fit_affinity(vectors, no_edges(3, 2), no_edges(3, 2), seed=0)
    assert (found.slope, found.pairs) == (0.0, 0)
    assert not affinity_vectors(vectors, 0.0).scores(np.arange(3)).any()


def test_the_average_customer_has_log_odds_0():
    users = np.array([[1, 0], [0, 1], [0, 0]], np.float32)
    served = affinity_vectors(Vectors(users, np.array([[1, 0]], np.float32)), slope=4.0)
    assert served.scores(np.arange(3)).ravel().tolist() == [2.0, -2.0, 0.0]
    assert not served.users[2].any()


def test_the_slope_is_that_of_a_fine_grid():
    difference = np.random.default_rng(0).normal(0.3, 1, 500)
    grid = np.linspace(0, 5, 5001)
    likelihood = [-np.log1p(np.exp(-a * difference)).sum() for a in grid]
    assert abs(slope_of(difference) - grid[int(np.argmax(likelihood))]) < 0.002
