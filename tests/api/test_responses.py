"""`POST /v1/responses` and `GET /v1/decisions/{id}`: durable, in force at once, once per key."""

import datetime as dt
from typing import Any

import pytest

from embeddings.offers import read_answers
from lake.pseudonyms import from_text
from lake.tables import Lake
from matching.answered import Answered
from matching.answers import copy_to_lake
from matching.explore import Explore
from matching.unread import of_strangers
from tests.api.conftest import DIGITS, NUMBER, TODAY, Api, problem, text


def shown(api: Api, user: str, kind: str = "app") -> list[str]:
    return [item["id"] for item in api.post("/v1/match", {"user": user, "kind": kind}).json()["items"]]


def kept(api: Api, user: str) -> list[dict[str, Any]]:
    return api.operator.store.read(
        "MATCH (:User {user: $user})-[r:RESPONDED]->(i) RETURN coalesce(i.app, i.offer) AS item, r.outcome AS outcome, "
        "r.channel AS channel, r.decision AS decision ORDER BY item, outcome",
        user=user,
    )


def test_a_refusal_is_durable_and_in_force_with_the_next_match(api: Api) -> None:
    decision = api.post("/v1/match", {"user": text(0), "kind": "app"}).json()
    refused = decision["items"][0]["id"]
    told = {"decision": decision["decision"], "item": refused, "channel": "sms", "outcome": "refused"}
    answer = api.post("/v1/responses", told, "match")
    assert answer.status_code == 201
    assert answer.json()["user"] == text(0)
    assert kept(api, text(0)) == [
        {"item": refused, "outcome": "refused", "channel": "sms", "decision": decision["decision"]}
    ]
    assert refused not in shown(api, text(0))


def test_a_response_without_a_decision(api: Api) -> None:
    told = {"user": text(1), "kind": "app", "item": "radio", "channel": "store", "outcome": "ignored"}
    answer = api.post("/v1/responses", told | {"at": "2026-05-31T23:30:00+02:00"})
    assert answer.status_code == 201
    assert answer.json()["at"].startswith("2026-05-31T21:30:00")
    assert "radio" in shown(api, text(1))  # ignored is not refused


def test_by_number(api: Api) -> None:
    told = {"number": NUMBER, "kind": "offer", "item": "o1", "channel": "sms", "outcome": "accepted"}
    assert api.post("/v1/responses", told).status_code == 201
    assert [row["item"] for row in kept(api, api.operator.known)] == ["o1"]


