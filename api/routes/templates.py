"""`GET /v1/templates`, `POST /v1/templates/{name}`: list them; run one, streamed in the form asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from api.access import needs, note
from api.answers import answer, responses
from api.bodies import Body, described, read
from api.paging import page
from api.problems import NotAcceptable
from api.service import Service
from cypher.catalogue import Template, find
from cypher.output import FORMATS
from cypher.parameters import parse_json
from cypher.run import Result, run
from cypher.types import LISTS

router = APIRouter(prefix="/v1", tags=["templates"])

_SHOWN = {
    "name": "shrinking_circles",
    "group": "churn",
    "title": "Customers whose circle shrinks",
    "purpose": "…",
    "parameters": [
        {"name": "limit", "type": "integer", "required": False, "default": 1000, "allowed": "…", "meaning": "…"}
    ],
    "columns": [{"name": "user", "type": "user", "meaning": "…"}],
}
_ANSWER = {
    "template": "shrinking_circles",
    "columns": [{"name": "user", "type": "user"}],
    "items": [{"user": "6f1c0a52-9a53-4b1d-8f57-0d2f9a5b7c11"}],
    "truncated": False,
    "next": None,
}


class RunBody(Body):
    parameters: dict[str, Any] = Field(default_factory=dict, description="The template's parameters by name")


@router.get(
    "/templates",
    summary="The templates there are",
    response_class=Response,
    dependencies=[needs("query")],
    responses=responses({"items": [_SHOWN], "next": None}, 401, 403, 422),
)
async def get_templates(request: Request, limit: str | None = None, cursor: str | None = None) -> Response:
    """Name, purpose, parameters and columns of each, by group and name."""
    service: Service = request.app.state.service
    return answer(page([t.to_json() for t in service.catalogue.values()], limit, cursor))


@router.post(
    "/templates/{name}",
    summary="Run a template",
    response_class=Response,
    dependencies=[needs("query")],
    responses=responses(_ANSWER, 400, 401, 403, 404, 406, 413, 422, 503),
    openapi_extra=described(RunBody, ten={"parameters": {"limit": 10}}),
)
async def post_template(request: Request, name: str) -> Response:
    """Rows as JSON, JSON lines, CSV or an Arrow stream, by `Accept`.

    JSON says `truncated` where the row cap cut it; the other forms break off there, so that a part never looks whole.
    """
    service: Service = request.app.state.service
    media_type = chosen(request.headers.get("Accept", ""))
    template = find(name, service.catalogue)
    body = await read(request, RunBody)
    parameters = parse_json(template, body.parameters, service.today())
    note(request, _customers(template, parameters))

    def start() -> tuple[Result, bytes, Iterator[bytes]]:
        result = run(service.store, template, parameters).begin()
        chunks = FORMATS[media_type](result)
        try:  # what goes wrong before the first rows is still a problem document
            return result, next(chunks, b""), chunks
        except BaseException:
            result.close()
            raise

    result, first, chunks = await anyio.to_thread.run_sync(start)

    def whole() -> Iterator[bytes]:
        with result:
            yield first
            yield from chunks

    suffix = "; charset=utf-8" if media_type == "text/csv" else ""
    return StreamingResponse(whole(), media_type=media_type + suffix, headers={"Vary": "Accept"})


def _customers(template: Template, parameters: dict[str, Any]) -> list[str]:
    """The customers that a run names by its parameters."""
    named = {parameter.name: LISTS.get(parameter.type, parameter.type) for parameter in template.parameters}
    given = [parameters[name] for name, type_ in named.items() if type_ == "user" and parameters.get(name) is not None]
    return [user for value in given for user in ([value] if isinstance(value, str) else value)]


def chosen(accept: str) -> str:
    """The media type to answer with: the first of the highest `q` that is served; JSON when anything will do.

    Raises NotAcceptable, listing what is served.

    >>> chosen("text/csv;q=0.5, application/x-ndjson"), chosen("*/*"), chosen("")
    ('application/x-ndjson', 'application/json', 'application/json')
    """
    asked = []
    for place, part in enumerate(accept.split(",")):
        kind, *settings = (piece.strip().lower() for piece in part.split(";"))
        weight = next((setting[2:] for setting in settings if setting.startswith("q=")), "1")
        try:
            asked.append((-float(weight), place, kind))
        except ValueError:
            continue  # a part whose weight cannot be read asks for nothing
    for weight_below, _, kind in sorted(asked):
        if weight_below == 0:
            continue
        for served in FORMATS:
            if kind in ("", "*/*", served) or (kind.endswith("/*") and served.startswith(kind[:-1])):
                return served
    raise NotAcceptable("none of the media types asked for is served", f"ask for one of {', '.join(FORMATS)}")
