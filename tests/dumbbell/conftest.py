"""Running the command line as its users do: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Finished:
    """A command that ended: its status, its output, and its last JSON object."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.strip().splitlines()[-1])

    def __repr__(self) -> str:
        return f"exit {self.status}\nstdout: {self.out[-2000:]}\nstderr: {self.err[-3000:]}"


Dumbbell = Callable[..., Finished]


@pytest.fixture(scope="module")
def dumbbell(neo4j_endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> Dumbbell:
    """Call `dumbbell(*arguments, home=…, stdin=…, **settings)` against the run's server."""
    server = {
        "DUMBBELL_NEO4J_URI": neo4j_endpoint.uri,
        "DUMBBELL_NEO4J_USER": neo4j_endpoint.user,
        "DUMBBELL_NEO4J_PASSWORD": neo4j_endpoint.password,
    }
    elsewhere = tmp_path_factory.mktemp("cwd")

    def call(
        *arguments: Any, home: Path | None = None, stdin: str = "", own_server: bool = False, **settings: Any
    ) -> Finished:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
        named = {f"DUMBBELL_{k.upper()}": str(v) for k, v in settings.items()}
        root = ["--home", str(home)] if home else []
        done = subprocess.run(
            [sys.executable, "-m", "dumbbell", *root, *map(str, arguments)],
            input=stdin, capture_output=True, text=True, timeout=600, cwd=elsewhere,
            env=kept | ({} if own_server else server) | named,
        )  # fmt: skip
        return Finished(done)

    return call


@pytest.fixture(scope="module")
def wiped(neo4j_endpoint: Any) -> Any:
    """The run's server, emptied once for this module."""
    from graph.store import Store

    with Store(neo4j_endpoint) as store:
        store.wipe()
        yield store


@pytest.fixture(scope="module")
def feeds(dumbbell: Dumbbell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample operator's feed folder."""
    folder = tmp_path_factory.mktemp("sample") / "feeds"
    done = dumbbell("sample", folder, "--users", 400, "--months", 4, "--seed", 7)
    assert done.status == 0, done
    return folder


@pytest.fixture(scope="module")
def operator(dumbbell: Dumbbell, wiped: Any, feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after `run` on the sample operator."""
    home = tmp_path_factory.mktemp("operator") / "home"
    done = dumbbell("run", feeds, "--json", home=home)
    assert done.status == 0, done
    return home
