"""Prebuilt JSON answers, and what every route may answer besides, for OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from api.problems import MEDIA_TYPE

_MEANING = {
    400: "The request cannot be served as it is",
    401: "No key, or a wrong one",
    403: "The key lacks the scope",
    404: "There is nothing of that name",
    406: "No media type that is asked for is served",
    413: "The body is too large",
    422: "A value is missing, or not what it should be",
    429: "The key asks too often; try again after `Retry-After` seconds",
    503: "The graph, or a snapshot, is not there now; try again after `Retry-After` seconds",
}

_LATER = (429, 503)

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "error"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
"""Schema of every error (RFC 9457)."""


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON bytes, made once."""
    return prebuilt(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY), status, headers)


def prebuilt(data: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Bytes that are JSON already."""
    return Response(data, status, headers, "application/json")


def responses(example: Any, *statuses: int, status: int = 200, meaning: str = "Done") -> dict[int | str, Any]:
    """A route's `responses` for OpenAPI: the answer by example, and the problems it may answer with.

    A route that needs a key may answer with 429 too.
    """
    documented: dict[int | str, Any] = {
        status: {"description": meaning, "content": {"application/json": {"example": example}}}
    }
    for code in sorted({*statuses, 429} if 401 in statuses else statuses):
        documented[code] = {"description": _MEANING[code], "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
        if code in _LATER:
            documented[code]["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
    return documented
