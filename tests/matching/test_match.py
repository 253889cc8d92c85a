from __future__ import annotations

import datetime as dt
import math
import uuid
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from embeddings.snapshot import UPTAKE, Snapshot
from lake.errors import BadValue, UnknownName
from lake.settings import load_settings
from matching.answered import Answered
from matching.arrays import Ragged
from matching.decision import Decision, MatchRequest
from matching.match import match
from matching.state import MatchState
from tests.matching.conftest import TODAY, user


def ask(state: MatchState, who: int | None, kind: str = "app", answered: Answered | None = None, **more) -> Decision:
    return match(state, MatchRequest(user=None if who is None else user(who), kind=kind, **more), answered)


def ids(decision: Decision) -> list[str]:
    return [item.id for item in decision.items]


def test_apps_by_score_with_ties_by_identifier_without_used_ones_and_other_systems(state):
    decision = ask(state, 0)
    assert ids(decision) == ["game", "chat", "radio"]  # maps is used, news runs on another system
    assert decision.removed == {"used": 1, "handset_os": 1}
    assert decision.candidates == 5
    assert decision.known
    assert decision.items[0].score == 0.5  # two deviations
    assert decision.items[1].score == decision.items[2].score == pytest.approx(1 / (1 + math.exp(0.5)))


def test_k_cuts_and_k_beyond_the_catalogue_gives_what_there_is(state):
    assert ids(ask(state, 0, k=2)) == ["game", "chat"]
    assert ids(ask(state, 0, k=10**6)) == ["game", "chat", "radio"]


def test_a_customer_of_whom_nothing_is_known_gets_the_shares_of_the_segment(state):
    decision = ask(state, 2)
    assert decision.known
    assert [(i.id, round(i.score, 6)) for i in decision.items] == [("maps", 0.3), ("radio", 0.1)]


def test_a_customer_who_came_after_the_snapshot_gets_the_shares_of_the_segment(state):
    assert ids(ask(state, 4)) == ["news", "maps", "chat", "radio"]  # the handset since February has iOS


@pytest.mark.parametrize("who", [None, 6, 77])
def test_an_unknown_number_gets_what_most_use(state, who):
    decision = ask(state, who, k=3)
    assert not decision.known
    assert [(i.id, round(i.score, 6)) for i in decision.items] == [("game", 0.6), ("chat", 0.4), ("maps", 0.3)]
    assert decision.items[0].path == [
        {"node": "User", "count": 3},
        {"edge": "USES_APP"},
        {"node": "App", "key": "game"},
    ]
    assert decision.items[0].reason == "50.0 % of all customers use Game"
    news = ask(state, who, k=4).items[3]
    assert (news.reason, news.path) == ("News is new: no customer uses it yet", [{"node": "App", "key": "news"}])


def test_an_empty_answer_says_why(state):
    assert ask(state, 3).nothing_because == "this customer has not consented to being addressed"
    assert ask(state, 5).nothing_because == "this customer has left"
    empty = ask(state, 1, kind="offer", channel="web")
    assert empty.items == []
    assert (
        empty.nothing_because
        == "no offer goes through a channel that is open to this customer (this removed 2 of 3 offers)"
    )
    assert ask(state, 1).nothing_because is None


def test_reason_and_path_name_the_strongest_evidence(state):
    game, chat, radio = ask(state, 0).items
    assert (
        game.reason == "2 of the 2 people you call most use Game"
    )  # the third has not consented, the fourth is off-net
    assert game.path == [
        {"node": "User", "key": str(uuid.UUID(bytes=user(0)))},
        {"edge": "CALLS", "count": 2, "of": 2},
        {"node": "User", "key": str(uuid.UUID(bytes=user(1)))},
        {"edge": "USES_APP"},
        {"node": "App", "key": "game"},
    ]
    assert chat.reason == radio.reason  # the same two use Chat: a lift of 1.6, and 2.0 for the segment
    assert radio.reason == "customers like you use talk 2.0 times as often as others do"
    assert radio.path[1:] == [
        {"edge": "IN_SEGMENT"},
        {"node": "Segment", "key": "s1"},
        {"edge": "FITS", "lift": 2.0},
        {"node": "Category", "key": "talk"},
        {"edge": "IN_CATEGORY"},
        {"node": "App", "key": "radio"},
    ]


def test_a_fit_of_the_item_itself_leads_straight_to_it(state):
    maps = ask(state, 4).items[1]
    assert maps.reason == "customers like you use Maps 3.0 times as often as others do"
    assert [step.get("node") for step in maps.path[::2]] == ["User", "Segment", "App"]


