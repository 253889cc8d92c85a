from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from lake.settings import load_settings
from matching.ahead import Ahead
from matching.answered import Answered
from matching.batch import match_all
from matching.decision import MatchRequest
from matching.match import match
from matching.state import MatchState
from tests.matching.conftest import BINARY, MOMENT, TEXT, TODAY, table, user

NOON = dt.datetime.combine(TODAY, dt.time(12))
COLUMNS = {"user": BINARY, "offer": TEXT, "channel": TEXT, "at": MOMENT, "outcome": TEXT, "decision": TEXT}


def ago(days: int) -> dt.datetime:
    return NOON - dt.timedelta(days=days)


def offers(state: MatchState, who: int, answered: Answered | None = None) -> list[str]:
    """What one customer is offered, alone and in a batch."""
    alone = [i.id for i in match(state, MatchRequest(user=user(who), kind="offer"), answered).items]
    assert match_all(state, "offer", 10, users=[user(who)], answered=answered)["item"].to_pylist() == alone
    return alone


@pytest.fixture
def with_rules(home, lake, load):
    """A state with some rules set otherwise, and answers of the feed."""
    from embeddings.snapshot import Snapshot

    def made(rules: dict, *responses: tuple, persons: dict[int, bytes] | None = None) -> MatchState:
        if responses:
            lake.write_partition("responses", "month", "2026-05", table(COLUMNS, *responses))
        if persons is not None:
            known = lake.read("customers")
            column = pa.array([persons.get(i) for i in range(known.num_rows)], BINARY)
            lake.write("customers", known.set_column(known.schema.get_field_index("person"), "person", column))
        load()
        settings = load_settings(home=home.root, today=TODAY, rules=rules)
        return MatchState.load(home, settings, lake, Snapshot.current(home))

    return made


def test_a_decision_is_one_contact_however_many_answers_name_it(with_rules):
    shown = [(user(0), "o2", "sms", ago(1), "shown", "d1"), (user(0), "o2", "store", ago(0), "ignored", "d1")]
    two = {"fatigue": {"contacts": 2, "days": 7}}
    state = with_rules(two, *shown)
    assert offers(state, 0) == ["o1", "o2"]
    answered = Answered()
    answered.add(user(0), "offer", "o2", "shown", ago(0), decision="d1", channel="web")
    assert offers(state, 0, answered) == ["o1", "o2"]
    answered.add(user(0), "app", "game", "shown", ago(0), decision="d2", channel="web")
    assert offers(state, 0, answered) == []
    decision = match(state, MatchRequest(user=user(0), kind="app"), answered)
    assert decision.nothing_because == "this customer had 2 contacts in 7 days already"
    assert decision.removed == {"fatigue": 5}
    assert offers(state, 1, answered) == offers(state, 1)


def test_contacts_without_a_decision_are_one_a_day_and_channel_and_old_ones_do_not_count(with_rules):
    rows = [
        (user(0), "o2", "sms", ago(1), "shown", None),
        (user(0), "o1", "sms", ago(1), "ignored", None),
        (user(0), "o2", "store", ago(1), "shown", None),
        (user(0), "o2", "sms", ago(7), "shown", None),
        (user(0), "o2", "sms", ago(8), "shown", "d9"),
    ]
    assert offers(with_rules({"fatigue": {"contacts": 3, "days": 7}}, *rows), 0) == ["o1", "o2"]
    assert offers(with_rules({"fatigue": {"contacts": 2, "days": 7}}), 0) == []
    assert offers(with_rules({"fatigue": {"contacts": 4, "days": 9}}), 0) == []
    assert offers(with_rules({"fatigue": {"contacts": 1, "enabled": False}}), 0) == ["o1", "o2"]


