from __future__ import annotations

import datetime as dt
import threading
import uuid

import pyarrow as pa
import pytest

from lake.errors import BadValue, UnknownName
from lake.tables import Lake
from matching.answered import Answered
from matching.answers import CONFLICT, SCHEMA, Answers, copy_to_lake
from tests.matching.conftest import user

AT = dt.datetime(2026, 6, 1, 9, 30)


@pytest.fixture
def store(neo4j_store):
    for i in (0, 1):
        neo4j_store.write("CREATE (:User {user: $user})", user=str(uuid.UUID(bytes=user(i))))
    neo4j_store.write("CREATE (:Offer {offer: 'o1'}) CREATE (:Offer {offer: 'o2'}) CREATE (:App {app: 'game'})")
    return neo4j_store


@pytest.fixture
def answers(store) -> Answers:
    return Answers(store)


def record(answers: Answers, **more) -> dict:
    facts = {"user": user(0), "kind": "offer", "item": "o1", "channel": "sms", "outcome": "refused", "at": AT}
    return answers.record(**{**facts, "key": "k1", **more})


def edges(store) -> int:
    return store.read("MATCH ()-[r:RESPONDED]->() RETURN count(r) AS n")[0]["n"]


def test_an_answer_is_an_edge_from_customer_to_item(answers, store):
    said = record(answers, decision="d1")
    assert said == {
        "user": str(uuid.UUID(bytes=user(0))),
        "kind": "offer",
        "item": "o1",
        "channel": "sms",
        "outcome": "refused",
        "at": "2026-06-01T09:30:00",
        "decision": "d1",
        "repeated": False,
    }
    found = store.read(
        "MATCH (u:User)-[r:RESPONDED]->(o:Offer) "
        "RETURN u.user AS user, o.offer AS offer, r.outcome AS outcome, r.channel AS channel, r.at AS at, "
        "r.decision AS decision"
    )
    assert found == [
        {
            "user": said["user"],
            "offer": "o1",
            "outcome": "refused",
            "channel": "sms",
            "at": AT.replace(tzinfo=dt.UTC),
            "decision": "d1",
        }
    ]


def test_a_key_that_comes_again_gives_the_same_answer_and_no_second_edge(answers, store):
    first = record(answers, decision="d1")
    again = record(answers, at=None, decision=None)
    assert again == {**first, "repeated": True}
    assert edges(store) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": "accepted"},
        {"item": "o2"},
        {"user": user(1)},
        {"channel": "web"},
        {"kind": "app", "item": "game"},
        {"at": AT + dt.timedelta(seconds=1)},
        {"decision": "d9"},
    ],
)
def test_a_key_used_for_another_answer_is_refused(answers, store, other):
    record(answers)
    with pytest.raises(BadValue) as caught:
        record(answers, **other)
    assert caught.value.code == CONFLICT
    assert edges(store) == 1


def test_answers_without_a_key_are_each_their_own(answers, store):
    record(answers, key=None)
    record(answers, key=None)
    assert edges(store) == 2


def test_many_at_once_with_one_key_are_one_answer(answers, store):
    said: list[dict] = []
    refused: list[BadValue] = []

    def tell(item: str) -> None:
        try:
            said.append(record(answers, item=item))
        except BadValue as error:
            refused.append(error)

    threads = [threading.Thread(target=tell, args=(item,)) for item in ["o1", "o2"] * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert edges(store) == 1
    assert len({s["item"] for s in said}) == 1
    assert sum(not s["repeated"] for s in said) == 1
    assert len(said) == len(refused) == 6


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"user": user(9)}, "customer"), ({"item": "o9"}, "offer 'o9'"), ({"kind": "app", "item": "o1"}, "app 'o1'")],
)
def test_unknown_customers_and_items_are_refused(answers, store, wrong, named):
    with pytest.raises(UnknownName, match=named):
        record(answers, **wrong)
    assert edges(store) == 0


def test_an_outcome_that_is_none_is_refused(answers):
    with pytest.raises(BadValue, match="shown, accepted, refused, ignored"):
        record(answers, outcome="maybe")
    with pytest.raises(BadValue, match="app or offer"):
        record(answers, kind="plan")


def test_moments_with_an_offset_become_utc(answers):
    local = dt.datetime(2026, 6, 1, 11, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert record(answers, at=local)["at"] == "2026-06-01T09:30:00"


def test_answers_as_tables(answers, store):
    record(answers)
    before = answers.all()["recorded"][0].as_py()
    record(answers, key="k2", kind="app", item="game", user=user(1), outcome="accepted", channel=None)
    table = answers.all()
    assert table.schema == SCHEMA
    assert table["user"].to_pylist() == [user(0), user(1)]
    assert table["item"].to_pylist() == ["o1", "game"]
    assert table["offer"].to_pylist() == ["o1", None]
    assert answers.of_user(user(1))["key"].to_pylist() == ["k2"]
    assert answers.since(before)["key"].to_pylist() == ["k2"]
    said = Answered.of(table).of_user(user(1))
    assert said is not None
    assert set(said.paused) == {("app", "game")}


def test_the_lake_gets_what_was_recorded_here_and_not_what_a_feed_brought(answers, store, tmp_path):
    lake = Lake(tmp_path)
    assert copy_to_lake(store, lake) == 0
    assert not lake.has("answers")
    store.write(
        "MATCH (u:User), (o:Offer {offer: 'o2'}) CREATE (u)-[:RESPONDED {outcome: 'shown', feed_row: 'x'}]->(o)"
    )
    record(answers)
    assert copy_to_lake(store, lake) == 1
    assert lake.read("answers")["item"].to_pylist() == ["o1"]
    stamp = lake.files("answers")[0].stat().st_mtime_ns
    assert copy_to_lake(store, lake) == 1
    assert lake.files("answers")[0].stat().st_mtime_ns == stamp  # unchanged: whoever reads it need not run again
    assert isinstance(lake.read("answers")["at"].type, pa.TimestampType)
