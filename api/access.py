"""Who may call a route: `Authorization: Bearer KEY`, and the scope that the route needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from api.keys import Key
from api.problems import MissingScope
from lake.errors import AccessDenied


def needs(scope: str) -> Any:
    """A dependency that lets a key with this scope through. 401 without a right key, 403 without the scope."""

    async def allowed(request: Request) -> Key:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise AccessDenied("the request has no key", "send the header `Authorization: Bearer KEY`")
        key = request.app.state.service.keys.check(secret.strip())
        request.state.client = key.name
        if not key.may(scope):
            raise MissingScope(
                f"this key has not the scope {scope}", f"make one with `dumbbell key add NAME --scope {scope}`"
            )
        return key

    named: Callable[..., Any] = allowed
    return Depends(named)
