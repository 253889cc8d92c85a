"""Chances of having been shown that nobody logged, against a policy whose chances are known."""

from __future__ import annotations

import numpy as np
import pytest

from matching.displayed import Displays, agreement, probabilities


def shown_by(seed: int, r: int = 3000) -> tuple[Displays, np.ndarray]:
    """A policy that likes offers by age band, among those that suit the customer."""
    rng = np.random.default_rng(seed)
    age = rng.normal(size=r)
    likes = rng.normal(0, 1, (3, 4))[np.searchsorted([-0.5, 0.5], age)]
    suited = rng.random((r, 4)) < 0.7
    suited[:, 0] = True
    weight = np.where(suited, np.exp(likes), 0)
    chance = weight / weight.sum(axis=1, keepdims=True)
    offer = (chance.cumsum(axis=1) < rng.random((r, 1))).sum(axis=1).clip(max=3)
    numbers = np.stack([age, rng.normal(size=r)], axis=1)
    possible = np.ones((r, 5), bool)
    possible[:, 4] = False  # an offer that nobody was ever shown
    suited = np.hstack([suited, np.ones((r, 1), bool)])
    return Displays(offer, np.arange(r) // 2, numbers, np.zeros(r, np.int64), possible, suited, suited), chance


def test_they_come_near_those_that_were_used() -> None:
    displays, true = shown_by(0)
    found = probabilities(displays)
    at = np.arange(len(true))
    assert found.sum(axis=1) == pytest.approx(1)
    assert not found[:, 4].any()
    assert np.corrcoef(found[at, displays.offer], true[at, displays.offer])[0, 1] > 0.85
    weight = (true[:, 0] > 0) * (displays.offer == 0) / found[at, displays.offer]
    assert weight.mean() == pytest.approx(1, abs=0.1)  # as often as chance has it
    fit = agreement(found, displays)
    assert fit["ece"] < 0.02
    assert fit["log_loss"] < fit["log_loss_of_equal_chances"]
    assert sum(tenth["cells"] for tenth in fit["tenths"]) == 4 * len(true)


def test_the_same_log_gives_the_same_chances() -> None:
    displays, _ = shown_by(1, 300)
    assert np.array_equal(probabilities(displays), probabilities(displays))


def test_agreement_by_hand() -> None:
    possible = np.ones((2, 2), bool)
    displays = Displays(np.array([0, 1]), np.arange(2), np.zeros((2, 0)), np.zeros(2), possible, possible, possible)
    found = agreement(np.array([[0.75, 0.25], [0.5, 0.5]]), displays)
    assert found["log_loss"] == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2, abs=1e-5)
    assert found["log_loss_of_equal_chances"] == pytest.approx(np.log(2), abs=1e-5)
    assert found["ece"] == pytest.approx((0.25 + 0.25 + 0.5 + 0.5) / 4)
