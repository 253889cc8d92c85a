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


def enumerate_all(weights: list[int], draws: int) -> Fraction:
    mean = Fraction(0)
    for sequence in product(range(len(weights)), repeat=draws):
        chance = Fraction(1)
        for contact in sequence:
            chance *= Fraction(weights[contact], sum(weights))
        mean += chance * len(set(sequence))
    return mean


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 5))
def test_the_mean_is_exact(weights: list[int], draws: int) -> None:
    assert distinct_contacts(np.array(weights), draws) == pytest.approx(float(enumerate_all(weights, draws)))


def test_each_customer_by_their_own_habits() -> None:
    starts, calls = np.array([0, 2, 2, 3]), np.array([3, 1, 4], np.int32)
    mean = expected_sizes(np.array([3, 3, 7]), starts, calls)
    assert mean[0] == pytest.approx(float(enumerate_all([3, 1], 3)))
    assert np.isnan(mean[1])
    assert mean[2] == 1.0
