"""A load killed at three of its moments, then given again: lake and graph as if nothing had happened.

The full set of kills, at random moments and with Neo4j itself among the victims, is `python -m benchmarks.faults`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import graph_of, lake_of
from graph.store import Store

USERS, EVENTS = 40, 400


@pytest.fixture(scope="module")
def operator_feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some customers in a ring of calls, with apps and an answer each; enough rows for every step to take its time."""
    feeds = tmp_path_factory.mktemp("faults") / "feeds"
    feeds.mkdir()
    number = [f"49151000{user:04}" for user in range(USERS)]
    calls = [
        f"{number[i % USERS]},{number[(i * 7 + 1) % USERS]},2026-05-{1 + i % 28:02}T10:00:00,60" for i in range(EVENTS)
    ]
    rows = {
        "users": ["number,city", *(f"{n},{'AB'[i % 2]}" for i, n in enumerate(number)), "49151x,A"],
        "apps": ["app,name", *(f"app{i},App {i}" for i in range(5))],
        "app_usage": ["number,app,at", *(f"{n},app{i % 5},2026-05-02" for i, n in enumerate(number))],
        "products": ["product,name,kind", "basic,Basic,plan"],
        "channels": ["channel,name,kind", "sms,Text,sms"],
        "offers": ["offer,product,title,channels", "more,basic,More,sms"],
        "responses": [
            "number,offer,channel,at,outcome",
            *(f"{n},more,sms,2026-05-03T10:00:00,refused" for n in number),
        ],
        "calls": ["caller,callee,at,seconds", *calls],
    }
    for name, lines in rows.items():
        (feeds / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return feeds


Load = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture(scope="module")
def load(neo4j_endpoint: Any, operator_feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Start the load into a home, on the run's server; all homes have one key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUMBBELL_")}
    environment = kept | {
        "DUMBBELL_NEO4J_URI": neo4j_endpoint.uri,
        "DUMBBELL_NEO4J_USER": neo4j_endpoint.user,
        "DUMBBELL_NEO4J_PASSWORD": neo4j_endpoint.password,
        "DUMBBELL_KEY_FILE": str(tmp_path_factory.mktemp("key") / "number.key"),
    }

    def start(home: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dumbbell", "load", str(operator_feeds), "--home", str(home)]
        return subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    return start


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err


@pytest.fixture(scope="module")
def undisturbed(load: Load, wiped: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    finish(load(home))
    return lake_of(home) | graph_of(wiped)


def is_reading(home: Path, store: Store) -> bool:
    return any((home / "lake").glob(".staging-*/lake/*"))


def has_tables(home: Path, store: Store) -> bool:
    return (home / "lake" / "customers.parquet").exists()


def is_in_the_graph(home: Path, store: Store) -> bool:
    return store.read("MATCH (u:User) RETURN count(u) > 0 AS some")[0]["some"]


@pytest.mark.parametrize("moment", [is_reading, has_tables, is_in_the_graph])
def test_a_killed_load_given_again_ends_as_if_undisturbed(
    moment: Callable[[Path, Store], bool], load: Load, undisturbed: dict[str, str], wiped: Store, tmp_path: Path
) -> None:
    wiped.wipe(schema=True)
    home = tmp_path / "home"
    process = load(home)
    while not moment(home, wiped):
        assert process.poll() is None, "the load was through before its moment came"
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    finish(load(home))
    assert lake_of(home) | graph_of(wiped) == undisturbed
