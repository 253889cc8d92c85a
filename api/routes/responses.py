"""`POST /v1/responses`: what a customer answered, durable in the graph before 201 is said."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Literal, NamedTuple

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from api import metrics
from api.access import needs, note
from api.answers import answer, responses
from api.bodies import Body, described, read
from api.numbers import user_of_number, user_of_text
from api.service import Service
from lake.errors import BadValue, UnknownName
from loaders.grammar import NUMBER

AHEAD = dt.timedelta(minutes=5)
"""By how much a client's clock may be fast."""
router = APIRouter(prefix="/v1", tags=["match"])


class ResponseBody(Body):
    """An answer to an item of a decision, or, without one, of a customer to an item."""

    decision: str | None = Field(None, max_length=64, description="The `decision` of a match")
    number: str | None = Field(None, description="A telephone number, as people write it")
    user: str | None = Field(None, description="A pseudonym of 36 characters")
    kind: Literal["app", "offer"] | None = None
    item: str = Field(min_length=1, max_length=200, description="The item's id")
    channel: str = Field(min_length=1, max_length=200)
    outcome: Literal["shown", "accepted", "refused", "ignored"]
    at: str | None = Field(None, description="ISO 8601 moment, not one to come; now without it")

    @model_validator(mode="after")
    def _one_way_to_say_who(self) -> ResponseBody:
        named = sum(given is not None for given in (self.number, self.user))
        if self.decision is None and (named != 1 or self.kind is None):
            raise ValueError("give decision, or kind with one of number and user")
        if self.decision is not None and (named or self.kind):
            raise ValueError("decision already says number, user and kind: leave them out")
        return self


EXAMPLE = {
    "decision": "0190c8a2-6f0e-7b53-9d1e-1f6f3a0f7b11",
    "user": "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11",
    "kind": "offer",
    "item": "o17",
    "channel": "hotline",
    "outcome": "refused",
    "at": "2026-07-01T09:30:00",
    "repeated": False,
}


@router.post(
    "/responses",
    summary="Record what a customer answered",
    status_code=201,
    response_class=Response,
    dependencies=[needs("match")],
    responses=responses(EXAMPLE, 400, 401, 403, 404, 413, 422, 503, status=201, meaning="Durable, and in force"),
    openapi_extra=described(
        ResponseBody,
        decided={
            "decision": "0190c8a2-6f0e-7b53-9d1e-1f6f3a0f7b11",
            "item": "o17",
            "channel": "hotline",
            "outcome": "refused",
        },
        told={
            "number": "+49 151 0000001",
            "kind": "offer",
            "item": "o17",
            "channel": "store",
            "outcome": "accepted",
            "at": "2026-07-01T09:30:00Z",
        },
    )
    | {
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "Sent again with the same key, an answer is recorded once",
            }
        ]
    },
)
async def post_response(request: Request) -> Response:
    """201 when durable: a refused item is not shown again from the next match on, on every worker."""
    service: Service = request.app.state.service
    body = await read(request, ResponseBody)
    key = _key(request)
    moment = None if body.at is None else _moment(body.at, service)
    _check_channel(body.channel, service)
    asked = await anyio.to_thread.run_sync(lambda: _asked(service, body, key))
    user, kind = asked.user, asked.kind
    note(request, [user])

    def record() -> dict[str, Any]:
        return service.answers.record(
            user=user,
            kind=kind,
            item=body.item,
            channel=body.channel,
            outcome=body.outcome,
            at=moment,
            decision=body.decision,
            key=key,
            position=asked.position,
            probability=asked.probability,
            anybody=body.decision is not None,
            unless_told=service.now(),
        )

    recorded = await anyio.to_thread.run_sync(record)
    known_at = dt.datetime.fromisoformat(recorded["at"])
    service.answered.add(user, kind, body.item, body.outcome, known_at, channel=body.channel, decision=body.decision)
    service.ring()
    metrics.RESPONSES.labels(body.outcome).inc()
    return answer(recorded, 201)


class Asked(NamedTuple):
    """Who answered an item of which kind, and, of a decision's item, its place and how probable that was."""

    user: bytes
    kind: str
    position: int | None = None
    probability: float | None = None


def _asked(service: Service, body: ResponseBody, key: str | None) -> Asked:
    """Raises UnknownName for a decision, or an item, there is not; what was recorded under the key stays so, though the
    decision be forgotten."""
    if body.decision is None:
        assert body.kind is not None
        if body.number is not None:
            return Asked(user_of_number(body.number, service.pseudonyms, service.settings.country), body.kind)
        return Asked(user_of_text(body.user or ""), body.kind)
    try:
        trace = service.decisions.get(body.decision)
    except UnknownName:
        if key is None or (known := service.answers.by_key(key)) is None:
            raise
        return Asked(user_of_text(known["user"]), known["kind"])
    shown = {item["id"]: (position, item.get("probability")) for position, item in enumerate(trace["items"], 1)}
    if body.item not in shown and (key is None or service.answers.by_key(key) is None):
        raise UnknownName("the decision has no such item", "answer one of the items that it showed")
    # Of an item it does not have, under a key that was used before: the key is wrong, which recording says.
    return Asked(user_of_text(trace["request"]["user"]), trace["request"]["kind"], *shown.get(body.item, ()))


def _check_channel(name: str, service: Service) -> None:
    """Raises BadValue for a text that reads as a telephone number and is no channel: it would be kept for good."""
    if NUMBER.fullmatch(name.strip()) and name not in service.channels():
        raise BadValue("the channel looks like a telephone number", "send the name of a channel, as `sms`")


def _key(request: Request) -> str | None:
    """The client's key, hashed with the client's name: no text of a client is stored, and clients do not collide."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    if not 1 <= len(given) <= 255:
        raise BadValue("the Idempotency-Key is not usable", "send 1 to 255 characters")
    return hashlib.sha256(f"{request.state.client}\0{given}".encode()).hexdigest()[:32]


def _moment(text: str, service: Service) -> dt.datetime:
    """UTC without offset; a moment without one is in the operator's timezone. Raises BadValue, also for one to come:
    it would count as a contact on a day that nobody has seen."""
    try:
        moment = dt.datetime.fromisoformat(text)
        local = moment if moment.tzinfo else moment.replace(tzinfo=service.settings.zone)
        found = local.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise BadValue("`at` is not a moment", "send one like 2026-07-01T09:30:00Z") from None
    now = max(service.now(), dt.datetime.now(dt.UTC).replace(tzinfo=None))
    if found > now + AHEAD:
        raise BadValue(
            f"`at` is to come: {found:%Y-%m-%dT%H:%M:%S} UTC, and it is {now:%Y-%m-%dT%H:%M:%S}",
            "send when the customer answered, or leave it out for now",
        )
    return found
