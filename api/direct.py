"""Routes that are asked for every page view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Direct(APIRoute):
    """A route whose endpoint takes the request and gives the response, and nothing else: what FastAPI would look for
    in between (dependencies, parameters, a model of the answer) costs as much as a match does. OpenAPI has it all the
    same."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **options: Any) -> None:
        super().__init__(path, endpoint, **options)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = app