def test_the_same_key_records_once(api: Api) -> None:
    told = {"user": text(2), "kind": "app", "item": "radio", "channel": "web", "outcome": "shown"}
    first = api.post("/v1/responses", told, headers={"Idempotency-Key": "one"})
    again = api.post("/v1/responses", told, headers={"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() | {"repeated": True} == again.json()
    assert len(kept(api, text(2))) == 1
    other = api.post("/v1/responses", told | {"outcome": "refused"}, headers={"Idempotency-Key": "one"})
    problem(other, 422, "key", error="idempotency_conflict")
    another_client = api.post("/v1/responses", told, "match", headers={"Idempotency-Key": "one"})
    assert not another_client.json()["repeated"]
    problem(api.post("/v1/responses", told, headers={"Idempotency-Key": "x" * 256}), 422, "Idempotency-Key")


GOOD = {"user": text(1), "kind": "app", "item": "maps", "channel": "sms", "outcome": "shown"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": "liked"}, "outcome"),
        ({"outcome": None}, "outcome"),
        ({"kind": None}, "kind"),
        ({"user": None}, "give decision"),
        ({"user": DIGITS}, "user"),
        ({"number": NUMBER}, "give decision"),
        ({"decision": "x"}, "leave them out"),
        ({"at": "yesterday"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": "2099-12-31T00:00:00Z"}, "is to come"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at"),
        ({"item": ""}, "item"),
        ({"channel": ""}, "channel"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_bodies(api: Api, change: dict[str, Any], words: str) -> None:
    problem(api.post("/v1/responses", GOOD | change), 422, words, error="bad_value")


def test_what_does_not_exist(api: Api) -> None:
    problem(api.post("/v1/responses", GOOD | {"item": "no-such-app"}), 404, "no-such-app")
    problem(api.post("/v1/responses", GOOD | {"user": text(90)}), 404)
    told = {"decision": "no-such-decision", "item": "maps", "channel": "sms", "outcome": "shown"}
    problem(api.post("/v1/responses", told), 404)
    decision = api.post("/v1/match", {"user": text(1), "kind": "app", "k": 1}).json()["decision"]
    problem(api.post("/v1/responses", told | {"decision": decision}), 404, "item")


def test_a_channel_is_no_number(api: Api) -> None:
    """What is sent as a channel is kept for good: a name that the feeds lack may be, a number must not."""
    before = kept(api, text(1))
    for number in (DIGITS, NUMBER):
        problem(api.post("/v1/responses", GOOD | {"channel": number}), 422, "channel", error="bad_value")
    assert kept(api, text(1)) == before
    assert api.post("/v1/responses", GOOD | {"channel": "kiosk 7"}).status_code == 201


def test_somebody_unknown_can_refuse(api: Api) -> None:
    asked = {"number": "+49 151 99999999", "kind": "offer", "k": 1}
    decision = api.post("/v1/match", asked).json()
    assert not decision["known"]
    item = decision["items"][0]["id"]
    told = {"decision": decision["decision"], "item": item, "channel": "sms", "outcome": "refused"}
    answered = api.post("/v1/responses", told)
    assert answered.status_code == 201
    assert [row["id"] for row in api.post("/v1/match", asked | {"k": 9}).json()["items"]].count(item) == 0
    rows = api.operator.store.read(
        "MATCH (u:User {user: $user}) RETURN u.off_net AS off_net", user=answered.json()["user"]
    )
    assert rows == [{"off_net": True}]
    service = api.client.app.state.service  # type: ignore[attr-defined]
    copy_to_lake(api.operator.store, service.lake)
    later = Answered()
    later.take(of_strangers(service.lake))
    assert later.of_user(from_text(answered.json()["user"])) is not None
    assert later.of_user(from_text(text(0))) is None


def test_apps_in_use_that_nobody_knows_are_not_kept(api: Api) -> None:
    used = {"used": [DIGITS, "maps", "no such app"]}
    decision = api.post("/v1/match", {"user": text(1), "kind": "app", "context": used}).json()
    assert api.get(f"/v1/decisions/{decision['decision']}").json()["request"]["used"] == ["maps"]


def test_an_answer_without_a_moment_is_of_the_day_that_matching_is_on(api: Api) -> None:
    told = api.post("/v1/responses", GOOD).json()
    assert told["at"].startswith(str(TODAY))
    service = api.client.app.state.service  # type: ignore[attr-defined]
    assert service.answered.met.count(TODAY, "sms") > 0


def test_an_answer_is_repeated_after_its_decision_has_gone(api: Api) -> None:
    decision = api.post("/v1/match", {"user": text(1), "kind": "app", "k": 1}).json()
    told = {"decision": decision["decision"], "item": decision["items"][0]["id"], "channel": "sms", "outcome": "shown"}
    first = api.post("/v1/responses", told, headers={"Idempotency-Key": "kept"})
    service = api.client.app.state.service  # type: ignore[attr-defined]
    service.decisions.prune(dt.datetime.now(dt.UTC) + dt.timedelta(days=100))
    problem(api.get(f"/v1/decisions/{decision['decision']}"), 404)
    again = api.post("/v1/responses", told, headers={"Idempotency-Key": "kept"})
    assert (again.status_code, again.json()) == (201, first.json() | {"repeated": True})
    problem(api.post("/v1/responses", told, headers={"Idempotency-Key": "another"}), 404)


def test_a_key_that_was_used_is_what_is_wrong_with_another_item(api: Api) -> None:
    decision = api.post("/v1/match", {"user": text(1), "kind": "app", "k": 1}).json()
    told = {"decision": decision["decision"], "item": decision["items"][0]["id"], "channel": "sms", "outcome": "shown"}
    api.post("/v1/responses", told, headers={"Idempotency-Key": "used"})
    for key, status, error in (("used", 422, "idempotency_conflict"), ("unused", 404, "unknown_name")):
        answer = api.post("/v1/responses", told | {"item": "another"}, headers={"Idempotency-Key": key})
        problem(answer, status, error=error)


def test_keys(api: Api) -> None:
    problem(api.post("/v1/responses", GOOD, None), 401)
    problem(api.post("/v1/responses", GOOD, "query"), 403)


def test_a_decision_can_be_looked_up(api: Api) -> None:
    decision = api.post("/v1/match", {"user": text(1), "kind": "app", "k": 2}).json()
    trace = api.get(f"/v1/decisions/{decision['decision']}", "match").json()
    assert trace["request"]["k"] == 2
    assert [item["id"] for item in trace["items"]] == [item["id"] for item in decision["items"]]
    assert "removed" in trace
    problem(api.get(f"/v1/decisions/{text(5)}"), 404, error="unknown_name")
    problem(api.get(f"/v1/decisions/{DIGITS}"), 400, error="number_in_address")
    problem(api.get(f"/v1/decisions/{decision['decision']}", None), 401)
    problem(api.get(f"/v1/decisions/{decision['decision']}", "query"), 403)


def test_an_answer_keeps_the_place_and_the_probability_of_what_was_shown(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = api.client.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service, "explore", Explore(0.2, draw=lambda: 0.19))
    found = api.post("/v1/match", {"user": text(0), "kind": "offer"}).json()
    trace = api.get(f"/v1/decisions/{found['decision']}").json()
    assert trace["explored"]
    assert [item.get("probability") for item in trace["items"]] == [0.1, None]
    assert all("probability" not in item for item in found["items"])
    for item in found["items"]:
        told = {"decision": found["decision"], "item": item["id"], "channel": "sms", "outcome": "shown"}
        assert api.post("/v1/responses", told).status_code == 201
    rows = api.operator.store.read(
        "MATCH (:User {user: $user})-[r:RESPONDED {decision: $decision}]->() "
        "RETURN r.position AS position, r.probability AS probability ORDER BY position",
        user=text(0),
        decision=found["decision"],
    )
    assert rows == [{"position": 1, "probability": 0.1}, {"position": 2, "probability": None}]
    lake = Lake(api.operator.home.lake)
    copy_to_lake(api.operator.store, lake)
    answers = read_answers(lake)
    assert answers is not None
    shown = (
        answers.filter(answers.position.notnull(), answers.user == from_text(text(0))).order_by("position").to_pyarrow()
    )
    assert shown.select(["position", "probability"]).to_pylist() == rows
    lake.drop("answers")
