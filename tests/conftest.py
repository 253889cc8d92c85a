"""What every room's tests share: one real Neo4j for each process of a run, wiped by query before each test.

Files are handed to the processes whole (`--dist loadfile`): what a module's fixtures put there stays until its end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from graph.engine.releases import DEFAULT_LINE
from graph.engine.server import Endpoint, running
from graph.store import Store
from lake.home import Home
from lake.settings import load_settings

# The first call of a kernel compiles it, on a machine that others use as well.
hypothesis_settings.register_profile("dumbbell", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("dumbbell")


LINE = os.environ.get("DUMBBELL_TEST_NEO4J", DEFAULT_LINE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another line of Neo4j than new homes get, only what speaks to it runs: the rest is the same on any."""
    if LINE != DEFAULT_LINE:
        speaking = [item for item in items if "neo4j_line" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in speaking])
        items[:] = speaking


@pytest.fixture(scope="session")
def neo4j_line() -> str:
    """The line of Neo4j under test: DUMBBELL_TEST_NEO4J, by default the one that new homes get."""
    return LINE


@pytest.fixture(scope="session")
def neo4j_endpoint(tmp_path_factory: pytest.TempPathFactory, neo4j_line: str) -> Iterator[Endpoint]:
    """A server of the run's own, on a home of its own."""
    settings = load_settings(home=Path(tmp_path_factory.mktemp("neo4j") / "home"))
    settings = settings.model_copy(update={"neo4j_uri": ""})
    with running(Home.open(settings, create=True), settings, line=neo4j_line) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def _session_store(neo4j_endpoint: Endpoint) -> Iterator[Store]:
    with Store(neo4j_endpoint) as store:
        yield store


@pytest.fixture
def neo4j_store(_session_store: Store) -> Store:
    """A store without nodes, edges, constraints or indexes."""
    _session_store.wipe(schema=True)
    return _session_store