def test_an_app_says_how_likely_it_is_begun(home, lake, settings, load):
    """Customer 0 uses apps; 4 came later and is told by the shares of the segment."""
    load()
    snapshot = Snapshot.current(home)
    knots = [("deviations", 0.0, 0.0), ("deviations", 4.0, 0.2), ("shares", 0.0, 0.0), ("shares", 1.0, 0.5)]
    table = pa.Table.from_pylist([dict(zip(UPTAKE.names, knot, strict=True)) for knot in knots], UPTAKE)
    state = MatchState.load(home, settings, lake, replace(snapshot, uptake=table))
    game = ask(state, 0).items[0].factors
    assert game == {"deviations": pytest.approx(2.0), "propensity": pytest.approx(0.1)}
    shares = ask(state, 4).items[0].factors
    assert shares == {"share": pytest.approx(0.7), "propensity": pytest.approx(0.35)}
    nobody = replace(state, used=Ragged.of(np.zeros(0), np.zeros(0), rows=state.used.rows))
    assert "propensity" not in ask(nobody, 0).items[0].factors


def test_offers_by_propensity_value_and_priority(state):
    one, two = ask(state, 0, kind="offer").items
    # o2: prior .1, affinity sigmoid(0) = .5, value 20 of a mean of 15, priority 100
    assert (one.id, one.score) == ("o1", pytest.approx(0.3 * 2 / (1 + math.exp(-2)) * (10 / 15) * 1.0))
    assert (two.id, two.score) == ("o2", pytest.approx(0.1 * (20 / 15) * 1.5))
    assert two.factors == pytest.approx(
        {"prior": 0.1, "affinity": 0.5, "propensity": 0.1, "value": 4 / 3, "priority": 1.5}
    )
    assert one.script == "Say gold."
    assert two.reason == "your data ran out."
    assert one.reason == "customers like you have Gold 1.5 times as often as others do"
    assert one.path[-3:] == [{"node": "Product", "key": "gold"}, {"edge": "OF"}, {"node": "Offer", "key": "o1"}]


def test_offers_go_through_the_best_channel_that_both_allow(state):
    assert [(i.id, i.channel) for i in ask(state, 0, kind="offer").items] == [("o1", "store"), ("o2", "sms")]
    assert [(i.id, i.channel) for i in ask(state, 2, kind="offer").items] == [("o1", "sms")]  # web is not the offer's
    assert [(i.id, i.channel) for i in ask(state, 4, kind="offer").items] == [
        ("o1", "store")
    ]  # no contact: not by message
    assert [i.channel for i in ask(state, 4, k=1).items] == ["web"]
    assert [i.channel for i in ask(state, 1, k=1).items] == [None]


def test_a_channel_that_is_asked_for_is_kept_to(state):
    assert [(i.id, i.channel) for i in ask(state, 0, kind="offer", channel="sms").items] == [
        ("o1", "sms"),
        ("o2", "sms"),
    ]
    assert ids(ask(state, 0, kind="offer", channel="store")) == ["o1"]
    assert ask(state, 0, channel="web").items[0].channel == "web"
    refused = ask(state, 4, channel="sms")
    assert refused.nothing_because.startswith("this customer must not be approached")
    with pytest.raises(UnknownName, match="channels are sms, store, web"):
        ask(state, 0, channel="pigeon")


def test_what_offers_need_and_exclude(state):
    removed = ask(state, 1, kind="offer").removed
    assert removed == {"dates": 1, "excludes": 1}  # silver and gold exclude each other, though only gold says so
    assert ids(ask(state, 1, kind="offer")) == ["o2"]
    assert ask(state, 2, kind="offer").removed == {"dates": 1, "audience": 1}
    assert ask(state, None, kind="offer").removed == {"dates": 1, "audience": 1}


def test_a_refusal_is_respected_at_once_and_for_ninety_days(state):
    answered = Answered()
    answered.add(user(0), "app", "game", "refused", dt.datetime.combine(TODAY, dt.time()))
    answered.add(user(0), "offer", "o1", "refused", dt.datetime.combine(TODAY - dt.timedelta(days=89), dt.time()))
    answered.add(user(0), "offer", "o2", "refused", dt.datetime.combine(TODAY - dt.timedelta(days=90), dt.time()))
    assert ids(ask(state, 0, answered=answered)) == ["chat", "radio"]
    assert ids(ask(state, 0, kind="offer", answered=answered)) == ["o2"]
    assert ids(ask(state, 2, kind="offer", answered=answered)) == ["o1"]  # somebody else's refusal
    assert ask(state, 0, answered=answered).removed["paused"] == 1


def test_an_unknown_number_can_refuse_too(state):
    answered = Answered()
    answered.add(user(77), "app", "game", "refused", dt.datetime.combine(TODAY, dt.time()))
    assert ids(ask(state, 77, k=1, answered=answered)) == ["chat"]


