"""Pairs against all pairs, evidence by hand, odds of made evidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.calls.returning import chance, evidence, pairs
from graph.calls.returning.profiles import starts_of

N = 12
PEOPLE = st.lists(st.sets(st.integers(0, N - 1), max_size=6), min_size=1, max_size=5)


def rows(found: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    row = np.repeat(np.arange(len(found)), [len(one) for one in found])
    return starts_of(row, len(found)), np.array([c for one in found for c in sorted(one)], np.int32)


@settings(deadline=None, max_examples=50)
@given(PEOPLE, PEOPLE, st.integers(0, 3))
def test_pairs_are_those_with_a_shared_contact_in_time(past: list[set[int]], new: list[set[int]], day: int) -> None:
    starts, contact = rows(past)
    new_starts, new_contact = rows(new)
    user, number = np.arange(len(past), dtype=np.int32), np.arange(len(new), dtype=np.int32) + 2
    first = np.arange(len(new), dtype=float)
    left, right = pairs.pairs(
        starts, contact, np.ones(len(contact)), user, np.full(len(past), float(day)), number, first,
        np.diff(new_starts), *pairs.index(new_starts, new_contact, N), np.ones(N),
    )  # fmt: skip
    wanted = [
        (i, v)
        for i in range(len(past))
        for v in range(len(new))
        if past[i] & new[v] and first[v] >= day and number[v] != user[i]
    ]
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == wanted


def test_the_best_are_kept() -> None:
    """Forty numbers share one contact, and three of them another: those stay, then the first ones."""
    new = [{0, 1} if v >= 37 else {0} for v in range(40)]
    new_starts, new_contact = rows(new)
    starts, contact = rows([{0, 1}])
    _, right = pairs.pairs(
        starts, contact, np.ones(2), np.array([99], np.int32), np.zeros(1), np.arange(40, dtype=np.int32), np.zeros(40),
        np.diff(new_starts), *pairs.index(new_starts, new_contact, N), np.ones(N),
    )  # fmt: skip
    assert right.tolist() == [*range(pairs.KEPT - 3), 37, 38, 39]


def weighed(own: bool, on_net: list[bool], sure: list[float] | None = None) -> tuple[np.ndarray, int]:
    """A leaver of contacts 0, 1, 2, once in thirty days each, left on day 0; a number of 1, 3 from day 7 to day 37."""
    starts, contact = rows([{0, 1, 2}])
    new_starts, new_contact = rows([{1, 3}])
    facts, shared = evidence.weigh(
        np.zeros(1, np.int32), np.zeros(1, np.int32), starts, contact, np.full(3, 1 / 30), np.array(sure or [1.0] * 3),
        np.zeros(1), new_starts, new_contact, np.full(1, 7.0), np.full(1, 37.0), np.array([own]),
        np.array(on_net), np.array([37.0, 37.0, 22.0, 37.0]), np.array([5, 10, 5, 20]),
    )  # fmt: skip
    return facts[:, 0], int(shared[0])


def test_evidence_by_hand() -> None:
    found, shared = weighed(own=True, on_net=[True] * 4)
    month, half = 1 - math.exp(-1), 1 - math.exp(-0.5)  # contact 2 is gone after fifteen days
    missing = math.log(1 - month / 2) + math.log(1 - half / 2)
    assert found.tolist() == pytest.approx([math.log((1 / 3) / (10 / 40)), math.log(1 / 6), missing, 0, -math.log(2)])
    assert shared == 1


def test_other_networks_cannot_be_seen_from_another_network() -> None:
    found, _ = weighed(own=False, on_net=[False, True, True, True])
    assert found[0] == pytest.approx(math.log((1 / 2) / (10 / 35)))  # of two contacts, of 35
    assert found[2] == pytest.approx(math.log(1 - (1 - math.exp(-0.5)) / 2))


def test_a_contact_that_may_be_somebody_else_counts_for_less() -> None:
    found, shared = weighed(own=True, on_net=[True] * 4, sure=[1.0, 0.4, 1.0])
    assert found[0] == pytest.approx(math.log(0.4 * (1 / 2.4) / (10 / 40) + 0.6))
    assert found[1] == pytest.approx(math.lgamma(1.4) + math.lgamma(2.6) - math.lgamma(4))
    assert shared == 0


def test_nothing_to_learn_from_leaves_what_was_known_before() -> None:
    facts = np.zeros((2, 3))
    assert chance.fit(facts, np.zeros(3), np.ones(3, bool), np.ones(3)).tolist() == chance.prior(2).tolist()


def test_chance_is_told_from_more_than_chance() -> None:
    """Both kinds have 2,000 pairs with evidence between -3 and 0; leavers have 200 more at 6."""
    by_chance = np.linspace(-3, 0, 2000)
    facts = np.concatenate([by_chance, by_chance, np.full(200, 6.0)])[None]
    leaver = np.repeat([True, False, True], [2000, 2000, 200])
    odds = chance.log_odds(chance.fit(facts, np.zeros(4200), leaver, np.ones(4200)), facts, np.zeros(4200))
    assert odds[-1] > 2
    assert odds[:2000].max() < -2
    same = chance.fit(facts[:, :4000], np.zeros(4000), leaver[:4000], np.ones(4000))
    assert chance.log_odds(same, facts[:, :4000], np.zeros(4000)).max() < -2
