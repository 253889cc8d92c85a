"""p-values against a network's own controls: by hand, and where chance is wider than the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from graph.calls.chance import PRIOR, calibrated, widening


def test_by_hand() -> None:
    # 30 of 200 controls at most 1/20, and 10 of the 200 added: one in ten, so sigma = z(.05) / z(.1).
    p = np.r_[np.full(30, 0.01), np.full(170, 0.6), 0.001, np.nan]
    control = np.r_[np.ones(200, bool), False, False]
    assert PRIOR == 200
    assert widening(p, control) == pytest.approx(1.6448536 / 1.2815516)
    found = calibrated(p, control)
    assert found[200] == pytest.approx(norm.sf(norm.isf(0.001) * 1.2815516 / 1.6448536))
    assert (found[30:200] == 0.6).all()
    assert np.isnan(found[201])


def test_chance_twice_as_wide_is_found_from_the_controls_alone() -> None:
    z = np.random.default_rng(0).normal(0, 2, 40_000)
    z[:2000] += 9  # what is to be found is no control
    control = np.arange(len(z)) >= 20_000
    p = calibrated(norm.sf(z), control)
    for level in (0.001, 0.01, 0.05):
        assert (p[2000:] <= level).mean() == pytest.approx(level, rel=0.25)
    assert (p[:2000] <= 0.01).mean() > 0.9


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 2**30 - 1))
def test_never_smaller_and_in_the_same_order(values: list[float], controls: int) -> None:
    p = np.array(values)
    found = calibrated(p, np.array([bool(controls >> i & 1) for i in range(len(p))], bool))
    assert (found >= p - 1e-12).all()
    assert (np.diff(found[np.argsort(p)]) >= -1e-12).all()
