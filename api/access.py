"""Who may call a route: `Authorization: Bearer KEY`, and the scope that the route needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.keys import Key
from api.problems import MissingScope, TooManyRequests
from api.service import Service
from lake.errors import AccessDenied
from lake.pseudonyms import text_of


class _Needs(HTTPBearer):
    """Lets a key with one scope through. A security scheme itself, as a dependency of one would cost every request."""

    def __init__(self, scope: str) -> None:
        super().__init__(scheme_name="key", description="A key of `dumbbell key add`", auto_error=False)
        self._scope = scope

    async def __call__(self, request: Request) -> Key:  # type: ignore[override]
        return allowed(request, self._scope)


def allowed(request: Request, scope: str) -> Key:
    """The request's key. Raises AccessDenied without a right one, TooManyRequests, MissingScope.

    A route that is asked for every page view calls this itself, and says `KEYED`: a dependency costs it 50 µs.
    """
    sent = next((value for name, value in request.scope["headers"] if name == b"authorization"), b"")
    scheme, _, given = sent.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise AccessDenied("the request has no key", "send the header `Authorization: Bearer KEY`")
    service: Service = request.scope["app"].state.service
    key = service.keys.check(given.strip())
    request.scope["state"]["client"] = key.name
    if wait := service.limits.take(key.name):
        raise TooManyRequests(wait)
    if not key.may(scope):
        raise MissingScope(
            f"this key has not the scope {scope}",
            f"make one with `dumbbell key add NAME --scope {scope}`",
        )
    return key


KEYED: dict[str, Any] = {"security": [{"key": []}]}
"""`openapi_extra` of a route that calls `allowed`: what `needs` declares by itself."""


def needs(scope: str) -> Any:
    """A dependency that lets a key with this scope through.

    401 without a right key, 429 for one that asks too often, 403 without the scope.
    """
    return Depends(_Needs(scope))


def note(request: Request, users: Iterable[bytes | str] = ()) -> None:
    """Say in the audit log whom this request asks for; to be called before it is answered. No users: a list."""
    scope = request.scope
    service: Service = scope["app"].state.service
    texts = [user if isinstance(user, str) else text_of(user) for user in users]
    service.audit.note(scope["state"]["client"], f"{scope['method']} {scope['route'].path}", texts)
