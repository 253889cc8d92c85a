"""`/healthz`, `/readyz`, `/metrics`: for whoever runs the service."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs
from api.answers import answer, responses
from api.metrics import exposition
from api.problems import problem
from api.service import Service
from lake.errors import DumbbellError

router = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    summary="Whether the process answers",
    response_class=Response,
    responses=responses({"status": "alive"}),
)
async def healthz() -> Response:
    """Always 200 while the process lives; needs no key."""
    return answer({"status": "alive"})


@router.get(
    "/readyz",
    summary="Whether engine and snapshot are there",
    response_class=Response,
    responses=responses({"status": "ready", "snapshot": "3f9c2a7be1d04c55"}, 503),
)
async def readyz(request: Request) -> Response:
    """200 when the graph answers and a snapshot is loaded, else 503 saying what is missing; needs no key."""
    service: Service = request.app.state.service
    missing = []
    try:
        await anyio.to_thread.run_sync(lambda: service.store.read("RETURN 1 AS one", timeout_s=5))
    except DumbbellError:
        missing.append("the graph does not answer")
    try:
        snapshot = service.state.snapshot_id
    except DumbbellError:
        missing.append("there is no snapshot")
    if missing:
        return problem(503, f"not ready: {', '.join(missing)}; `dumbbell doctor` says more", error="not_ready")
    return answer({"status": "ready", "snapshot": snapshot})


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    dependencies=[needs("admin")],
    responses={
        200: {"description": "Prometheus' text form", "content": {"text/plain": {}}},
        **{code: found for code, found in responses({}, 401, 403).items() if code != 200},
    },
)
async def get_metrics() -> Response:
    """Requests by route and status, their time, items and answers, over all workers."""
    text, media_type = exposition()
    return Response(text, media_type=media_type)
