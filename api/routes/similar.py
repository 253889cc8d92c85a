"""`GET /v1/apps/{app}/similar` and `POST /v1/users/similar`: apps used alike, and customers like those of a list."""

from __future__ import annotations

import anyio.to_thread
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from api.access import needs, note
from api.answers import answer, responses
from api.bodies import Body, described, read
from api.numbers import user_of_text, users_of_numbers
from api.paging import page
from api.problems import masked
from api.service import Service
from lake.errors import UnknownName
from lake.pseudonyms import to_text

router = APIRouter(prefix="/v1", tags=["explore"])

MOST_LISTED = 10_000
MOST = 10_000

_USER = "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11"
_OTHER = "b1e0d6c4-52f3-4a5e-9d3c-7f6a0c2e9d10"

APPS = {"items": [{"app": "radio", "name": "Radio", "category": "music", "score": 0.83}], "next": None}
USERS = {"items": [{"user": _OTHER, "score": 0.61}], "next": None, "listed": 2, "known": 1}


class SimilarBody(Body):
    """A list of customers, by pseudonym, by number, or both."""

    users: list[str] = Field(default_factory=list, max_length=MOST_LISTED, description="Pseudonyms of 36 characters")
    numbers: list[str] = Field(
        default_factory=list, max_length=MOST_LISTED, description="Numbers, as people write them"
    )
    k: int = Field(100, ge=1, le=MOST, description="How many customers in all")

    @model_validator(mode="after")
    def _somebody(self) -> SimilarBody:
        if not self.users and not self.numbers:
            raise ValueError("name somebody in users or numbers")
        return self


@router.get(
    "/apps/{app}/similar",
    summary="Apps that are used alike",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(APPS, 401, 403, 404, 422, 503),
)
async def get_similar_apps(
    request: Request, app: str, k: int = Query(100, ge=1, le=MOST), limit: str | None = None, cursor: str | None = None
) -> Response:
    """The `k` apps nearest to one in how customers use them, best first, popular ones no more than others; none where
    nothing is known of the app. `score` is 1 for the same use and 0 for unrelated use."""
    service: Service = request.app.state.service
    state = service.state
    place = state.places("app").get(app)
    if place is None:
        raise UnknownName(f"there is no app {masked(app)!r}", "name one of the feed `apps`, or one that customers use")
    apps, scores = await anyio.to_thread.run_sync(lambda: service.likeness.of(state)[0].apps_like(place, k))
    names = [None if at < 0 else state.categories[int(at)].as_py() for at in state.apps.category[apps]]
    items = [
        {
            "app": state.apps.ids[int(i)].as_py(),
            "name": state.apps.names[int(i)].as_py(),
            "category": name,
            "score": score,
        }
        for i, name, score in zip(apps, names, scores.tolist(), strict=True)
    ]
    return answer(page(items, limit, cursor))


@router.post(
    "/users/similar",
    summary="Customers like those of a list",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(USERS, 400, 401, 403, 413, 422, 503),
    openapi_extra=described(
        SimilarBody, users={"users": [_USER, _OTHER], "k": 50}, numbers={"numbers": ["+49 151 0000001"]}
    ),
)
async def post_similar_users(request: Request, limit: str | None = None, cursor: str | None = None) -> Response:
    """The `k` customers most like those of the list and not on it, best first, who consent and have not left.

    `listed` counts the list, each customer once, `known` those of them whose use tells something; nobody where
    none does. `score` is the cosine with the way in which the list differs from the average customer.
    """
    service: Service = request.app.state.service
    body = await read(request, SimilarBody)
    wanted = {user_of_text(text, "users") for text in body.users}
    if body.numbers:
        wanted |= set(users_of_numbers(body.numbers, service.pseudonyms, service.settings.country))
    note(request, sorted(wanted))
    found = await anyio.to_thread.run_sync(lambda: _look_alikes(service, wanted, body.k))
    return answer({**page(found[0], limit, cursor), "listed": len(wanted), "known": found[1]})


def _look_alikes(service: Service, wanted: set[bytes], k: int) -> tuple[list[dict[str, object]], int]:
    state = service.state
    alike, listable = service.likeness.of(state)
    customers, row = state.customers, state.vectors.row
    listed = row[[customers.position(user) for user in sorted(wanted)]]
    may = np.flatnonzero(listable & (row >= 0)[: customers.n])
    rows, scores = alike.customers_like(listed[listed >= 0], row[may].astype(np.int64), k)
    users = customers.users[may[np.searchsorted(row[may], rows)]]
    names = to_text(pa.array([user.ljust(16, b"\0") for user in users.tolist()], pa.binary())).to_pylist()
    items: list[dict[str, object]] = [
        {"user": user, "score": score} for user, score in zip(names, scores.tolist(), strict=True)
    ]
    return items, alike.told(listed[listed >= 0].astype(np.int64))
