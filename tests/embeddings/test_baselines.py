from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.arithmetic import fixed_threads
from embeddings.baselines import NEIGHBOURS, als, baselines, ease, item_knn, sample, strongest


def _use(users: int = 40, apps: int = 15, seed: int = 0) -> sp.csr_array:
    return sp.csr_array((np.random.default_rng(seed).random((users, apps)) < 0.3).astype(np.float32))


def test_item_neighbours_are_cosines_by_hand():
    # Apps 0 and 1 share two of their two and three users, app 2 shares one of its one with app 1.
    used = sp.csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], np.float32))
    found = item_knn(used, 0.0, seed=0).scores(sp.csr_array(np.array([[1, 0, 0]], np.float32)))
    assert found[0] == pytest.approx([0, 2 / np.sqrt(6), 0])
    shrunk = item_knn(used, 20.0, seed=0).scores(sp.csr_array(np.array([[0, 0, 1]], np.float32)))
    assert shrunk[0] == pytest.approx([0, 1 / (np.sqrt(3) + 20), 0])


def test_only_the_nearest_neighbours_count():
    rows = sp.csr_array(np.random.default_rng(1).random((5, NEIGHBOURS + 30)))
    kept = strongest(rows, NEIGHBOURS)
    expected = np.sort(rows.toarray(), axis=1)[:, -NEIGHBOURS:]
    assert np.allclose(np.sort(kept.toarray(), axis=1)[:, -NEIGHBOURS:], expected)
    assert kept.nnz == 5 * NEIGHBOURS


def test_ease_is_the_ridge_regression_of_each_app_on_the_others():
    used = _use()
    dense, ridge = used.toarray().astype(np.float64), 0.5
    penalty = ridge * used.nnz / used.shape[1]
    weights = np.zeros((15, 15))
    for j in range(15):
        others = np.arange(15) != j
        x = dense[:, others]
        weights[others, j] = np.linalg.solve(x.T @ x + penalty * np.eye(14), x.T @ dense[:, j])
    assert np.allclose(ease(used, ridge).scores(used), dense @ weights, atol=1e-5)


def test_least_squares_finds_tastes_and_repeats_itself():
    tastes = sp.csr_array(np.kron(np.eye(2), np.ones((20, 8))).astype(np.float32))
    one = sp.csr_array(np.array([[1] * 4 + [0] * 12], np.float32))
    with fixed_threads():
        found, again = (als(tastes, 4, 5.0, seed=3).scores(one) for _ in range(2))
    assert found[0, 4:8].min() > found[0, 8:].max() + 0.2
    assert found.tobytes() == again.tobytes()


def test_a_bounded_sample_is_of_whole_users():
    used = _use(users=200)
    some = sample(used, used.nnz // 4, seed=0)
    assert 0 < some.nnz <= used.nnz // 4
    rows = {tuple(row) for row in used.toarray()}
    assert all(tuple(row) in rows for row in some.toarray())
    assert sample(used, used.nnz, seed=0).nnz == used.nnz


def test_without_use_nothing_is_fitted_and_it_says_so():
    found, words = baselines(sp.csr_array((3, 4), dtype=np.float32), seed=0)
    assert not found
    assert set(words) == {"item_knn", "ease", "als"}


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 1)])
def test_tiny_catalogues(shape):
    used = sp.csr_array(np.ones(shape, np.float32))
    for variants in baselines(used, seed=0)[0].values():
        for variant in variants:
            assert np.isfinite(variant.scores(used)).all(), variant.setting


def test_a_wide_catalogue_leaves_ease_out(monkeypatch):
    monkeypatch.setattr("embeddings.baselines.MOST_APPS", 10)
    found, words = baselines(_use(), seed=0)
    assert set(found) == {"item_knn", "als"}
    assert "dense inverse" in words["ease"]
