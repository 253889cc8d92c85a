"""`/v1/influence/…` and `/v1/users/{user}`: the call graph around customers, and one view of a customer."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import portrait
from api.access import needs, note
from api.answers import answer, responses
from api.numbers import user_in_address
from api.paging import cursor_of, limit_of, next_of
from api.service import Service
from graph.calls import explore
from lake.errors import BadValue
from lake.pseudonyms import from_text
from lake.tables import Lake

router = APIRouter(prefix="/v1", tags=["explore"])

_USER = "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11"
_OTHER = "b1e0d6c4-52f3-4a5e-9d3c-7f6a0c2e9d10"

LEADERS = """
MATCH (user:User)
WHERE user.leaders_rank > $after AND ($community = '' OR user.communities_community = $community)
  AND user.consent AND NOT user.off_net
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left'
  AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.leaders_rank AS rank, user.leaders_score AS score,
       user.communities_community AS community, user.leaders_community_rank AS community_rank,
       user.leaders_pagerank AS pagerank, user.leaders_core AS core, user.leaders_brokerage AS brokerage,
       user.leaders_reach AS reach, user.leaders_adoptions_led AS adoptions_led, user.leaders_evidence AS evidence
ORDER BY user.leaders_rank LIMIT $limit
"""


@router.get(
    "/influence/leaders",
    summary="Opinion leaders, the first first",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(
        {"items": [{"user": _USER, "rank": 1, "score": 0.98, "community": "c12", "community_rank": 1}], "next": None},
        401, 403, 422, 503,
    ),
)  # fmt: skip
async def get_leaders(
    request: Request, community: str = "", limit: str | None = None, cursor: str | None = None
) -> Response:
    """Customers by rank in the network, or of one `community`, without those who do not consent or have left."""
    service: Service = request.app.state.service
    most, after = limit_of(limit), cursor_of(cursor)
    note(request)
    rows = await anyio.to_thread.run_sync(
        lambda: service.store.read(LEADERS, after=after, community=community, today=service.today(), limit=most + 1)
    )
    more = len(rows) > most
    items = rows[:most]
    return answer({"items": items, "next": next_of(items[-1]["rank"]) if more else None})


@router.get(
    "/influence/ego/{user}",
    summary="The people around a customer",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(
        {
            "user": _USER,
            "hops": 1,
            "periods": ["2026-06"],
            "nodes": [
                {"user": _USER, "hop": 0, "off_net": False, "left": False, "community": "f12", "strength": 0},
                {"user": _OTHER, "hop": 1, "off_net": False, "left": False, "community": "f12", "strength": 14},
            ],
            "links": [{"user": _USER, "contact": _OTHER, "period": "2026-06", "calls_out": 9, "calls_in": 5}],
            "capped": False,
            "withheld": 0,
        },
        400, 401, 403, 404, 422, 503,
    ),
)  # fmt: skip
async def get_ego(
    request: Request, user: str, hops: str = "1", periods: str | None = None, limit: str | None = None
) -> Response:
    """One or two `hops`, over all `periods` or those named (`2026-05,2026-06`); at most `limit` people.

    `capped` where there are more, `withheld` people who do not consent are left out, who left is marked.
    """
    service: Service = request.app.state.service
    who = from_text(user_in_address(user))
    if hops not in ("1", "2"):
        raise BadValue("`hops` is not usable", "send 1 or 2")
    wanted = None if not periods else periods.split(",")
    most = limit_of(limit)
    note(request, [who])
    # A lake of its own: its connection is not shared between threads.
    return answer(
        await anyio.to_thread.run_sync(lambda: explore.ego(Lake(service.home.lake), who, int(hops), wanted, most))
    )


@router.get(
    "/users/{user}",
    summary="One view of a customer",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(
        {
            "user": _USER,
            "portrait": {"city": "Berlin", "arpu": 30.0, "consent": True},
            "handset": {"handset": "35000001", "brand": "Nova", "model": "Nova 1", "since": "2026-01-01"},
            "apps": [{"app": "maps", "name": "Maps", "sessions": 12, "last_at": "2026-06-30T18:00:00+00:00"}],
            "products": [],
            "channels": [{"channel": "app", "name": "App", "touches": 10, "hours": [18, 9]}],
            "segment": "s1",
            "circle": {"contacts": 9, "shrinking": False},
            "community": {"community": "c12", "size": 31},
            "leader": {"rank": 12},
            "churn": {"stage": "stable", "probability": 0.01, "decile": 7, "period": "2026-06", "reasons": []},
            "scores": {"data_pack": {"probability": 0.4, "decile": 1, "reasons": ["has used 95% of the plan's data"]}},
            "places": {"work_cell": "c17", "rest_cell": "c3", "weekday_store": "st1", "radius_km": 4.2},
            "returning": [],
            "formerly": [],
            "matches": {"app": [], "offer": []},
        },
        400, 401, 403, 404, 422, 503,
    ),
)  # fmt: skip
async def get_user(request: Request, user: str) -> Response:
    """Portrait, handset, apps, products, best channels and hours, circle, community, churn with its reasons, scores,
    places, current matches; the numbers that a customer who left may have now, and who a customer was before."""
    service: Service = request.app.state.service
    who = user_in_address(user)
    note(request, [who])
    return answer(await anyio.to_thread.run_sync(lambda: portrait.portrait(service, who, service.today())))
