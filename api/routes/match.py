"""`POST /v1/match`: what to show a customer, here and now, and why."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from api import metrics
from api.access import KEYED, allowed, note
from api.answers import prebuilt, responses
from api.bodies import Body, described, read
from api.direct import Direct
from api.numbers import user_of_number, user_of_text
from api.service import Service
from matching.decision import MatchRequest
from matching.written import Written

router = APIRouter(prefix="/v1", tags=["match"], route_class=Direct)

MOST_USERS = 1000
MOST_ITEMS = 1_000_000
"""More than any catalogue: a k beyond what there is gives what there is."""


class Context(Body):
    used: list[str] = Field(default_factory=list, description="Apps used since the snapshot")


class MatchBody(Body):
    """Who asks for what: exactly one of `number`, `user` and `users`."""

    number: str | None = Field(None, description="A telephone number, as people write it")
    user: str | None = Field(None, description="A pseudonym of 36 characters")
    users: list[str] | None = Field(None, max_length=MOST_USERS, description="Pseudonyms; one decision each, in order")
    kind: Literal["app", "offer"]
    k: int = Field(10, ge=1, description="At most so many items")
    channel: str | None = Field(None, description="The channel that asks; empty: the best for the customer")
    slots: int | None = Field(None, ge=1, description="Places to fill on that channel")
    context: Context = Field(default_factory=Context)

    @model_validator(mode="after")
    def _one_way_to_say_who(self) -> MatchBody:
        if (self.number is None) + (self.user is None) + (self.users is None) != 2:
            raise ValueError("give exactly one of number, user and users")
        return self


EXAMPLE = {
    "decision": "0190c8a2-6f0e-7b53-9d1e-1f6f3a0f7b11",
    "snapshot": "3f9c2a7be1d04c55",
    "known": True,
    "items": [
        {
            "id": "maps",
            "score": 0.71,
            "channel": "app",
            "reason": "4 of the 9 people you call most use it",
            "script": None,
            "path": ["User", "CALLS", "User", "USES_APP", "App"],
        }
    ],
}


@router.post(
    "/match",
    summary="What to show a customer, and why",
    response_class=Response,
    responses=responses(EXAMPLE, 400, 401, 403, 404, 413, 422, 503),
    openapi_extra=KEYED
    | described(
        MatchBody,
        apps={"user": "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11", "kind": "app", "k": 3},
        offer={"number": "+49 151 0000001", "kind": "offer", "k": 1, "channel": "hotline"},
    ),
)
async def post_match(request: Request) -> Response:
    """Items by falling score, each with its reason, script and path in the graph; an empty answer says why."""
    service: Service = request.app.state.service
    allowed(request, "match")
    body = await read(request, MatchBody)
    if body.users is not None:
        users = [user_of_text(text, "users") for text in body.users]
        note(request, users)
        decisions = await _decide(service, body, users)
        return prebuilt(b'{"decisions":[%b]}' % b",".join(decision.answer() for decision in decisions))
    if body.number is not None:
        user = user_of_number(body.number, service.pseudonyms, service.settings.country)
    else:
        user = user_of_text(body.user or "")
    note(request, [user])
    return prebuilt((await _decide(service, body, [user]))[0].answer())


async def _decide(service: Service, body: MatchBody, users: list[bytes]) -> list[Written]:
    """Decisions, in order, kept before they are answered."""
    decisions = []
    for user in users:
        asked = MatchRequest(
            user=user,
            kind=body.kind,
            k=min(body.k, MOST_ITEMS),
            channel=body.channel,
            slots=None if body.slots is None else min(body.slots, MOST_ITEMS),
            context_used=tuple(body.context.used),
        )
        decisions.append(service.write(asked))
    await service.traces.keep(decisions)
    metrics.shown(body.kind, sum(decision.items for decision in decisions))
    return decisions
