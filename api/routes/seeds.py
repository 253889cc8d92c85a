"""`POST /v1/influence/seeds`: whom to tell of an offer first."""

from __future__ import annotations

from typing import Literal

import anyio.to_thread
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from api.access import needs, note
from api.answers import answer, responses
from api.bodies import Body, described, read
from api.service import Service
from graph.calls.influence.seeds import Seeds, seeds
from lake.errors import BadValue
from lake.pseudonyms import from_text, to_text
from matching.eligibility import who_may

router = APIRouter(prefix="/v1", tags=["explore"])

MOST_SEEDS = 1000
MOST_RUNS = 100_000


class SeedsBody(Body):
    """An offer, and either how many seeds or a budget for them."""

    offer: str = Field(description="Only customers who may be shown this offer are seeds")
    k: int | None = Field(None, ge=1, le=MOST_SEEDS, description="How many seeds")
    budget: float | None = Field(None, gt=0, description="What the seeds may cost together, in place of `k`")
    cost: float = Field(1.0, ge=0, description="What a seed costs")
    costs: dict[str, float] = Field(default_factory=dict, description="What single customers cost instead")
    model: Literal["cascade", "threshold"] = "cascade"
    weights: Literal["strength", "learned"] = Field("strength", description="Chances by calls, or by past adoptions")
    epsilon: float = Field(0.1, ge=0.02, lt=0.63, description="Share of the best spread that may be missed")
    delta: float = Field(0.01, gt=0, lt=1, description="Probability that the guarantee fails")
    runs: int = Field(10_000, ge=2, le=MOST_RUNS, description="Cascades simulated for the expected spread")
    seed: int = Field(0, ge=0, lt=2**31, description="Same seed, same answer")

    @model_validator(mode="after")
    def _number_or_budget(self) -> SeedsBody:
        if (self.k is None) == (self.budget is None):
            raise ValueError("give exactly one of k and budget")
        return self


EXAMPLE = {
    "offer": "spring-10gb",
    "seeds": [{"user": "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11", "gain": 6.1}],
    "spread": {"mean": 6.0, "low": 5.9, "high": 6.1, "runs": 10000},
    "eligible": 1204,
    "guarantee": {"ratio": 0.532, "probability": 0.99},
}


@router.post(
    "/influence/seeds",
    summary="Whom to tell of an offer first",
    response_class=Response,
    dependencies=[needs("explore")],
    responses=responses(EXAMPLE, 400, 401, 403, 404, 413, 422, 503),
    openapi_extra=described(
        SeedsBody,
        number={"offer": "spring-10gb", "k": 10},
        budget={"offer": "spring-10gb", "budget": 100.0, "cost": 2.5, "model": "threshold"},
    ),
)
async def post_seeds(request: Request) -> Response:
    """Seeds in the order chosen, each with the spread it adds; the expected spread of all with its 95 % interval.

    Seeds are customers who may be shown the offer now; reached are customers who adopt it if the chances hold.
    """
    service: Service = request.app.state.service
    body = await read(request, SeedsBody)
    found = await anyio.to_thread.run_sync(lambda: _choose(service, body))
    users = to_text(found.users).to_pylist()
    note(request)
    ratio = (1 - 1 / np.e) * (1 if body.k else 0.5) - body.epsilon
    return answer(
        {
            "offer": body.offer,
            "seeds": [
                {"user": user, "gain": round(float(gain), 3)} for user, gain in zip(users, found.gains, strict=True)
            ],
            "spread": {name: round(getattr(found.spread, name), 3) for name in ("mean", "low", "high", "runs")},
            "eligible": found.eligible,
            "guarantee": {"ratio": round(max(0.0, ratio), 3), "probability": 1 - body.delta},
        }
    )


def _choose(service: Service, body: SeedsBody) -> Seeds:
    eligible = who_may(service.state, "offer", body.offer)
    costs = np.full(len(eligible), body.cost)
    for text, cost in body.costs.items():
        try:
            key = np.frombuffer(from_text(text), "S16")[0]
        except ValueError:
            raise BadValue("`costs` names a customer by what is no pseudonym", "use 36 characters") from None
        place = np.searchsorted(eligible, key)
        if place < len(eligible) and eligible[place] == key:
            costs[place] = cost
    users = pa.array([key.ljust(16, b"\0") for key in eligible.tolist()], pa.binary())
    return seeds(
        service.reach(body.weights),
        body.k,
        eligible=users,
        budget=body.budget,
        cost=costs if body.budget else None,
        model=body.model,
        epsilon=body.epsilon,
        delta=body.delta,
        runs=body.runs,
        seed=body.seed,
    )
