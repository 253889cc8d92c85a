"""Values of a policy by hand, and against a world where every answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lake.errors import BadValue
from matching import policy
from matching.policy import Logged

FOUR = Logged(
    probability=np.array([0.5, 0.25, 0.5, 0.5]),
    reward=np.array([1.0, 1.0, 0.0, 1.0]),
    agrees=np.array([True, True, True, False]),
    expected=np.array([0.5, 0.5, 0.25, 0.0]),
    expected_own=np.array([0.5, 0.5, 0.25, 0.75]),
    customer=np.arange(4),
)


def test_by_hand():
    assert policy.inverse_probability(FOUR).mean == (2 * 1 + 4 * 1 + 2 * 0) / 4
    assert policy.normalised(FOUR).mean == (2 * 1 + 4 * 1) / (2 + 4 + 2)
    assert policy.doubly_robust(FOUR).mean == pytest.approx((2.0 + 2 * 0.5 + 4 * 0.5 + 2 * -0.25) / 4)
    worse = replace(FOUR, agrees=np.zeros(4, bool), expected_own=np.full(4, 0.25))
    assert policy.difference(FOUR, worse).mean == pytest.approx(policy.doubly_robust(FOUR).mean - 0.25)


def test_a_weight_is_bounded():
    rare = replace(FOUR, probability=np.array([1e-9, 1.0, 1.0, 1.0]))
    assert policy.weights(rare).tolist() == [policy.MOST_WEIGHT, 1, 1, 0]


def test_what_cannot_be_said():
    assert np.isnan(policy.normalised(replace(FOUR, agrees=np.zeros(4, bool))).mean)
    empty = Logged(*(np.zeros(0) for _ in range(6)))
    assert np.isnan(policy.doubly_robust(empty).mean)
    for wrong in (0.0, 1.5, np.nan):
        with pytest.raises(BadValue, match="probability"):
            replace(FOUR, probability=np.array([wrong, 1, 1, 1]))


@pytest.mark.parametrize(("model", "logged_right"), [("right", True), ("none", True), ("right", False)])
def test_the_interval_holds_the_truth_where_model_or_probabilities_are_right(model, logged_right):
    rng = np.random.default_rng(0)
    n, items = 20_000, 4
    chance = rng.beta(1, 8, (n, items))
    odds = rng.dirichlet(np.ones(items) * 3, n)
    odds = (odds + 0.1) / (odds + 0.1).sum(axis=1, keepdims=True)
    shown = (odds.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=items - 1)
    own = (chance + rng.normal(0, 0.05, chance.shape)).argmax(axis=1)
    at = np.arange(n)
    expected = chance if model == "right" else np.zeros_like(chance)
    logged = Logged(
        probability=odds[at, shown] if logged_right else np.full(n, 0.5),
        reward=(rng.random(n) < chance[at, shown]).astype(float),
        agrees=own == shown,
        expected=expected[at, shown],
        expected_own=expected[at, own],
        customer=at // 2,
    )
    found, truth = policy.doubly_robust(logged), chance[at, own].mean()
    assert found.low < truth < found.high
    if logged_right:
        plain = policy.inverse_probability(logged)
        assert plain.low < truth < plain.high
        assert policy.normalised(logged).mean == pytest.approx(truth, rel=0.1)
        if model == "right":
            assert found.high - found.low < plain.high - plain.low
    else:
        assert not policy.inverse_probability(logged).low < truth < policy.inverse_probability(logged).high
