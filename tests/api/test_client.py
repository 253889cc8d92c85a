"""The typed client over the served API: dataclasses, problems, repetition, and no number in an address."""

import datetime as dt
import uuid
from collections.abc import Callable

import httpx
import pytest

from api.client import Client, Problem
from tests.api.conftest import DIGITS, NUMBER, Api, text


def client_of(api: Api, scope: str = "match") -> Client:
    return Client("http://testserver", api.operator.keys[scope], http=api.client)


def test_match_and_respond(api: Api) -> None:
    client = client_of(api)
    decision = client.match(user=text(0), k=2)
    assert decision.known
    assert len(decision.items) == 2
    assert decision.items[0].score >= decision.items[1].score
    assert decision.items[0].path
    told = client.respond(decision, decision.items[1], outcome="refused", channel="sms")
    assert (told.user, told.item, told.repeated) == (text(0), decision.items[1].id, False)
    again = client.match(user=text(0), k=2, used=["maps"])
    assert told.item not in [item.id for item in again.items]
    assert client.decision(decision.decision)["request"]["user"] == text(0)
    nothing = client.match(user=text(3), kind="offer")
    assert not nothing.items
    assert nothing.nothing_because


def test_many_and_by_number(api: Api) -> None:
    client = client_of(api)
    assert [d.known for d in client.match_many([text(1), text(77)], k=1)] == [True, False]
    assert client.match(number=NUMBER, kind="app").items
    at = dt.datetime(2026, 5, 31, 21, 30, tzinfo=dt.UTC)
    known = {"kind": "offer", "outcome": "ignored", "channel": "store", "number": NUMBER, "at": at, "key": "one"}
    first, second = client.tell("o1", **known), client.tell("o1", **known)  # type: ignore[arg-type]
    assert (first.at, first.repeated, second.repeated) == ("2026-05-31T21:30:00", False, True)
    assert client_of(api, "explore").customer(first.user)["user"] == first.user


def test_problems(api: Api) -> None:
    with pytest.raises(Problem, match="403 access_denied") as refused:
        client_of(api, "query").match(user=text(0))
    assert (refused.value.status, refused.value.error) == (403, "access_denied")
    with pytest.raises(Problem, match="exactly one"):
        client_of(api).match(user=text(0), number=NUMBER)
    for wrong in (DIGITS, "x" * 36):
        with pytest.raises(ValueError, match="never goes into an address") as local:
            client_of(api).customer(wrong)
        assert DIGITS not in str(local.value)


Answer = Callable[[httpx.Request], httpx.Response]


def scripted(*answers: int | type[Exception], retry_after: str | None = "7") -> tuple[Client, list[str], list[float]]:
    """A client whose requests get these statuses in turn, the keys it sent, and how long it waited."""
    left, keys, waited = list(answers), list[str](), list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        now = left.pop(0)
        if not isinstance(now, int):
            raise now("gone")
        if now == 201:
            told = {"user": text(0), "kind": "app", "item": "a", "channel": "sms", "outcome": "shown", "at": "2026"}
            return httpx.Response(201, json=told | {"decision": None, "repeated": False, "later": 1})
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return httpx.Response(now, headers=headers, json={"error": "engine_unavailable", "detail": "try again"})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Client("http://api", "db_key", http=http, retries=3, wait=waited.append), keys, waited


def tell(client: Client) -> None:
    client.tell("a", user=text(0), kind="app", outcome="shown", channel="sms")


def test_what_passes_is_sent_again_with_the_same_key() -> None:
    client, keys, waited = scripted(503, 429, httpx.ConnectError, 201)
    tell(client)
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert uuid.UUID(keys[0])
    assert waited == [7.0, 7.0, 2.0]


def test_patience_has_an_end() -> None:
    client, keys, waited = scripted(503, 503, 503, 503, retry_after=None)
    with pytest.raises(Problem, match="503 engine_unavailable: try again"):
        tell(client)
    assert (len(keys), waited) == (4, [0.5, 1.0, 2.0])
    client, keys, _ = scripted(*[httpx.ConnectError] * 4)
    with pytest.raises(httpx.ConnectError):
        tell(client)
    client, keys, waited = scripted(422)
    with pytest.raises(Problem, match="422"):
        tell(client)
    assert (len(keys), waited) == (1, [])
