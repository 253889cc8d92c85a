"""`POST /v1/match`: one customer, many, a number; absence, refusal and bad bodies."""

from typing import Any

import pytest

from tests.api.conftest import DIGITS, NUMBER, Api, problem, text


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def test_a_customer_gets_items_with_reason_and_path(api: Api) -> None:
    answer = api.post("/v1/match", {"user": text(0), "kind": "app"}, "match")
    assert answer.status_code == 200
    body = answer.json()
    assert ids(body["items"]) == ["game", "chat", "radio"]
    assert body["known"]
    assert body["snapshot"]
    for item in body["items"]:
        assert set(item) == {"id", "score", "channel", "reason", "script", "path"}
        assert item["reason"]
        assert item["path"]


def test_k_and_context(api: Api) -> None:
    assert ids(api.post("/v1/match", {"user": text(0), "kind": "app", "k": 1}).json()["items"]) == ["game"]
    assert len(api.post("/v1/match", {"user": text(0), "kind": "app", "k": 10**12}).json()["items"]) == 3
    asked = {"user": text(0), "kind": "app", "context": {"used": ["game"]}}
    assert "game" not in ids(api.post("/v1/match", asked).json()["items"])


def test_many_customers_in_order(api: Api) -> None:
    asked = {"users": [text(1), text(0), text(77)], "kind": "app", "k": 1}
    decisions = api.post("/v1/match", asked).json()["decisions"]
    single = [api.post("/v1/match", {"user": u, "kind": "app", "k": 1}).json()["items"] for u in asked["users"]]
    assert [d["items"] for d in decisions] == single
    assert [d["known"] for d in decisions] == [True, True, False]
    assert api.post("/v1/match", {"users": [], "kind": "app"}).json() == {"decisions": []}


@pytest.mark.parametrize("number", [NUMBER, f"+{DIGITS}", "0049 151 00000001", "0151/000 00001"])
def test_a_number_is_the_pseudonym_that_loading_gave_it(api: Api, number: str) -> None:
    answer = api.post("/v1/match", {"number": number, "kind": "app", "k": 1})
    trace = api.get(f"/v1/decisions/{answer.json()['decision']}").json()
    assert trace["request"]["user"] == api.operator.known


def test_an_unknown_number_gets_fallback_items(api: Api) -> None:
    body = api.post("/v1/match", {"number": "+1 202 555 0100", "kind": "app", "k": 2}).json()
    assert not body["known"]
    assert ids(body["items"]) == ["game", "chat"]


def test_nothing_says_why(api: Api) -> None:
    body = api.post("/v1/match", {"user": text(3), "kind": "offer"}).json()
    assert body["items"] == []
    assert body["nothing_because"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"user": text(0)}, "kind"),
        ({"user": text(0), "kind": "song"}, "kind"),
        ({"user": text(0), "kind": "app", "k": 0}, "k"),
        ({"user": text(0), "kind": "app", "k": "3"}, "k"),
        ({"user": text(0), "kind": "app", "slots": 0}, "slots"),
        ({"user": text(0), "kind": "app", "colour": "red"}, "colour"),
        ({"kind": "app"}, "exactly one"),
        ({"user": text(0), "number": NUMBER, "kind": "app"}, "exactly one"),
        ({"user": DIGITS, "kind": "app"}, "user"),
        ({"users": [text(0), DIGITS], "kind": "app"}, "users"),
        ({"users": [text(0)] * 1001, "kind": "app"}, "users"),
        ({"number": "49151x", "kind": "app"}, "number"),
        ({"number": "1234567890123456", "kind": "app"}, "number"),
        ({"number": 4915100000001, "kind": "app"}, "number"),
        ({"user": text(0), "kind": "app", DIGITS: 1}, "…"),
        ([], "object"),
        ("text", "object"),
    ],
)
def test_bad_bodies(api: Api, body: Any, words: str) -> None:
    problem(api.post("/v1/match", body), 422, words, error="bad_value")


@pytest.mark.parametrize("content", [b"", b"{", b'{"user": "\xff"}', b'{"k": NaN}'])
def test_what_is_no_json(api: Api, content: bytes) -> None:
    answer = api.client.post("/v1/match", content=content, headers=api.operator.headers("match"))
    problem(answer, 422, "not JSON")


def test_an_unknown_channel(api: Api) -> None:
    problem(api.post("/v1/match", {"user": text(0), "kind": "app", "channel": "pigeon"}), 404, "pigeon", "sms")


def test_too_large_a_body(api: Api) -> None:
    answer = api.client.post("/v1/match", content=b" " * 8_000_001, headers=api.operator.headers("match"))
    problem(answer, 413, error="too_large")

    def parts() -> Any:
        for _ in range(9):
            yield b" " * 1_000_000

    answer = api.client.post("/v1/match", content=parts(), headers=api.operator.headers("match"))
    problem(answer, 413, error="too_large")


def test_keys(api: Api) -> None:
    asked = {"user": text(0), "kind": "app"}
    problem(api.post("/v1/match", asked, None), 401, error="access_denied")
    problem(api.post("/v1/match", asked, "query"), 403, "match", error="access_denied")
    for wrong in ("Bearer db_wrong", "Bearer ", "Basic abc", f"Token {api.operator.keys['match']}"):
        answer = api.client.post("/v1/match", json=asked, headers={"Authorization": wrong})
        problem(answer, 401, error="access_denied")
    answer = api.client.post("/v1/match", content=b"{", headers={"Authorization": "Bearer db_wrong"})
    problem(answer, 401)
