"""kill -9 of the process that fills the graph: the same command again ends as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from graph.fill import fill
from graph.load import count
from graph.store import open_store
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake

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
def killed(own: Settings, neo4j_line: str) -> Callable[..., None]:
    """Fill the graph in a process of its own, killed as soon as a condition holds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DUMBBELL_")}

    def kill_when(is_time: Callable[[], bool], delay_s: float = 0) -> None:
        command = [sys.executable, "-c", FILL, str(own.home), neo4j_line]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[3], env=environment, start_new_session=True)
        deadline = time.monotonic() + WAIT_S
        while not is_time() and time.monotonic() < deadline:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        time.sleep(delay_s)
        process.kill()
        process.wait()

    return kill_when


def importers(home: Home) -> list[int]:
    """Processes that import into a store of this home."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(home.neo4j / "staged") in word for word in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def test_kills_of_imports_and_of_a_load_over_bolt(home: Home, operator: Lake, own: Settings, killed: Any) -> None:
    staged = home.neo4j / "staged"
    killed(lambda: any(staged.glob("csv/*.csv")))
    killed(lambda: bool(importers(home)))
    deadline = time.monotonic() + 10
    while importers(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert importers(home) == []

    assert fill(home, operator, own)["way"] == "import"
    assert not staged.exists()
    with open_store(home, own) as store:
        whole = count(store)
        store.write("MATCH (l:Lake) SET l.User = '', l.uses_app = ''")
        store.write("MATCH ()-[r:USES_APP|CALLS]->() DELETE r")
        store.write("MATCH (l:Lake) REMOVE l.`calls 2026-05`, l.`calls 2026-06`")
    killed(lambda: (state := home.neo4j / "state.json").exists() and '"running"' in state.read_text(), 0.3)
    assert fill(home, operator, own)["way"] == "bolt"
    with open_store(home, own) as store:
        assert count(store) == whole
