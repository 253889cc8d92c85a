"""`GET /v1/churn` and `GET /v1/returning`: who may leave, and who left and may have come back."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs, note
from api.answers import answer, responses
from api.paging import limit_of, mark_of, next_after
from api.service import Service
from graph import lists
from graph.calls.forecasts import reports
from lake.errors import BadValue
from lake.pseudonyms import from_text
from lake.tables import Lake

router = APIRouter(prefix="/v1", tags=["explore"])

_USER = "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11"
_OTHER = "b1e0d6c4-52f3-4a5e-9d3c-7f6a0c2e9d10"

CHURN = {
    "items": [
        {
            "user": _USER,
            "probability": 0.42,
            "decile": 1,
            "stage": "circle",
            "period": "2026-06",
            "community": "f12",
            "segment": "maps in Berlin",
            "reasons": [
                {
                    "feature": "circle",
                    "contribution": 0.9,
                    "words": "no longer speaks with 6 of the 9 people of the period before",
                }
            ],
        }
    ],
    "next": None,
    "no_probability_because": None,
}
RETURNING = {
    "items": [
        {
            "user": _USER,
            "left_on": "2026-04-12",
            "candidates": [
                {"candidate": _OTHER, "score": 0.93, "shared_contacts": 7, "rank": 1, "off_net": True},
            ],
        }
    ],
    "next": None,
}


@router.get(
    "/churn",
    summary="Who may leave, and why",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(CHURN, 401, 403, 422, 503),
)
async def get_churn(
    request: Request,
    stage: str | None = None,
    decile: str | None = None,
    segment: str | None = None,
    community: str | None = None,
    period: str | None = None,
    limit: str | None = None,
    cursor: str | None = None,
) -> Response:
    """Customers by falling probability to leave in the next two periods; those without one after them, by stage.

    Keeps to a `stage`, `decile`, `segment`, `community` or last known `period`. Who does not consent, or has left, is
    not listed. Without enough history nobody has a probability, and `no_probability_because` says what is missing.
    """
    service: Service = request.app.state.service
    most, mark = limit_of(limit), mark_of(cursor, float, str, str)
    wanted: dict[str, Any] = {"segment": segment, "community": community, "period": period}
    wanted |= {"stage": _stage(stage), "decile": _decile(decile)}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    after = None if mark is None else (mark[0], _stage(mark[1]), mark[2] or "")

    def read() -> Response:
        lists.require(service.lake, "churn")
        items, last = lists.at_risk(service.store, service.today(), most, after, **wanted)
        why = reports.kept(service.lake).get("churn", {}).get("off")
        return answer({"items": items, "next": last and next_after(*last), "no_probability_because": why})

    note(request)
    return await anyio.to_thread.run_sync(read)


@router.get(
    "/returning",
    summary="Who left and may have come back",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(RETURNING, 401, 403, 422, 503),
)
async def get_returning(request: Request, limit: str | None = None, cursor: str | None = None) -> Response:
    """Customers who left, the surest first, each with the numbers that they may have now.

    `score` is the probability that both are one person, `shared_contacts` how many contacts both talk to. Neither a
    customer nor a candidate who does not consent is named.
    """
    service: Service = request.app.state.service
    most, mark = limit_of(limit), mark_of(cursor, float, str)
    after = None if mark is None else _score_and_user(mark)

    def read() -> Response:
        # A lake of its own: its connection is not shared between threads.
        items, last = lists.returned(Lake(service.home.lake), service.store, service.today(), most, after)
        return answer({"items": items, "next": last and next_after(*last)})

    note(request)
    return await anyio.to_thread.run_sync(read)


def _stage(text: str | None) -> str | None:
    if text not in (None, *lists.STAGES):
        raise BadValue("`stage` is not usable", f"send one of {', '.join(lists.STAGES)}; who has left is not listed")
    return text


def _decile(text: str | None) -> int | None:
    if text is None:
        return None
    if text not in map(str, range(1, 11)):
        raise BadValue("`decile` is not usable", "send a whole number from 1, the most likely tenth, to 10")
    return int(text)


def _score_and_user(mark: list[Any]) -> tuple[float, str]:
    score, user = mark
    try:
        from_text(user)
        return float(score), user
    except (TypeError, ValueError, AttributeError):
        raise BadValue("`cursor` is not usable", "send the `next` of the page before, unchanged") from None
