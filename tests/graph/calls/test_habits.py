"""Habits merged by hand and against plain Python; what is usual of silent contacts."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graph.calls.habits import Habits, habits
from graph.calls.ties import Ties, empty
from graph.calls.turnover import PRIOR, turnover


def ties(*circles: dict[int, int]) -> Ties:
    """One circle a customer: {contact: calls}."""
    sizes = np.cumsum([0, *map(len, circles)])
    rows = [pair for circle in circles for pair in sorted(circle.items())]
    contact, calls = (np.array([row[i] for row in rows], np.int32) for i in (0, 1))
    return Ties(sizes.astype(np.int64), contact, calls, np.zeros(len(rows), np.int32))


def test_three_periods_by_hand() -> None:
    last, before, first = ties({1: 2, 5: 1}, {9: 1}), ties({5: 4}, {9: 2}), ties({1: 1, 7: 1}, {9: 4})
    found = habits(ties({5: 3, 6: 8}, {}), [last, before, first], np.array([3, 2], np.int8))
    assert found.starts.tolist() == [0, 3, 4]
    assert found.calls.tolist() == [3, 5, 1, 3]  # contacts 1, 5, 7 of the first customer, 9 of the second
    assert found.seen.tolist() == [0b101, 0b011, 0b100, 0b011]
    assert found.now.tolist() == [0, 3, 0, 0]
    assert found.sums(found.calls).tolist() == [9, 3]
    assert habits(ties({}, {}), [], np.array([0, 0], np.int8)).sizes.tolist() == [0, 0]
    assert habits(empty(2), [last], np.array([0, 1], np.int8)).sizes.tolist() == [0, 1]


circle = st.dictionaries(st.integers(0, 6), st.integers(1, 4))


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), circle, circle, circle, circle), min_size=1, max_size=4))
def test_habits_agree_with_plain_python(rows: list[tuple[int, dict, dict, dict, dict]]) -> None:
    now, *earlier = (ties(*[row[k] for row in rows]) for k in (1, 2, 3, 4))
    found = habits(now, earlier, np.array([row[0] for row in rows], np.int8))
    for u, (history, current, *past) in enumerate(rows):
        pooled: Counter[int] = Counter()
        for one in past[:history]:
            pooled.update(one)
        here = slice(found.starts[u], found.starts[u + 1])
        assert found.calls[here].tolist() == [pooled[v] for v in sorted(pooled)]
        assert found.now[here].tolist() == [current.get(v, 0) for v in sorted(pooled)]
        bits = [sum(1 << k for k in range(history) if v in past[k]) for v in sorted(pooled)]
        assert found.seen[here].tolist() == bits


def urn(weights: list[float], draws: int) -> list[float]:
    """The chance of no call to each contact, by every sequence of Polya's urn."""
    silent = [0.0] * len(weights)
    for sequence in product(range(len(weights)), repeat=draws):
        chance, balls = 1.0, list(weights)
        for contact in sequence:
            chance *= balls[contact] / sum(balls)
            balls[contact] += 1
        for contact in set(range(len(weights))) - set(sequence):
            silent[contact] += chance
    return silent


def test_chance_silence_is_that_of_the_urn() -> None:
    one = Habits(*(np.array(v) for v in ([1], [0, 3], [1, 2, 5], [1, 1, 1], [4, 0, 0])))
    found = turnover(one, np.array([4]))
    uncalled = urn([1.5, 2.5, 5.5], 4)
    ended = (2 - sum(uncalled)) / (3 - sum(uncalled) + PRIOR)
    assert found.ended.tolist() == pytest.approx([ended] * 3)
    assert found.silent.tolist() == pytest.approx([ended + (1 - ended) * q for q in uncalled])


def test_turnover_is_learned_for_each_pattern_and_history() -> None:
    n = 3000
    # Two contacts each, many calls: the one seen in the last period stays, the other one has ended for every third.
    now = np.array([[50, 0 if u % 3 == 0 else 50] for u in range(n)]).ravel()
    many = Habits(np.full(n, 2, np.int8), np.arange(0, 2 * n + 1, 2), np.full(2 * n, 50), np.tile([0b11, 0b10], n), now)
    found = turnover(many, many.sums(now))
    assert found.ended[0] == 0.0
    assert found.ended[1] == pytest.approx(1 / 3, abs=0.01)
    silent_users = turnover(many, np.zeros(n, np.int64))
    assert silent_users.ended.tolist() == [0.0] * (2 * n)
    assert silent_users.silent.tolist() == [1.0] * (2 * n)