def test_shown_and_ignored_pause_nothing(state):
    answered = Answered()
    for outcome in ("shown", "ignored"):
        answered.add(user(0), "app", "game", outcome, dt.datetime.combine(TODAY, dt.time()))
    assert ids(ask(state, 0, k=1, answered=answered)) == ["game"]


def test_apps_used_since_the_snapshot_are_left_out_and_move_the_scores(state):
    before, after = ask(state, 1), ask(state, 1, context_used=["radio"])
    assert ids(before) == ["radio"]
    assert after.nothing_because.startswith("this customer uses the apps already")
    moved = ask(state, 0, context_used=["chat", "no such app"])
    assert ids(moved) == ["game", "radio"]
    # vector (1, .5) of one app, and (1, 0) brought to the same length: half of each
    length = math.hypot(1, 0.5)
    assert moved.items[0].factors["deviations"] == pytest.approx(2 * (1 + length) / 2)


def test_an_app_that_is_known_to_be_used_does_not_count_twice(state):
    assert ask(state, 0, context_used=["maps"]).items == ask(state, 0).items  # 0 uses maps


def test_an_unknown_number_is_ranked_by_what_the_context_says(state):
    decision = ask(state, None, context_used=["chat"])
    assert ids(decision) == ["game", "radio", "maps", "news"]
    assert not decision.known


def test_slots_hold_offers_that_can_stand_side_by_side(state):
    assert ids(ask(state, 0, kind="offer", slots=1)) == ["o1"]
    assert ids(ask(state, 0, kind="offer", slots=5)) == ["o1", "o2"]
    assert len(ask(state, 0, slots=2).items) == 2


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": -1}, {"k": 1.5}, {"slots": 0}, {"kind": "plan"}])
def test_values_outside_what_is_allowed_are_refused(state, wrong):
    with pytest.raises(BadValue):
        ask(state, 0, **wrong)


def test_the_answer_and_the_trace(state):
    decision = ask(state, 0, kind="offer", k=1)
    answer = decision.to_json()
    assert set(answer) == {"decision", "snapshot", "known", "items"}
    assert set(answer["items"][0]) == {"id", "score", "channel", "reason", "script", "path"}
    trace = decision.trace()
    assert trace["request"]["user"] == str(uuid.UUID(bytes=user(0)))
    assert trace["removed"] == {"dates": 1}
    assert trace["barred"] == {"dates": ["o3"]}
    assert ask(state, 0).trace()["barred"] == {}  # of apps by the thousand, how many is enough
    assert trace["items"][0]["factors"]["priority"] == 1.0


def test_the_hours_at_which_a_customer_is_reached(home, lake, load):
    use = lake.read("channel_use")
    hours = pa.array([[9, 22, 12], [7, 20], [], [18], None], pa.list_(pa.int64()))
    lake.write("channel_use", use.set_column(use.schema.get_field_index("hours"), "hours", hours))
    load()
    rules = {"quiet_hours": {"enabled": True, "start": "20:00", "end": "08:00"}}

    def hours_of(who: int, channel: str | None, **rules) -> list[list[int]]:
        settings = load_settings(home=home.root, today=TODAY, rules=rules)
        state = MatchState.load(home, settings, lake, Snapshot.current(home))
        noon = dt.datetime.combine(TODAY, dt.time(12))
        asked = MatchRequest(user=user(who), kind="offer", k=1, channel=channel, at=noon)
        return [item["hours"] for item in match(state, asked).trace()["items"]]

    assert hours_of(0, "store", **rules) == [[9, 22, 12]]  # the customer comes: at any hour
    assert hours_of(0, "sms") == [[7, 20]]
    assert hours_of(0, "sms", **rules) == [[]]
    late = {"quiet_hours": {"enabled": True, "start": "20:01", "end": "06:30"}}
    assert hours_of(0, "sms", **late) == [[7]]  # twenty o'clock is quiet from its second minute
    assert hours_of(2, "sms") == [[]]
    assert hours_of(1, None) == [[]]


def test_slots_mix_categories_while_there_are_others(state):
    """chat and radio are talk, game is fun, maps go."""
    plain = ids(ask(state, 4, k=4))
    mixed = ids(ask(state, 4, k=4, slots=2))
    category = dict(zip(state.apps.ids.to_pylist(), state.apps.category.tolist(), strict=True))
    assert mixed[0] == plain[0]
    assert category[mixed[0]] != category[mixed[1]]
    assert mixed[1] == next(i for i in plain if category[i] != category[plain[0]])
    assert sorted(ids(ask(state, 4, slots=99))) == sorted(ids(ask(state, 4, k=99)))
