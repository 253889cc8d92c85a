"""Users of a home's server as processes of their own, which tests may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from graph.engine.folder import EngineFolder
from lake.home import Home
from lake.settings import Settings, load_settings

_USER = """
import sys
from graph.engine.server import running
from graph.store import Store
from lake.home import Home
from lake.settings import load_settings
settings = load_settings(home=sys.argv[1])
print("begun", flush=True)
try:
    with running(Home.open(settings), settings, line=sys.argv[2]) as endpoint, Store(endpoint) as store:
        print("uri", endpoint.uri, flush=True)
        for request in sys.stdin:
            if request.strip() == "leave":
                break
            print("rows", store.write(request), flush=True)
except KeyboardInterrupt:
    pass
print("left", flush=True)
"""
WAIT_S = 240.0


class User:
    """A process that uses a home's server: `ask` it to write, `leave`, or kill it."""

    def __init__(self, home: Home, line: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DUMBBELL_")}
        environment["PATH"] = "/nowhere"  # no Java, no Maven
        environment.setdefault("HOME", str(Path.home()))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(home.root), line],
            env=environment,
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def line(self, word: str) -> str:
        """The rest of the next line that begins with `word`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise AssertionError(f"the user ended before it said {word!r}")

    def ask(self, query: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(query + "\n")
        self.process.stdin.flush()
        return self.line("rows")

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("leave\n")
        self.process.stdin.flush()
        self.line("left")
        self.process.wait(WAIT_S)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.line("left")
        self.process.wait(WAIT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_S)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home").model_copy(update={"neo4j_uri": ""})


@pytest.fixture
def home(settings: Settings) -> Home:
    return Home.open(settings, create=True)


@pytest.fixture
def folder(home: Home) -> EngineFolder:
    folder = EngineFolder(home.neo4j)
    folder.make()
    return folder


@pytest.fixture
def new_user(home: Home, neo4j_line: str) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def make() -> User:
        users.append(User(home, neo4j_line))
        return users[-1]

    yield make
    for user in users:
        if user.process.poll() is None:
            user.kill()
        for pipe in (user.process.stdin, user.process.stdout):
            if pipe is not None:
                pipe.close()
    wait_until(lambda: not processes_of(home), "the home's processes are gone")


def processes_of(home: Home) -> list[psutil.Process]:
    """Keepers and servers of a home, by their command lines."""
    return [p for p in psutil.process_iter() if _belongs(p, home) and p.pid != os.getpid()]


def _belongs(process: psutil.Process, home: Home) -> bool:
    try:
        command = process.cmdline()
        return any(str(home.neo4j) in part for part in command) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def servers_of(home: Home) -> list[psutil.Process]:
    return [p for p in processes_of(home) if p.name() == "java"]


def keepers_of(home: Home) -> list[psutil.Process]:
    return [p for p in processes_of(home) if p.name() != "java"]


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
