"""Room that channels have left today: what is full is offered to nobody, what an answer names takes room once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lake.tables import Lake
from matching.answered import Answered
from matching.batch import match_all, match_batches
from matching.decision import Decision, MatchRequest
from matching.match import match
from matching.room import room_left
from matching.state import MatchState
from tests.matching.conftest import BINARY, MOMENT, TEXT, TODAY, table, user

NOON = dt.datetime.combine(TODAY, dt.time(12))


@pytest.fixture
def state(lake: Lake, load) -> MatchState:  # type: ignore[no-untyped-def]
    """Two messages a day; the feed names one contact of today: a decision shown and accepted."""
    channels = lake.read("channels")
    lake.write("channels", channels.set_column(3, "daily_capacity", pa.array([2, None, None], pa.int64())))
    day = dt.timedelta(days=1)
    lake.write_partition(
        "responses",
        "month",
        "2026-06",
        table(
            {"user": BINARY, "offer": TEXT, "channel": TEXT, "at": MOMENT, "outcome": TEXT, "decision": TEXT},
            (user(1), "o1", "sms", NOON, "shown", "d1"),
            (user(1), "o1", "sms", NOON, "accepted", "d1"),
            (user(1), "o2", "store", NOON, "shown", None),
            (user(2), "o2", "sms", NOON - day, "shown", None),
            (user(2), "o2", "sms", NOON + day, "shown", "d2"),
        ),
    )
    return load()


def ask(state: MatchState, i: int, answered: Answered | None = None, channel: str | None = None) -> Decision:
    return match(state, MatchRequest(user(i), "offer", 9, channel), answered)


def room(state: MatchState, answered: Answered | None = None) -> list[int]:
    return room_left(state.channels, answered.met if answered else None, state.today).tolist()


def shown(decision: Decision) -> list[tuple[str, str | None]]:
    return sorted((item.id, item.channel) for item in decision.items)


def test_a_full_channel_is_nobodys(state: MatchState) -> None:
    """o1 goes through sms and store, o2 through sms alone; customer 2 uses neither, 0 the store most."""
    answered = Answered()
    assert room(state, answered) == [1, -1, -1]
    assert shown(ask(state, 2, answered)) == [("o1", "sms")]
    answered.add(user(3), "offer", "o2", "shown", NOON, channel="sms")
    assert room(state, answered) == [0, -1, -1]
    assert shown(ask(state, 2, answered)) == [("o1", "store")]
    decision = ask(state, 0, answered)
    assert shown(decision) == [("o1", "store")]
    assert decision.removed == {"dates": 1, "capacity": 1}
    asked = ask(state, 0, answered, "sms")
    assert (shown(asked), asked.removed) == ([], {"dates": 1, "capacity": 2})
    assert asked.nothing_because == ("the channels that are open have no room left today (this removed 2 of 3 offers)")
    assert shown(ask(state, 4, answered)) == [("o1", "store")]  # must not be approached: never through sms
    app = match(state, MatchRequest(user(0), "app", 9, "sms"), answered)
    assert (app.items, list(app.removed)) == ([], ["capacity"])
    assert match(state, MatchRequest(user(0), "app", 9, "store"), answered).items
    everybody = match_all(state, "app", 9, answered=answered)
    for i in range(5):
        alone = match(state, MatchRequest(user(i), "app", 9), answered).items
        assert "sms" not in {item.channel for item in alone}
        mine = everybody.filter(pc.equal(everybody["user"], user(i)))
        assert mine["channel"].to_pylist() == [item.channel for item in alone]


def test_a_contact_takes_room_once(state: MatchState) -> None:
    answered = Answered()
    for outcome in ("shown", "ignored", "shown"):
        answered.add(user(3), "offer", "o2", outcome, NOON, channel="web", decision="d3")
    answered.add(user(3), "offer", "o1", "refused", NOON, channel="web", decision="d3")
    answered.add(user(3), "offer", "o1", "refused", NOON, channel="web")
    answered.add(user(3), "offer", "o1", "refused", NOON)
    assert [answered.met.count(TODAY, channel) for channel in ("web", "sms")] == [2, 0]
    assert room(state, answered) == [1, -1, -1]
    assert room(state) == [1, -1, -1]


def test_a_contact_of_feed_and_answers_takes_room_once(state: MatchState) -> None:
    """The API's answers come back in the feed: the decision d1 does, and customer 4's without one does not."""
    answered = Answered(state.days, TODAY)
    answered.add(user(1), "offer", "o1", "accepted", NOON, channel="sms", decision="d1")
    assert room(state, answered) == [1, -1, -1]
    answered.add(user(4), "offer", "o1", "shown", NOON, channel="sms")
    assert room(state, answered) == [0, -1, -1]
    assert room(replace(state, channels=replace(state.channels, met={})), answered) == [0, -1, -1]


def test_everybody_together_get_what_room_is_left(state: MatchState) -> None:
    """Of two messages a day one is taken: customers 0, 1 and 2 could have o1 or o2 through sms."""
    answered, told = Answered(), dict[str, Any]()
    for taken in (1, 2):
        rows = match_all(state, "offer", 1, answered=answered)
        assert rows["channel"].to_pylist().count("sms") == 2 - taken
        list(match_batches(state, "offer", 1, answered=answered, sharing=told))
        assert told["channels"]["sms"] | {"price": 0} == {
            "capacity": 2,
            "room": 2 - taken,
            "given": 2 - taken,
            "price": 0,
        }
        answered.add(user(3), "offer", "o2", "shown", NOON, channel="sms")


def test_contacts_of_the_last_days_alone_are_kept() -> None:
    answered = Answered()
    days = [TODAY + dt.timedelta(days=int(i)) for i in np.random.default_rng(1).permutation(6)]
    for day in days:
        answered.add(user(1), "offer", "o1", "shown", dt.datetime.combine(day, dt.time()), channel="sms")
    kept = [answered.met.count(TODAY + dt.timedelta(days=i), "sms") for i in range(6)]
    assert kept == [0, 0, 0, 1, 1, 1]
    pinned = Answered(today=TODAY)  # where matching has a day of its own, those after it drive out none
    for day in days:
        pinned.add(user(1), "offer", "o1", "shown", dt.datetime.combine(day, dt.time()), channel="sms")
    pinned.add(user(1), "offer", "o1", "shown", NOON + dt.timedelta(days=400))
    assert pinned.met.count(TODAY, "sms") == 1
    assert TODAY in pinned.of_user(user(1)).contacts.values()  # type: ignore[union-attr]


def test_without_bounds_nothing_is_full(load) -> None:  # type: ignore[no-untyped-def]
    state = load()
    assert room(state) == [-1, -1, -1]
    assert shown(ask(state, 2)) == [("o1", "sms")]
