"""Probabilities of pairs against all ways to pair them, one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.calls.returning.one_to_one import probabilities


def by_all_ways(left: np.ndarray, right: np.ndarray, odds: np.ndarray) -> np.ndarray:
    total, held = 0.0, np.zeros(len(odds))
    for size in range(len(odds) + 1):
        for some in combinations(range(len(odds)), size):
            chosen = list(some)
            if len(set(left[chosen])) == len(set(right[chosen])) == size:
                weight = float(np.prod(odds[chosen]))
                total += weight
                held[chosen] += weight
    return held / total


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 6), st.booleans()), min_size=1, max_size=7))
def test_a_tree_is_exact(grown: list[tuple[float, int, bool]]) -> None:
    """Each pair hangs a new leaver or a new candidate onto one that is there: no cycle."""
    left, right = [0], [0]
    for _, where, leaver in grown[1:]:
        at = where % len(left)
        left.append(max(left) + 1 if leaver else left[at])
        right.append(right[at] if leaver else max(right) + 1)
    pairs = np.array(left), np.array(right), np.array([odds for odds, _, _ in grown])
    np.testing.assert_allclose(probabilities(*pairs), by_all_ways(*pairs), atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 1000)), max_size=12))
def test_nobody_is_given_twice(found: list[tuple[int, int, float]]) -> None:
    pairs = {(one, other): odds for one, other, odds in found}
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    chance = probabilities(left, right, np.array(list(pairs.values())))
    for ends in (left, right):
        assert (np.bincount(ends, chance, 4) <= 1 + 1e-3).all()


def test_a_square_is_near() -> None:
    """Two leavers, two candidates, all pairs alike: 7 sets, of weight 1 + 4 * 2 + 2 * 4 = 17; each pair in 2 + 4."""
    left, right = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert probabilities(left, right, np.full(4, 2.0)) == pytest.approx(np.full(4, 6 / 17), abs=0.02)


def test_no_pairs() -> None:
    nothing = np.empty(0, np.int64)
    assert len(probabilities(nothing, nothing, np.empty(0))) == 0
