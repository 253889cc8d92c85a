from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embeddings.evaluate import measure, measured_users, top_k
from embeddings.graph import Edges


def _matrix(rows: list[list[int]]) -> sp.csr_array:
    return sp.csr_array(np.array(rows, np.float32))


def test_recall_and_ndcg_by_hand():
    known = _matrix([[1, 0, 0, 0, 0]])
    held = _matrix([[0, 1, 0, 0, 1]])
    # App 0 is known and drops out; the ranking is 2, 1, 3, 4: at k = 2 one of two is found, in second place.
    scores = np.array([[9, 3, 4, 2, 1]], np.float32)
    quality = measure(lambda rows: scores[rows], known, held, np.array([0]), k=2)
    assert quality.recall.tolist() == [0.5]
    assert quality.ndcg[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_a_k_beyond_the_catalogue_finds_everything():
    held = _matrix([[0, 1, 1]])
    quality = measure(lambda rows: np.zeros((1, 3)), _matrix([[1, 0, 0]]), held, np.array([0]), k=20)
    assert quality.recall.tolist() == [1.0]
    assert quality.summary()["recall@20"] == 1.0


def test_the_interval_holds_the_mean():
    held = _matrix(np.eye(40).tolist())
    rng = np.random.default_rng(0)
    scores = rng.random((40, 40)).astype(np.float32)
    quality = measure(lambda rows: scores[rows], held * 0, held, np.arange(40), k=5)
    low, high = quality.interval(seed=1)
    assert low <= quality.ndcg.mean() <= high
    assert quality.interval(seed=1) == [low, high]


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 12)), elements=st.integers(0, 3).map(float)),
    st.integers(1, 14),
)
def test_top_k_is_a_stable_sort(scores, k):
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert top_k(scores, k).tolist() == expected.tolist()


def test_many_apps_lower_the_number_of_measured_users():
    users = np.arange(5000, dtype=np.int32)
    zero = np.zeros(5000, np.int32)
    held = Edges(users, zero, zero.astype(np.float32), zero, zero, (5000, 100_000))
    chosen = measured_users(held, seed=0)
    assert len(chosen) == 2000
    assert np.all(np.diff(chosen) > 0)
