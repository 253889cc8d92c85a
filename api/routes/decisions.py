"""`GET /v1/decisions/{id}`: why a match answered what it did."""

from __future__ import annotations

import uuid

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs, note
from api.answers import answer, responses
from api.problems import NumberInAddress
from api.routes.match import EXAMPLE
from api.service import Service

router = APIRouter(prefix="/v1", tags=["match"])


@router.get(
    "/decisions/{id}",
    summary="The trace of a decision",
    response_class=Response,
    dependencies=[needs("match")],
    responses=responses(
        EXAMPLE | {"candidates": 25000, "removed": {"used": 31}, "barred": {}, "explored": False},
        400,
        401,
        403,
        404,
        422,
        503,
    ),
)
async def get_decision(request: Request, id: str) -> Response:
    """What was asked, how much each rule removed and which offers, the factors of each score, and whether the first
    offer was left to chance. Kept 90 days."""
    service: Service = request.app.state.service
    try:
        if len(id) != 36:
            raise ValueError
        uuid.UUID(id)
    except ValueError:
        raise NumberInAddress("the address names no decision", "ask with the `decision` of a match") from None
    trace = await anyio.to_thread.run_sync(service.decisions.get, id.lower())
    user = trace["request"]["user"]
    note(request, [] if user is None else [user])
    return answer(trace)
