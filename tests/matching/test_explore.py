"""Offers left to chance: what is shown, with which probability, and what can be told from it."""

from __future__ import annotations

import numpy as np
import pytest

from lake.errors import SettingError
from lake.settings import load_settings
from matching.decision import MatchRequest
from matching.explore import Explore, First, lead
from matching.match import match
from matching.policy import Logged, estimates
from tests.matching.conftest import user

SCORES = np.array([0.1, 0.4, 0.3, 0.2])
ALLOWED = np.array([True, True, False, True])
BEST, VALUES = np.array([[1, 3, 0, -1]], np.int32), np.array([[0.4, 0.2, 0.1, np.nan]])


@pytest.mark.parametrize(
    ("drawn", "first", "order"),
    [
        (0.5, First(False, 0.8 + 0.2 / 3), [1, 3, 0, -1]),
        (0.0, First(True, 0.2 / 3), [0, 1, 3, -1]),
        (0.1, First(True, 0.8 + 0.2 / 3), [1, 3, 0, -1]),
        (0.19, First(True, 0.2 / 3), [3, 1, 0, -1]),
    ],
)
def test_by_hand(drawn: float, first: First, order: list[int]) -> None:
    items, values, found = lead(Explore(0.2, draw=lambda: drawn), SCORES, ALLOWED, BEST, VALUES)
    assert items[0].tolist() == order
    assert values[0, :3].tolist() == SCORES[items[0, :3]].tolist()
    assert np.isnan(values[0, 3])
    assert found is not None
    assert (found.explored, found.probability) == (first.explored, pytest.approx(first.probability))


def test_one_place_holds_what_was_drawn_and_nothing_stays_nothing() -> None:
    explore = Explore(0.2, draw=lambda: 0.0)
    items, values, _ = lead(explore, SCORES, ALLOWED, BEST[:, :1], VALUES[:, :1])
    assert (items.tolist(), values.tolist()) == ([[0]], [[0.1]])
    nothing = np.array([[-1]])
    assert lead(explore, SCORES, np.zeros(4, bool), nothing, VALUES[:, :1])[2] is None


def test_a_decision_says_how_its_first_offer_was_chosen(state) -> None:
    request = MatchRequest(user=user(0), kind="offer")
    plain = match(state, request)
    drawn = match(state, request, explore=Explore(0.2, draw=lambda: 0.19))
    best = match(state, request, explore=Explore(0.2, draw=lambda: 0.9))
    n = len(plain.items)
    assert n == 2
    assert [item.id for item in drawn.items] == [item.id for item in reversed(plain.items)]
    assert drawn.trace()["explored"]
    assert [item.get("probability") for item in drawn.trace()["items"]] == [0.1, None]
    assert not best.trace()["explored"]
    assert best.trace()["items"][0]["probability"] == pytest.approx(0.9)
    for item, same in zip(best.items, plain.items, strict=True):
        assert item == same
    assert best.to_json() | {"decision": ""} == plain.to_json() | {"decision": ""}


def test_switched_off_and_for_apps_nothing_is_left_to_chance(state) -> None:
    trace = match(state, MatchRequest(user=user(0), kind="offer")).trace()
    assert not trace["explored"]
    assert not any("probability" in item for item in trace["items"])
    apps = MatchRequest(user=user(0), kind="app")
    never = Explore(0.2, draw=lambda: 1 / 0)
    assert [item.id for item in match(state, apps, explore=never).items] == [
        item.id for item in match(state, apps).items
    ]


def test_the_first_of_several_slots_alone_is_left_to_chance(state) -> None:
    request = MatchRequest(user=user(0), kind="offer", slots=2)
    plain, drawn = match(state, request), match(state, request, explore=Explore(0.2, draw=lambda: 0.19))
    assert {item.id for item in drawn.items} == {item.id for item in plain.items}
    assert drawn.items[0].id == plain.items[1].id
    assert [item.get("probability") for item in drawn.trace()["items"]] == [0.1, None]


@pytest.mark.parametrize("share", [-0.01, 0.21, "often"])
def test_the_share_is_bounded(share: object) -> None:
    with pytest.raises(SettingError, match="EXPLORE"):
        load_settings(explore=share)


def decisions(seed: int) -> tuple[Logged, float]:
    """What another policy is told by, and what it would earn in truth."""
    rng = np.random.default_rng(seed)
    r, o = 1000, 4
    chance = rng.beta(1, 8, (r, o))
    allowed = rng.random((r, o)) < 0.8
    allowed[:, 0] = True
    scores = np.where(allowed, rng.random((r, o)), -1.0)
    best = scores.argmax(axis=1)
    explore = Explore(0.2, draw=rng.random)
    led = [lead(explore, scores[i], allowed[i], best[i : i + 1, None], scores[i : i + 1, best[i]]) for i in range(r)]
    shown = np.array([items[0, 0] for items, _, _ in led])
    other = np.where(allowed, chance + rng.normal(0, 0.05, (r, o)), -1).argmax(axis=1)
    at = np.arange(r)
    logged = Logged(
        probability=np.array([first.probability for _, _, first in led]),
        reward=(rng.random(r) < chance[at, shown]).astype(float),
        agrees=other == shown,
        expected=np.zeros(r),
        expected_own=np.zeros(r),
        customer=at,
    )
    assert np.mean([first.explored for _, _, first in led]) == pytest.approx(0.2, abs=0.06)
    return logged, float(chance[at, other].mean())


def test_what_chance_showed_tells_of_any_policy() -> None:
    """Decisions by one policy, some left to chance, tell without bias what another would have earned."""
    logs = [decisions(seed) for seed in range(40)]
    errors = np.array(
        [estimates({"it": logged}, draws=1)["it"]["inverse_probability"].mean - true for logged, true in logs]
    )
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors))
    held = [
        low < true < high
        for logged, true in logs
        for low, high in [estimates({"it": logged}, draws=200)["it"]["inverse_probability"].interval]
    ]
    assert sum(held) >= 0.8 * len(held)
