"""A typed client of the API: what it answers as dataclasses, its problems as exceptions, patience built in.

    with Client("http://127.0.0.1:8000", key) as client:
        decision = client.match(user=user, kind="offer", k=1, channel="hotline")
        client.respond(decision, decision.items[0], outcome="refused", channel="hotline")

A request that is answered 429 or 503, or not at all, is sent again after what `Retry-After` says. That is safe: a match
may be asked for twice, and a response carries an idempotency key, so that it is recorded once. A number goes into a
body only; what would put one into an address raises ValueError before anything is sent.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Literal, TypeVar

import httpx

Kind = Literal["app", "offer"]
Outcome = Literal["shown", "accepted", "refused", "ignored"]
T = TypeVar("T")

LATER = (429, 503)
WAIT_S, MOST_S = 0.5, 30.0
"""Before the first repetition where the answer does not say how long, doubled each time; and at most."""


@dataclass(frozen=True)
class Item:
    """One item of a decision: what to show, through which channel, why, and the path in the graph behind it."""

    id: str
    score: float
    channel: str | None
    reason: str
    script: str | None
    path: list[dict[str, Any]]


@dataclass(frozen=True)
class Decision:
    """An answer of `match`: items by falling score, or why there is nothing to show."""

    decision: str
    snapshot: str
    known: bool
    items: list[Item]
    nothing_because: str | None = None


@dataclass(frozen=True)
class Recorded:
    """A customer's answer as it is kept; `repeated` where it was known already."""

    user: str
    kind: Kind
    item: str
    channel: str
    outcome: Outcome
    at: str
    decision: str | None
    repeated: bool


class Problem(Exception):
    """A problem document (RFC 9457): `status`, the stable code `error`, and `detail` with a remedy."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        self.status, self.error, self.detail = status, error, detail
        super().__init__(f"{status} {error}: {detail}")


class Client:
    """Calls the API at `address` with one key; `with` closes its connections. Safe to share between threads.

    `retries` is how often a request is sent again. `http` and `wait` can be given in place of its own.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        retries: int = 4,
        timeout_s: float = 30.0,
        http: httpx.Client | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._retries = retries
        self._http = httpx.Client(timeout=timeout_s) if http is None else http
        self._wait = wait

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def match(
        self,
        *,
        user: str | None = None,
        number: str | None = None,
        kind: Kind = "app",
        k: int = 10,
        channel: str | None = None,
        slots: int | None = None,
        used: Sequence[str] = (),
    ) -> Decision:
        """What to show one customer, named by pseudonym or by number."""
        return _decision(self._match({"user": user, "number": number}, kind, k, channel, slots, used))

    def match_many(
        self,
        users: Sequence[str],
        *,
        kind: Kind = "app",
        k: int = 10,
        channel: str | None = None,
        slots: int | None = None,
    ) -> list[Decision]:
        """What to show each of up to 1000 customers, in order."""
        found = self._match({"users": list(users)}, kind, k, channel, slots, ())
        return [_decision(one) for one in found["decisions"]]

    def respond(
        self,
        decision: Decision | str,
        item: Item | str,
        *,
        outcome: Outcome,
        channel: str,
        at: dt.datetime | None = None,
        key: str | None = None,
    ) -> Recorded:
        """Record what a customer answered to an item of a decision; durable when this returns.

        `key` makes it one answer however often it is sent: give your own where a caller may come again, else one is
        made for this call.
        """
        decision = decision.decision if isinstance(decision, Decision) else decision
        return self._respond({"decision": decision}, item, outcome, channel, at, key)

    def tell(
        self,
        item: str,
        *,
        kind: Kind,
        outcome: Outcome,
        channel: str,
        user: str | None = None,
        number: str | None = None,
        at: dt.datetime | None = None,
        key: str | None = None,
    ) -> Recorded:
        """Record what a customer answered without having been matched."""
        return self._respond({"user": user, "number": number, "kind": kind}, item, outcome, channel, at, key)

    def decision(self, id: str) -> dict[str, Any]:
        """The trace of a decision: what was asked, what each rule removed, the factors of each score."""
        found: dict[str, Any] = self._call("GET", f"/v1/decisions/{_pseudonym(id)}")
        return found

    def customer(self, user: str) -> dict[str, Any]:
        """One view of a customer (scope `explore`)."""
        found: dict[str, Any] = self._call("GET", f"/v1/users/{_pseudonym(user)}")
        return found

    def _match(
        self, who: dict[str, Any], kind: Kind, k: int, channel: str | None, slots: int | None, used: Sequence[str]
    ) -> Any:
        body = {**who, "kind": kind, "k": k, "channel": channel, "slots": slots, "context": {"used": list(used)}}
        return self._call("POST", "/v1/match", body)

    def _respond(
        self,
        who: dict[str, Any],
        item: Item | str,
        outcome: Outcome,
        channel: str,
        at: dt.datetime | None,
        key: str | None,
    ) -> Recorded:
        moment = (dt.datetime.now(dt.UTC) if at is None else at).isoformat()
        named = item.id if isinstance(item, Item) else item
        body = {**who, "item": named, "outcome": outcome, "channel": channel, "at": moment}
        return _made(Recorded, self._call("POST", "/v1/responses", body, {"Idempotency-Key": key or uuid.uuid4().hex}))

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The JSON of a good answer. Raises Problem, or httpx.TransportError, when patience has an end."""
        given = None if body is None else {name: value for name, value in body.items() if value is not None}
        for attempt in range(self._retries + 1):
            pause = min(WAIT_S * 2**attempt, MOST_S)
            try:
                answer = self._http.request(
                    method, self._address + path, json=given, headers=self._headers | (headers or {})
                )
            except httpx.TransportError:
                if attempt == self._retries:
                    raise
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code not in LATER or attempt == self._retries:
                    raise _problem(answer)
                said = answer.headers.get("Retry-After", "")
                pause = min(float(said), MOST_S) if said.isdigit() else pause
            self._wait(pause)
        raise AssertionError("unreachable")


def _problem(answer: httpx.Response) -> Problem:
    try:
        body = answer.json()
        return Problem(answer.status_code, body["error"], body["detail"])
    except (ValueError, KeyError, TypeError):  # something between here and there answered
        return Problem(answer.status_code, "failed", "the answer is no problem document")


def _decision(body: dict[str, Any]) -> Decision:
    return _made(Decision, {**body, "items": [_made(Item, item) for item in body["items"]]})


def _made(kind: type[T], body: dict[str, Any]) -> T:
    """A dataclass from JSON; what later versions of the API add is left out."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in body.items() if name in names})


def _pseudonym(text: str) -> str:
    try:
        if len(text) != 36:
            raise ValueError
        return str(uuid.UUID(text))
    except ValueError:
        raise ValueError("this is no pseudonym of 36 characters; a number never goes into an address") from None
