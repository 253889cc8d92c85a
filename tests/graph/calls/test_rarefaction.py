"""Rarefied circle sizes against every possible sequence of calls."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graph.calls.rarefaction import distinct_contacts, expected_sizes


def enumerate_all(weights: list[int], draws: int) -> tuple[Fraction, Fraction]:
    mean = square = Fraction(0)
    for sequence in product(range(len(weights)), repeat=draws):
        chance = Fraction(1)
        for contact in sequence:
            chance *= Fraction(weights[contact], sum(weights))
        mean += chance * len(set(sequence))
        square += chance * len(set(sequence)) ** 2
    return mean, square - mean**2


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 5))
def test_mean_and_variance_are_exact(weights: list[int], draws: int) -> None:
    mean, variance = distinct_contacts(np.array(weights), draws)
    wanted = enumerate_all(weights, draws)
    assert mean == pytest.approx(float(wanted[0]))
    assert variance == pytest.approx(float(wanted[1]), abs=1e-12)


def test_periods_are_pooled_for_as_many_as_count() -> None:
    # Customer 0 had contacts {1: 2, 2: 1} last, {1: 1, 3: 4} before; customer 1 nobody.
    starts = np.array([[0, 2, 2], [2, 4, 4]])
    contact, weight = np.array([1, 2, 1, 3], np.int32), np.array([2, 1, 1, 4], np.int32)
    draws = np.array([3, 3])
    for history, pooled in ((1, [2, 1]), (2, [3, 1, 4])):
        mean, variance = expected_sizes(draws, np.array([history, history], np.int8), starts, contact, weight)
        wanted = enumerate_all(pooled, 3)
        assert (mean[0], variance[0]) == (pytest.approx(float(wanted[0])), pytest.approx(float(wanted[1])))
        assert np.isnan([mean[1], variance[1]]).all()