def test_an_offer_refused_several_times_rests_for_longer(with_rules):
    rules = {"paused": {"days": 30, "refusals": 2, "longer_days": 200}}
    state = with_rules(
        rules, (user(0), "o1", "sms", ago(100), "refused", "d1"), (user(1), "o1", "sms", ago(29), "refused", None)
    )
    assert offers(state, 0) == ["o1", "o2"]
    assert "o1" not in offers(state, 1)
    answered = Answered()
    answered.add(user(0), "offer", "o1", "refused", ago(100), decision="d1")
    assert offers(state, 0, answered) == ["o1", "o2"]  # the same refusal, known twice
    answered.add(user(0), "offer", "o1", "refused", ago(60))
    assert offers(state, 0, answered) == ["o2"]
    answered.add(user(0), "offer", "o2", "refused", ago(60))
    assert offers(state, 0, answered) == ["o2"]
    lake_only = with_rules(
        rules,
        (user(0), "o1", "sms", ago(100), "refused", "d1"),
        (user(0), "o1", "sms", ago(199), "refused", None),
        (user(0), "o2", "sms", ago(200), "refused", "d3"),
        (user(0), "o2", "sms", ago(201), "refused", "d4"),
    )
    assert offers(lake_only, 0) == ["o2"]


def test_what_a_person_says_on_one_number_counts_for_the_others(with_rules):
    same = b"p" * 16
    rules = {"fatigue": {"contacts": 2, "days": 7}}
    state = with_rules(rules, (user(2), "o1", "sms", ago(3), "refused", "d1"), persons={0: same, 2: same, 1: b"q" * 16})
    assert offers(state, 0) == ["o2"]
    assert offers(state, 1) == ["o2"]  # holds what excludes the other's product
    answered = Answered()
    answered.add(user(2), "offer", "o2", "refused", ago(0), decision="d1")
    assert offers(state, 0, answered) == []
    assert match(state, MatchRequest(user=user(0), kind="app"), answered).items
    answered.add(user(2), "app", "chat", "shown", ago(0), decision="d2")
    assert not match(state, MatchRequest(user=user(0), kind="app"), answered).items
    assert match_all(state, "app", 3, users=[user(0), user(2)], answered=answered).num_rows == 0
    assert match(state, MatchRequest(user=user(1), kind="app"), answered).items


@pytest.mark.parametrize(
    ("clock", "zone", "quiet"),
    [((21, 0), "UTC", True), ((3, 0), "UTC", True), ((8, 0), "UTC", False), ((20, 59), "UTC", False),
     ((19, 30), "Europe/Berlin", True), ((6, 30), "Europe/Berlin", False)],
)  # fmt: skip
def test_nobody_is_approached_in_quiet_hours_but_may_be_answered(home, lake, load, clock, zone, quiet):
    from embeddings.snapshot import Snapshot

    load()
    settings = load_settings(home=home.root, today=TODAY, timezone=zone, rules={"quiet_hours": {"enabled": True}})
    state = MatchState.load(home, settings, lake, Snapshot.current(home))
    at = dt.datetime.combine(TODAY, dt.time(*clock))

    def ask(channel: str | None, who: int = 0):
        return match(state, MatchRequest(user=user(who), kind="offer", channel=channel, at=at))

    assert bool(ask("sms").items) is not quiet
    if quiet:
        assert ask("sms").nothing_because == "it is too late, or too early, to approach a customer"
    assert ask("store").items
    found = {i: {(item.id, item.channel) for item in ask(None, i).items} for i in (0, 2)}
    assert found[0] == {("o1", "store")} if quiet else ("o1", "store") in found[0]
    # customer 0 could have o2 through sms alone; customer 2 uses no channel, and offers name sms first
    assert found[2] == ({("o1", "store")} if quiet else {("o1", "sms")})
    lists = Ahead(home, state, "any")
    for i in range(5):
        asked = MatchRequest(user=user(i), kind="app", at=at)
        found_apps = match(state, asked, ahead=lists)
        assert [item.said for item in found_apps.items] == [item.said for item in match(state, asked).items]
        assert not quiet or {item.channel for item in found_apps.items} <= {"store", "web", None}


