"""Every error as one RFC 9457 problem document.

`type` (`urn:dumbbell:problem:<error>`), `title`, `status`, `detail` (what was found, and the remedy),
`error` (the stable code that the command line's JSON carries too), and `errors` for a body with
several mistakes. Nothing a caller sent is repeated where it may be a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lake.errors import AccessDenied, DumbbellError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

_CODES = {404: "unknown_name", 405: "method_not_allowed", 406: "not_acceptable", 413: "too_large", 422: "bad_value"}
_DIGITS = re.compile(r"\d{7,}")


class MissingScope(AccessDenied):
    """The key is right and may not do this."""

    http_status = 403


class NumberInAddress(DumbbellError):
    """What should be a pseudonym in a URL is something else, perhaps a number."""

    code = "number_in_address"
    http_status = 400


class NotAcceptable(DumbbellError):
    """None of the media types asked for is served."""

    code = "not_acceptable"
    http_status = 406


class TooManyRequests(DumbbellError):
    """The key has asked as often as it may; `retry_after` seconds from now it may ask again."""

    code = "too_many_requests"
    http_status = 429

    def __init__(self, retry_after: float) -> None:
        self.retry_after = math.ceil(retry_after)
        super().__init__("this key asks too often", f"ask again in {self.retry_after} s, or more evenly")


def problem(
    status: int,
    detail: str,
    *,
    error: str = "failed",
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one way to answer with an error."""
    body: dict[str, Any] = {
        "type": f"urn:dumbbell:problem:{error}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error": error,
    }
    if errors:
        body["errors"] = list(errors)
    more = dict(headers or {})
    if status == 503:
        more.setdefault("Retry-After", str(RETRY_AFTER_S))
    if status == 401:
        more.setdefault("WWW-Authenticate", "Bearer")
    return Response(orjson.dumps(body), status, more, MEDIA_TYPE)


def problem_of(error: DumbbellError) -> Response:
    """The product's own errors, each with its HTTP status; one that is not the caller's is a 503."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else None
    status = 503 if error.http_status == 500 else error.http_status
    return problem(status, masked(str(error)), error=error.code, headers=headers)


def masked(text: str) -> str:
    """The text without runs of seven or more digits, which may be a number.

    >>> masked("there is no channel '4915112345678'")
    "there is no channel '…'"
    """
    return _DIGITS.sub("…", text)


def install(app: FastAPI) -> None:
    """Answer every error of the app's routes with a problem document."""

    async def own(request: Request, error: Exception) -> Response:
        assert isinstance(error, DumbbellError)
        request.state.error = error.code
        return problem_of(error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        request.state.error = code = _CODES.get(error.status_code, "failed")
        detail = {
            404: "there is no such route; /openapi.json lists those there are",
            405: "this route has no such method; /openapi.json lists those there are",
        }.get(error.status_code, masked(str(error.detail)))
        return problem(error.status_code, detail, error=code, headers=error.headers)

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        request.state.error = "bad_value"
        return invalid(error.errors())

    app.add_exception_handler(DumbbellError, own)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)


def invalid(errors: Sequence[Any]) -> Response:
    """422 for what pydantic found, naming fields and what each should be, never a value."""
    said = [
        {"field": masked(".".join(str(part) for part in one["loc"] if part != "body")), "message": masked(one["msg"])}
        for one in errors
    ]
    first = said[0] if said else {"field": "", "message": "not valid"}
    where = f"{first['field']}: " if first["field"] else ""
    return problem(422, f"{where}{first['message']}", error="bad_value", errors=said)
