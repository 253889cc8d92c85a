"""Who may call a route: `Authorization: Bearer KEY`, and the scope that the route needs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.keys import Key
from api.problems import MissingScope, TooManyRequests
from api.service import Service
from lake.errors import AccessDenied

_BEARER = HTTPBearer(scheme_name="key", description="A key of `dumbbell key add`", auto_error=False)


def needs(scope: str) -> Any:
    """A dependency that lets a key with this scope through.

    401 without a right key, 429 for one that asks too often, 403 without the scope.
    """

    async def allowed(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> Key:
        if given is None:
            raise AccessDenied("the request has no key", "send the header `Authorization: Bearer KEY`")
        service: Service = request.app.state.service
        key = service.keys.check(given.credentials.strip())
        request.state.client = key.name
        if wait := service.limits.take(key.name):
            raise TooManyRequests(wait)
        if not key.may(scope):
            raise MissingScope(
                f"this key has not the scope {scope}", f"make one with `dumbbell key add NAME --scope {scope}`"
            )
        return key

    named: Callable[..., Any] = allowed
    return Depends(named)


def note(request: Request, users: Iterable[bytes | str] = ()) -> None:
    """Say in the audit log whom this request asks for; to be called before it is answered. No users: a list."""
    service: Service = request.app.state.service
    texts = [user if isinstance(user, str) else str(uuid.UUID(bytes=user)) for user in users]
    service.audit.note(request.state.client, f"{request.method} {request.scope['route'].path}", texts)
