"""Values of a policy by hand, and against a world where every answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lake.errors import BadValue
from matching import policy
from matching.policy import Logged, estimates, support

FOUR = Logged(
    probability=np.array([0.5, 0.25, 0.5, 0.5]),
    reward=np.array([1.0, 1.0, 0.0, 1.0]),
    agrees=np.array([True, True, True, False]),
    expected=np.array([0.5, 0.5, 0.25, 0.0]),
    expected_own=np.array([0.5, 0.5, 0.25, 0.75]),
    customer=np.arange(4),
)


def means(logged: Logged) -> dict[str, float]:
    return {name: found.mean for name, found in estimates({"it": logged})["it"].items()}


def test_by_hand():
    assert means(FOUR) == pytest.approx(
        {
            "inverse_probability": (2 * 1 + 4 * 1 + 2 * 0) / 4,
            "normalised": (2 * 1 + 4 * 1) / (2 + 4 + 2),
            "doubly_robust": (2.0 + 2 * 0.5 + 4 * 0.5 + 2 * -0.25) / 4,
        }
    )
    half = replace(FOUR, agrees=np.array([0.5, 0.5, 0.5, 0.0]))  # a policy that leaves it to chance
    assert means(half)["inverse_probability"] == (1 * 1 + 2 * 1 + 1 * 0) / 4


def test_a_difference_is_taken_draw_by_draw():
    worse = replace(FOUR, reward=FOUR.reward - 0.5, expected=FOUR.expected - 0.5, expected_own=FOUR.expected_own - 0.5)
    found = estimates({"one": FOUR, "other": worse})
    less = found["one"]["doubly_robust"] - found["other"]["doubly_robust"]
    assert less.mean == pytest.approx(0.5)
    assert less.interval == pytest.approx((0.5, 0.5))


def test_what_there_is_to_go_by():
    found = support(FOUR)
    assert (found.agreement, found.covered, found.clipped) == (0.75, 2.0, 0)
    assert found.effective == pytest.approx(8**2 / (4 + 16 + 4))


def test_a_weight_is_bounded():
    rare = replace(FOUR, probability=np.array([1e-9, 1.0, 1.0, 1.0]))
    assert policy.weights(rare).tolist() == [policy.MOST_WEIGHT, 1, 1, 0]
    assert support(rare).clipped == 1


def test_what_cannot_be_said():
    assert np.isnan(means(replace(FOUR, agrees=np.zeros(4, bool)))["normalised"])
    empty = Logged(*(np.zeros(0) for _ in range(6)))
    assert all(np.isnan(mean) for mean in means(empty).values())
    assert np.isnan(estimates({"it": empty})["it"]["doubly_robust"].interval).all()
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
    found, truth = estimates({"it": logged})["it"], chance[at, own].mean()
    low, high = found["doubly_robust"].interval
    assert low < truth < high
    plain_low, plain_high = found["inverse_probability"].interval
    if logged_right:
        assert plain_low < truth < plain_high
        assert found["normalised"].mean == pytest.approx(truth, rel=0.1)
        if model == "right":
            assert high - low < plain_high - plain_low
    else:
        assert not plain_low < truth < plain_high
