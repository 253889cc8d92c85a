"""Decisions as bytes: what they say, and when one is said again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from lake.home import Home
from matching.ahead import Ahead
from matching.answered import Answered
from matching.decision import MatchRequest
from matching.match import match, meet
from matching.state import MatchState
from matching.written import Latest, Written, write
from tests.matching.random_operator import TODAY, random_operator

NOON, NIGHT = (dt.datetime.combine(TODAY, dt.time(hour)) for hour in (12, 2))
AT = b"2026-01-02T03:04:05+00:00"


def said(decision: Written) -> tuple[dict, dict]:
    """Answer and trace without id and time."""
    answer, trace = orjson.loads(decision.answer()), orjson.loads(decision.trace(AT))
    assert answer.pop("decision") == trace.pop("decision") == decision.id
    assert trace.pop("at") == "2026-01-02T03:04:05+00:00"
    assert decision.items == len(answer["items"])
    return answer, trace


def plain(decision) -> tuple[dict, dict]:
    both = decision.to_json(), decision.trace()
    return tuple({name: value for name, value in each.items() if name != "decision"} for each in both)


@pytest.fixture
def operator(tmp_path: Path) -> tuple[MatchState, list[bytes], Latest]:
    """A state, its customers, and a memory of two decisions."""
    state, users = random_operator(tmp_path, 3)
    (tmp_path / "home").mkdir()
    return state, users, Latest(Ahead(Home(tmp_path / "home"), state, "one"), most=2)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_said_again_is_what_would_be_decided(tmp_path: Path, seed: int) -> None:
    state, users = random_operator(tmp_path, seed)
    (tmp_path / "home").mkdir()
    latest, answered, rng = (
        Latest(Ahead(Home(tmp_path / "home"), state, "one")),
        Answered(),
        np.random.default_rng(seed),
    )
    apps, channels = state.apps.ids.to_pylist(), [None, *state.channels.ids.to_pylist()]
    again = 0
    for turn in range(6):
        if turn == 4:  # what customers said since is in force at once
            for user in users[::5]:
                answered.add(user, "app", apps[int(rng.integers(len(apps)))], "refused", NOON, "a decision")
        for user in [*users, None, b"nobody knows me "]:
            asked = MatchRequest(
                user=user,
                kind="offer" if rng.random() < 0.1 else "app",
                k=int(rng.integers(1, 3)),
                channel=channels[int(rng.integers(len(channels)))] if rng.random() < 0.3 else None,
                slots=2 if rng.random() < 0.3 else None,
                context_used=tuple(rng.choice(apps, 2)) if rng.random() < 0.1 else (),
                at=NIGHT if rng.random() < 0.3 else NOON,
            )
            key = latest.key(state, asked, meet(state, asked, answered))
            again += key is not None and latest.again(key) is not None
            assert said(write(state, asked, answered, latest)) == plain(match(state, asked, answered))
    assert again > len(users)


def test_the_same_question_has_the_same_answer_under_another_id(operator, monkeypatch):
    state, users, latest = operator
    request = MatchRequest(user=users[0], k=2)
    first = write(state, request, latest=latest)
    monkeypatch.setattr("matching.written.decide", lambda *_: pytest.fail("decided anew"))
    second = write(state, request, latest=latest)
    assert first.id != second.id
    assert said(first) == said(second)


def test_only_so_many_are_kept_the_latest(operator):
    state, users, latest = operator
    keys = [(state.customers.position(user), 10, None, None, False, None) for user in users[:3]]
    for user in users[:3]:
        write(state, MatchRequest(user=user), latest=latest)
    assert [latest.again(key) is not None for key in keys] == [False, True, True]
    assert latest.again(keys[1]) is not None  # asked for last of all
    write(state, MatchRequest(user=users[0]), latest=latest)
    assert [latest.again(key) is not None for key in keys] == [True, True, False]


def test_of_another_state_nothing_is_said_again(operator):
    state, users, latest = operator
    request = MatchRequest(user=users[0], k=2)
    write(state, request, latest=latest)
    other = replace(state, snapshot_id="another")
    assert orjson.loads(write(other, request, latest=latest).answer())["snapshot"] == "another"
