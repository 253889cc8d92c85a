"""The application: routes, errors, the state they share, and its beginning and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
from fastapi import FastAPI

from api import problems
from api.middleware import Around
from api.routes import decisions, explore, health, keep, match, responses, seeds, similar, templates
from api.service import Service
from graph.store import Store
from lake.home import Home
from lake.settings import Settings

_ABOUT = """Who fits what, who leads, who is about to leave.

Send `Authorization: Bearer KEY`. Customers are named by a pseudonym (`user`, 36 characters) everywhere; a telephone
number goes into a body (`number`), never into an address. Errors are RFC 9457 problem documents."""


def create_app(home: Home, settings: Settings, store: Store) -> FastAPI:
    """The API over one home and one graph. What it loads is loaded when the application starts."""
    service = Service(home, settings, store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(service.start)
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(service.stop)

    app = FastAPI(
        title="dumbbell",
        summary="Matching customers, handsets, apps and offers of a telecom operator",
        description=_ABOUT,
        version=version("dumbbell"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.install(app)
    app.add_middleware(Around)
    for module in (match, responses, decisions, templates, explore, seeds, similar, keep, health):
        app.router.routes.extend(module.router.routes)  # one router: a route of another is looked for twice
    return app
