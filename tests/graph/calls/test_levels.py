"""Levels of calling: read off a network, and how likely a number of calls is by what is left of the circle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from graph.calls.levels import LEVELS, STEPS, at, levels, likely


def test_a_network_at_two_levels() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    rate, level = rng.gamma(20, 5, n), np.where(np.arange(n) < 1000, 0.25, 1.0)
    share = levels(rng.poisson(3 * rate), np.full(n, 3), rng.poisson(level * rate), np.ones(n))
    assert share.sum() == pytest.approx(1)
    low = LEVELS < 0.5
    assert share[low].sum() == pytest.approx(0.25, abs=0.02)
    assert share[low] @ LEVELS[low] / share[low].sum() == pytest.approx(0.25, rel=0.1)
    assert (levels(np.zeros(2), np.zeros(2), np.zeros(2), np.ones(2)) == 1 / len(LEVELS)).all()


def test_how_likely_by_hand() -> None:
    share = np.zeros(len(LEVELS))
    share[LEVELS == 1] = 1.0
    found = likely(30, 3, 5, share)  # 10 calls a period, then 5: as if half of the circle were left
    wanted = [nbinom.pmf(5, 30.5, 1 / (1 + 2 ** (-k / STEPS) / 3)) for k in range(STEPS + 1)]
    assert found == pytest.approx(np.array(wanted) / max(wanted))
    assert found.argmax() == STEPS
    assert (at(found, 1.0), at(found, 0.5), at(found, 0.1)) == pytest.approx((found[0], 1, 1))
    assert likely(30, 3, 10, share).argmax() == 0
