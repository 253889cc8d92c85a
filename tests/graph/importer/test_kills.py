"""kill -9 of the process that fills the graph, and of Neo4j: the same command again ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from graph.engine.folder import EngineFolder
from graph.fill import filled
from graph.load import load_graph
from graph.state import read_state
from graph.store import Store
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from tests.graph.importer.whole import require_same, whole_of

FILL = """
import datetime, sys
from graph.fill import fill
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
settings = load_settings(home=sys.argv[1], today=datetime.date(2026, 7, 1))
home = Home.open(settings)
fill(home, Lake(home.lake), settings, line=sys.argv[2])
"""
WAIT_S = 240.0


@pytest.fixture
def killed(own: Settings, neo4j_line: str) -> Callable[[Callable[[], bool]], None]:
    """Fill the graph in a process of its own, killed as soon as a condition holds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DUMBBELL_")}

    def kill_when(is_time: Callable[[], bool]) -> None:
        command = [sys.executable, "-c", FILL, str(own.home), neo4j_line]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[3], env=environment, start_new_session=True)
        wait_for(is_time, lambda: process.poll() is None)
        process.kill()
        process.wait()

    return kill_when


def wait_for(is_time: Callable[[], bool], is_alive: Callable[[], bool] = lambda: True) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_time():
        assert is_alive(), "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def importers(home: Home) -> list[int]:
    """Processes that import into a store of this home."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(home.neo4j / "staged") in word for word in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def is_half_written(store: Store) -> bool:
    """Whether a load is among the parts: some are whole, some are not."""
    parts = read_state(store).values()
    return any(parts) and not all(parts)


def test_kills_of_imports_and_of_loads_over_bolt(
    home: Home, operator: Lake, own: Settings, killed: Any, neo4j_line: str
) -> None:
    staged = home.neo4j / "staged"
    killed(lambda: any(staged.glob("csv/*.csv")))
    killed(lambda: bool(importers(home)))
    wait_for(lambda: importers(home) == [])

    with filled(home, operator, own, line=neo4j_line) as (store, facts):
        assert facts["way"] == "import"
        assert not staged.exists()
        whole = whole_of(store)

        store.wipe()
        killed(lambda: is_half_written(store))
        load_graph(operator, store, own)
        require_same(whole_of(store), whole)

        store.wipe()
        server = EngineFolder(home.neo4j).state()
        assert server is not None
        with ThreadPoolExecutor(1) as threads:
            load = threads.submit(load_graph, operator, store, own)
            wait_for(lambda: is_half_written(store), lambda: not load.done())
            os.kill(server.server, signal.SIGKILL)
            load.result()  # the keeper has started it again, and the load has gone on
        require_same(whole_of(store), whole)
        assert load_graph(operator, store, own)["parts"] == []
