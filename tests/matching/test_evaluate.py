"""Policies against a log whose answers are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dumbbell.commands.evaluate import lines, tables
from matching.evaluate import AS_SHOWN, OURS, POLICIES, best, evaluate
from matching.logged import Closed, Shown
from tests.matching.conftest import user

NOTHING = Closed(*(np.zeros(0, np.int64) for _ in range(5)))


def log(state, probability: float = 0.5) -> Shown:
    """Customer 0 on sms: o1 was shown a hundred times and accepted forty, o2 as often and accepted sixty."""
    offer = np.repeat([0, 1], 100)
    accepted = np.arange(200) % 100 < np.where(offer == 0, 40, 60)
    who = np.full(200, state.customers.position(user(0)))
    at = np.full(200, np.datetime64(state.today, "us").astype(np.int64))
    channel = np.full(200, state.channel("sms"))
    return Shown(who, offer, channel, at, accepted, np.full(200, probability), {"earlier": 0})


def test_by_hand(lake, state) -> None:
    facts = evaluate(lake, state, log(state), NOTHING)
    assert (facts["shown"], facts["accepted"], facts["customers"]) == (200, 100, 1)
    assert facts["probabilities"] == {"logged": 1.0, "estimated": 0.0}
    found = facts["policies"]
    # o1 has priority 50 and worth 10, o2 100 and 20: o2 comes first for both, and was accepted more seldom before.
    mean = {name: found[name]["acceptance"]["inverse_probability"]["mean"] for name in (*POLICIES, AS_SHOWN)}
    assert mean["priority"] == 0.6
    assert mean["popular"] == 0.4
    assert mean["random"] == mean[AS_SHOWN] == 0.5
    assert mean[OURS] in (0.4, 0.6)
    assert found["priority"]["margin"]["normalised"]["mean"] == pytest.approx(0.6 * 20)
    assert found["random"]["margin"]["normalised"]["mean"] == pytest.approx((0.4 * 10 + 0.6 * 20) / 2)
    assert found["priority"]["acceptance"]["normalised"]["ours_more"]["mean"] == pytest.approx(mean[OURS] - 0.6)
    assert found["random"]["support"] == {
        "agreement": 0.5, "covered": 1.0, "effective": 200.0, "clipped": 0, "never_shown": 0.0
    }  # fmt: skip
    assert found["popular"]["support"]["effective"] == 100
    assert len(tables({"since": "2026-06", **facts})) == 3
    assert "surely" in lines({"since": "2026-06", **facts})[0]


def test_doubly_robust_leans_on_the_model_where_the_log_says_nothing(lake, state) -> None:
    only_one = log(state).take(np.flatnonzero(log(state).offer == 0).repeat(2))
    found = evaluate(lake, state, only_one, NOTHING)["policies"]["priority"]  # which would choose o2
    assert found["acceptance"]["inverse_probability"]["mean"] == 0
    assert found["acceptance"]["normalised"]["mean"] is None
    assert found["acceptance"]["doubly_robust"]["mean"] > 0
    assert found["support"]["never_shown"] == 1


def test_chances_that_nobody_logged_are_estimated_and_it_says_so(lake, state) -> None:
    facts = evaluate(lake, state, log(state, np.nan), NOTHING)
    assert facts["probabilities"]["estimated"] == 1.0
    assert facts["probabilities"]["fit"]["ece"] < 0.6
    assert any("estimated" in line for line in lines({"since": "2026-06", **facts}))


def test_too_few_acceptances_are_a_sentence(lake, state) -> None:
    few = log(state).take(np.arange(60, 140))  # forty ignored, forty accepted
    facts = evaluate(lake, state, few, NOTHING)
    assert "40 of 80" in facts["off"]
    assert set(facts["policies"].values()) == {None}
    assert tables(facts) == []
    assert lines(facts) == [facts["off"]]


def test_offers_ranked_alike_have_the_same_chance_and_nothing_allowed_has_none() -> None:
    values = np.array([[2.0, 2.0, 1.0], [3.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    allowed = np.array([[True, True, True], [False, True, True], [False, False, False]])
    assert best(values, allowed).tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0]]
