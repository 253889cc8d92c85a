from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.rank import pair_scores, top_k


def slow_top_k(scores: np.ndarray, mask: np.ndarray, k: int) -> tuple[list[list[int]], list[list[float]]]:
    """Sort everything that is allowed by (-score, position)."""
    items, values = [], []
    for row, allowed in zip(scores, mask, strict=True):
        best = sorted((-s, i) for i, s in enumerate(row) if allowed[i])[:k]
        items.append([i for _, i in best])
        values.append([-s for s, _ in best])
    return items, values


def cut(items: np.ndarray) -> list[list[int]]:
    return [[i for i in row if i >= 0] for row in items.tolist()]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 30), st.integers(1, 40), st.booleans())
def test_as_a_full_sort(seed, b, m, k, parallel):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 3, (b, m)).astype(np.float64)  # many ties
    mask = rng.random((b, m)) < 0.6
    items, values = top_k(scores, mask, k, parallel=parallel)
    wanted, told = slow_top_k(scores, mask, k)
    assert cut(items) == wanted
    assert [[v for v in row if v == v] for row in values.tolist()] == told


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_vectors_rank_the_same_alone_and_in_a_block(seed, k):
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((40, 24)).astype(np.float32)
    right = rng.standard_normal((60, 24)).astype(np.float32)
    right[30:] = right[:30]  # every app has a twin: what a matrix product makes of the two must not matter
    mask = rng.random((40, 60)) < 0.9
    longest = float(np.linalg.norm(right, axis=1).max())
    items, values = top_k(left @ right.T, mask, k, left=left, right=right, longest=longest, parallel=True)
    for b in range(40):
        alone, its = top_k(
            (right @ left[b])[None], mask[b : b + 1], k, left=left[b : b + 1], right=right, longest=longest
        )
        assert alone.tolist() == items[b : b + 1].tolist()
        assert its.tolist() == values[b : b + 1].tolist()
    double = left.astype(np.float64) @ right.astype(np.float64).T
    assert cut(items) == slow_top_k(double.round(9), mask, k)[0]


def test_nothing_to_choose_from():
    items, values = top_k(np.zeros((2, 3)), np.zeros((2, 3), bool), 2)
    assert items.tolist() == [[-1, -1], [-1, -1]]
    assert np.isnan(values).all()
    assert top_k(np.zeros((2, 0)), np.zeros((2, 0), bool), 2)[0].shape == (2, 0)


def test_pairs_are_scored_by_column_and_a_missing_column_is_zero():
    left = np.array([[1, 2]], np.float32)
    right = np.array([[3, 4], [5, 6]], np.float32)
    assert pair_scores(left, right, np.array([1, -1, 0])).tolist() == [[17.0, 0.0, 11.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_scores_are_given_back_as_they_are(dtype):
    scores = np.array([[0.1, 0.3]], dtype)
    _, values = top_k(scores, np.ones((1, 2), bool), 1)
    assert values[0, 0] == scores[0, 1]
