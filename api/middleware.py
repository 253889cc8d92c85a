"""Around every request: its size, its time in the log and the metrics, and what nobody expected."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import logs, metrics
from api.problems import problem

MAX_BODY_BYTES = 8_000_000
"""Enough for a list of 200,000 pseudonyms."""


class TooMuch(Exception):
    """The body goes on past `MAX_BODY_BYTES`."""


class Around:
    """Refuses oversized bodies (413), answers unexpected errors (500) without their message, logs and measures."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        started = time.perf_counter()
        status = 0
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise TooMuch
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if _declared(scope) > MAX_BODY_BYTES:
                raise TooMuch
            await self.app(scope, counted, noted)
        except TooMuch:
            if not status:
                too_large = problem(
                    413, f"the body is larger than {MAX_BODY_BYTES:,} bytes: send less at once", error="too_large"
                )
                await too_large(scope, receive, noted)
        except Exception as error:  # noqa: BLE001  nothing may reach the server's own log with a value in its message
            logs.failure("unexpected", error, route=_route(scope))
            if not status:  # an answer already begun stays unfinished, which closes the connection
                await problem(500, "something unexpected happened; the log says where", error="failed")(
                    scope, receive, noted
                )
        finally:
            self._note(scope, status, time.perf_counter() - started)

    @staticmethod
    def _note(scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        metrics.answered(method, route, status, seconds)
        facts = {key: scope["state"][key] for key in ("client", "error") if key in scope["state"]}
        logs.access(method=method, route=route, status=status, ms=round(seconds * 1000, 2), **facts)


def _route(scope: Scope) -> str:
    """The route as declared; addresses of no route are one and the same."""
    return getattr(scope.get("route"), "path", "(none)")


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
