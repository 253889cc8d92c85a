from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from embeddings.snapshot import Snapshot
from lake.errors import SettingError
from lake.settings import load_settings
from matching.answered import Answered
from matching.batch import match_all, write_matches
from matching.decision import MatchRequest
from matching.match import match
from matching.state import MatchState
from tests.matching.conftest import TODAY, user
from tests.matching.random_operator import random_operator


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 3])
def test_no_channel_is_given_more_than_it_holds(tmp_path, seed, k):
    state, users = random_operator(tmp_path, seed, capacity=7)
    table = match_all(state, "offer", k, users=users)
    load = Counter(table["channel"].to_pylist())
    assert max(load.values()) <= 7
    assert set(load) <= {"outbound", "sms", "store", "web"}
    allowed = {u: {i.id: i.score for i in match(state, MatchRequest(u, "offer", 100)).items} for u in users}
    for who, item, score in zip(*(table[c].to_pylist() for c in ("user", "item", "score")), strict=True):
        assert allowed[who][item] == score
    assert max(Counter(table["user"].to_pylist()).values()) <= k


def test_the_highest_scores_come_first(tmp_path):
    state, users = random_operator(tmp_path, 0, capacity=2)
    table = match_all(state, "offer", 1, users=users)
    got = dict(zip(table["user"].to_pylist(), table["score"].to_pylist(), strict=True))
    best = {u: [i.score for i in match(state, MatchRequest(u, "offer", 1)).items] for u in users}
    assert max(got.values()) == max(score for scores in best.values() for score in scores)
    assert len(got) <= 8


def test_a_channel_without_room_is_not_used_and_one_without_bound_is(tmp_path):
    state, users = random_operator(tmp_path, 0, capacity=0)
    assert match_all(state, "offer", 3, users=users).num_rows == 0
    free, users = random_operator(tmp_path, 1)
    assert match_all(free, "offer", 3, users=users).num_rows > 0


def test_the_plan_says_how_good_it_is_and_where_it_is_full(tmp_path):
    state, users = random_operator(tmp_path, 0, capacity=4)
    told: dict = {}
    rows = write_matches(tmp_path / "out.parquet", state, "offer", 2, users=users, sharing=told)
    assert rows == sum(use["given"] for use in told["channels"].values())
    assert told["greedy"] <= told["score"] <= told["bound"]
    assert 0 <= told["gap"] < 0.1
    assert sorted(told["channels"]) == ["outbound", "sms", "store", "web"]
    assert all(use["given"] <= use["capacity"] == 4 for use in told["channels"].values())
    free, users = random_operator(tmp_path, 1)
    write_matches(tmp_path / "out.parquet", free, "offer", 2, users=users, sharing=told)
    assert (told["gap"], told["channels"]) == (0, {})


def test_a_budget_and_todays_contacts_leave_less_room(home, lake, load):
    """Messages cost .1: a budget of .3 pays for three contacts a day, one of .2 for two, of which one has been."""
    load()

    def loaded(budgets: dict[str, float]) -> MatchState:
        settings = load_settings(home=home.root, today=TODAY, budgets=budgets)
        return MatchState.load(home, settings, lake, Snapshot.current(home))

    assert loaded({"sms": 0.3, "web": 0.0, "store": 99.0}).channels.capacity.tolist() == [3, 99, -1]
    answered = Answered()
    answered.add(user(5), "offer", "o1", "shown", dt.datetime.combine(TODAY, dt.time()), "d1", "sms")
    told: dict = {}
    write_matches(home.root / "out.parquet", loaded({"sms": 0.2}), "offer", 1, answered=answered, sharing=told)
    assert told["channels"]["sms"].items() >= {"capacity": 2, "room": 1, "given": 1}.items()
    with pytest.raises(SettingError, match="fax"):
        loaded({"fax": 1.0})
