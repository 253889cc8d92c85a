"""Products with AᵀA against the dense formula, whatever the number of threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import scipy.sparse as sp

from embeddings import gram


@pytest.fixture
def used():
    rng = np.random.default_rng(0)
    return sp.csr_array(((rng.random((40, 70)) < 0.2) * rng.random((40, 70))).astype(np.float32))


def test_products_are_those_of_the_formula(used, monkeypatch):
    block = np.random.default_rng(1).standard_normal((70, 50)).astype(np.float32)
    whole = np.empty((70, 70), np.float32)
    gram.rows_into(used, whole)
    dense = used.toarray()
    assert np.allclose(whole, dense.T @ dense, atol=1e-5)
    assert np.allclose(gram.times(used, block), dense.T @ dense @ block, atol=1e-4)
    monkeypatch.setattr(gram, "CHUNK", 7)
    assert np.allclose(gram.times(used, block), dense.T @ dense @ block, atol=1e-4)


def test_threads_do_not_change_a_byte(used):
    block = np.random.default_rng(1).standard_normal((70, 130)).astype(np.float32)
    ones, found = np.ones(70, np.float32), []
    before = numba.get_num_threads()
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append([gram.times(used, block), *gram.largest(used, ones, ones, 5)])
    finally:
        numba.set_num_threads(before)
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


def test_the_largest_are_alike_from_the_whole(used):
    whole, scale = np.empty((70, 70), np.float32), np.random.default_rng(2).random(70).astype(np.float32)
    gram.rows_into(used, whole)
    for most in (0, 1, 9, 70):
        sparse, dense = gram.largest(used, scale, scale, most), gram.largest(used, scale, scale, most, whole)
        assert all(np.array_equal(one, other) for one, other in zip(sparse, dense, strict=True))
