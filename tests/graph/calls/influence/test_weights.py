"""Chances by strength and from past adoptions, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from graph.calls.adoptions import Adoptions
from graph.calls.influence import weights


def ties(graph):
    target = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    return {(int(u), int(v)): float(p) for u, v, p in zip(graph.source, target, graph.chance, strict=True)}


def test_strength_is_the_share_of_what_the_influenced_has_with_everybody():
    calls = csr_array((np.array([3.0, 1.0, 6.0]), (np.array([0, 1, 2]), np.array([1, 0, 1]))), shape=(3, 3))
    found = ties(weights.by_strength(calls))  # 0-1: 4 together, 1-2: 6
    assert found == pytest.approx({(0, 1): 0.4, (2, 1): 0.6, (1, 0): 1.0, (1, 2): 1.0})


def led(times: int, others: int):
    """Customer 0 adopts each of `times` items on day 10, 1 a day later, and `others` strangers long after."""
    user = np.array([*[0, 1, *range(3, 3 + others)]] * times, np.int32)
    day = np.array([*[10, 11, *range(100, 100 + others)]] * times, np.int32)
    return Adoptions(user, day, np.arange(times + 1, dtype=np.int64) * (2 + others))


def test_who_is_followed_has_a_chance_and_who_follows_has_none():
    calls = csr_array((np.array([5.0]), (np.array([0]), np.array([1]))), shape=(23, 23))
    found = ties(weights.learned(calls, led(times=20, others=20)))
    # Both ties are in one level: credits 20 of 40 adoptions, so b = 1/2; 20 followed, expected 20 x 1/21.
    lift = 1 - 1 / 21
    assert found[(0, 1)] == pytest.approx(lift * (20 + 10 * 0.5) / 30)
    assert found[(1, 0)] == pytest.approx(lift * (0 + 10 * 0.5) / 30)


def test_friends_who_are_merely_alike_lead_nobody():
    # 0 and 1 adopt within the same 30 days as everybody: chance explains it all.
    user = np.array([0, 1, 2, 3] * 10, np.int32)
    day = np.array([10, 11, 12, 13] * 10, np.int32)
    alike = Adoptions(user, day, np.arange(11, dtype=np.int64) * 4)
    calls = csr_array((np.array([5.0]), (np.array([0]), np.array([1]))), shape=(4, 4))
    assert ties(weights.learned(calls, alike)) == {}


def test_credit_is_shared_among_those_who_came_before():
    user, day = np.array([0, 2, 1], np.int32), np.array([1, 2, 3], np.int32)
    starts, source = np.array([0, 0, 2, 2]), np.array([0, 2], np.int32)  # into 1, from 0 and 2
    credit, followed, expected = weights._credits(user, day, np.array([0, 3]), starts, source)
    assert credit.tolist() == [0.5, 0.5]
    assert followed.tolist() == [1, 1]
    assert expected.tolist() == [1.0, 0.5]  # 2 of 2 others after day 1, 1 of 2 after day 2
