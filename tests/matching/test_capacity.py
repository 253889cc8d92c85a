from __future__ import annotations

from collections import Counter

import pytest

from matching.batch import match_all
from matching.match import MatchRequest, match
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
    for user, item, score in zip(*(table[c].to_pylist() for c in ("user", "item", "score")), strict=True):
        assert allowed[user][item] == score
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