def test_what_was_accepted_stands_for_its_product(home, lake, with_rules):
    """o1 sells gold, o4 gold too and o5 silver, which gold excludes; o2 sells something else."""
    sold = lake.read("offers").to_pylist()
    more = [sold[0] | {"offer": "o4"}, sold[0] | {"offer": "o5", "product": "silver"}]
    lake.write("offers", pa.Table.from_pylist(sold + more, schema=lake.read("offers").schema))
    state = with_rules({})
    assert offers(state, 0) == ["o1", "o2", "o4", "o5"]
    answered = Answered()
    answered.add(user(0), "offer", "o1", "accepted", ago(0), decision="d1")
    assert offers(state, 0, answered) == ["o2"]
    refused = Answered()
    refused.add(user(0), "offer", "o1", "refused", ago(0), decision="d1")
    assert offers(state, 0, refused) == ["o2", "o4", "o5"]
    assert offers(with_rules({}, (user(0), "o1", "sms", ago(1), "accepted", "d1")), 0) == ["o2"]
    assert offers(with_rules({}, (user(0), "o5", "sms", ago(1), "accepted", "d1")), 0) == ["o2"]
    assert offers(with_rules({}, (user(0), "o1", "sms", ago(1), "refused", "d1")), 0) == ["o2", "o4", "o5"]


def test_an_answer_of_a_day_to_come_drives_out_none_of_today(with_rules):
    state = with_rules({"fatigue": {"contacts": 2, "days": 7}})
    answered = Answered()
    for decision in ("d1", "d2"):
        answered.add(user(0), "offer", "o2", "shown", ago(0), decision=decision, channel="sms")
    for days in range(4):
        to_come = dt.datetime(2090, 1, 1 + days)
        answered.add(user(0), "offer", "o2", "shown", to_come, decision=f"later {days}", channel="web")
    assert offers(state, 0, answered) == []
    assert answered.met.count(TODAY, "sms") == 2


def test_random_answers_count_as_a_slow_reading_counts_them(with_rules):
    """Contacts, refusals and pauses of lake and memory, against plain Python over all rows."""
    rng = np.random.default_rng(1)
    same = b"p" * 16
    rows = [
        (
            user(int(rng.integers(3))),
            ("o1", "o2")[int(rng.integers(2))],
            ("sms", "store")[int(rng.integers(2))],
            ago(int(rng.integers(0, 60))),
            ("shown", "accepted", "refused", "ignored")[int(rng.choice(4, p=[0.5, 0.1, 0.2, 0.2]))],
            (None, f"d{rng.integers(6)}")[int(rng.integers(2))],
        )
        for _ in range(60)
    ]
    rules = {"fatigue": {"contacts": 3, "days": 9}, "paused": {"days": 6, "refusals": 3, "longer_days": 25}}
    free = {"fatigue": {"enabled": False}, "paused": {"days": 1, "refusals": 99}}
    unbound = with_rules(free, persons={0: same, 2: same})
    everything = {i: offers(unbound, i) for i in range(3)}
    for half in (0, 6, 12, 18):
        told, later = rows[: 3 * half // 2], rows[3 * half // 2 : half * 2]
        state = with_rules(rules, *told, persons={0: same, 2: same})
        answered = Answered()
        for who, item, channel, at, outcome, decision in later:
            answered.add(who, "offer", item, outcome, at, decision=decision, channel=channel)
        for i, numbers in ((0, (0, 2)), (1, (1,)), (2, (0, 2))):
            mine = [row for row in told + later if row[0] in [user(n) for n in numbers]]
            recent = [row for row in mine if (TODAY - row[3].date()).days < 9]
            contacts = {row[5] or (row[2], row[3].date()) for row in recent}
            left = []
            for item in everything[i]:
                said = [row for row in mine if row[1] == item]
                pausing = [row for row in said if row[4] in ("accepted", "refused")]
                refused = [row for row in said if row[4] == "refused"]
                rests = any((TODAY - row[3].date()).days < 6 for row in pausing)
                often = len({row[5] or row[3] for row in refused}) >= 3
                rests |= often and any((TODAY - row[3].date()).days < 25 for row in refused)
                if not rests and len(contacts) < 3:
                    left.append(item)
            assert offers(state, i, answered) == left
