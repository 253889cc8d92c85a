"""`running`: a server to use, the home's own or the one that DUMBBELL_NEO4J_URI names."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import neo4j
import psutil
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, Neo4jError

from graph.engine.fetch import cache_folder, fetch
from graph.engine.folder import USER, EngineFolder, opened, try_lock
from graph.engine.releases import release_for
from lake.errors import EngineError, EnginePassword, EngineUnavailable, HomeHeld, SettingError
from lake.home import Home
from lake.progress import working
from lake.settings import Settings

WAIT_S = 300.0
ALONE_S = 1.0
"""How long `unused` waits for others to leave; for a server that is stopping already it waits longer."""
_POLL_S = 0.1


@dataclass(frozen=True)
class Endpoint:
    """Where a server is, and who may use it. `revive` brings the home's own server back after its keeper died."""

    uri: str
    user: str
    password: str = field(repr=False)
    revive: Callable[[], Endpoint] | None = field(default=None, repr=False, compare=False)


@contextmanager
def running(home: Home, settings: Settings, *, line: str | None = None) -> Iterator[Endpoint]:
    """A server that answers queries, for as long as the block runs.

    With `settings.neo4j_uri` that server, checked by a query. Otherwise the home's own: the first user
    starts it, others join, and it is gone when the last has left. `line` (`2026`, `5.26`) picks the
    release of a new store.

    Raises EnginePassword, EngineUnavailable, or EngineError with the end of the server's log.
    """
    folder = EngineFolder(home.neo4j)
    folder.make()
    with opened(folder.users_lock) as users:
        if not try_lock(users, fcntl.LOCK_SH):  # a server of earlier users is stopping, or a command fills the graph
            with working(f"Waiting for whoever holds the Neo4j of {home.root} alone"):
                fcntl.flock(users, fcntl.LOCK_SH)
        home.require_finished()
        if settings.neo4j_uri:
            yield _named(settings)
            return
        try:
            yield join(folder, line)
        finally:
            leave(folder, users)


@contextmanager
def unused(home: Home) -> Iterator[None]:
    """Hold the home's graph so that nobody uses it while the block runs; whoever wants to waits.

    Raises HomeHeld where somebody does.
    """
    folder = EngineFolder(home.neo4j)
    folder.make()
    with opened(folder.users_lock) as users:
        if not _alone(folder, users):
            raise HomeHeld(
                f"{home.root} is in use by `dumbbell serve` or another command", "stop it, and run this again"
            )
        deadline = time.monotonic() + WAIT_S
        while folder.is_kept() and time.monotonic() < deadline:  # a server whose users were killed is stopping
            time.sleep(_POLL_S)
        if folder.is_kept():
            raise HomeHeld(f"the Neo4j of {home.root} does not stop", f"see {folder.log}, and try again")
        yield


def _alone(folder: EngineFolder, users: int) -> bool:
    """Take the lock; a keeper holds it while it stops its server, so one refusal is not the last word."""
    refused = time.monotonic()
    while not try_lock(users, fcntl.LOCK_EX):
        state = folder.state()
        is_stopping = state is not None and state.phase == "stopping" and folder.is_kept()
        if time.monotonic() > refused + (WAIT_S if is_stopping else ALONE_S):
            return False
        time.sleep(_POLL_S)
    return True


def discard(home: Home) -> None:
    """Delete the home's own store, its transaction logs and the server's logs. For whoever holds the graph `unused`."""
    folder = EngineFolder(home.neo4j)
    kept = {folder.users_lock, folder.server_lock, folder.version_file}
    if folder.data.exists():
        shutil.rmtree(folder.data)  # before the password: a store without one can be opened by nobody
    for path in set(folder.root.iterdir()) - kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _named(settings: Settings) -> Endpoint:
    scheme = urlsplit(settings.neo4j_uri).scheme
    if scheme.partition("+")[0] not in ("bolt", "neo4j"):
        raise SettingError(
            f"DUMBBELL_NEO4J_URI is {_shown(settings.neo4j_uri)!r}, no address of a Neo4j server",
            "one like bolt://127.0.0.1:7687 would work",
        )
    endpoint = Endpoint(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password.get_secret_value())
    try:
        _query(endpoint)
    except AuthError:
        raise EnginePassword(
            f"the server at {_shown(endpoint.uri)} refuses user {endpoint.user!r} with the password given",
            "set DUMBBELL_NEO4J_USER and DUMBBELL_NEO4J_PASSWORD to those of that server",
        ) from None
    except (ConfigurationError, ValueError):
        raise SettingError(
            f"DUMBBELL_NEO4J_URI is {_shown(endpoint.uri)!r}, no address of a Neo4j server",
            "one like bolt://127.0.0.1:7687 would work",
        ) from None
    except (DriverError, Neo4jError, OSError) as error:
        raise EngineUnavailable(
            f"the server at {_shown(endpoint.uri)} does not answer ({type(error).__name__})",
            "start it, or take DUMBBELL_NEO4J_URI away to use the product's own",
        ) from None
    return endpoint


def _shown(uri: str) -> str:
    """An address without what may be a secret in it."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _query(endpoint: Endpoint) -> None:
    with neo4j.GraphDatabase.driver(
        endpoint.uri, auth=(endpoint.user, endpoint.password), connection_timeout=10.0, max_transaction_retry_time=0.0
    ) as driver:
        driver.execute_query("RETURN 1")


def join(folder: EngineFolder, line: str | None) -> Endpoint:
    """The folder's server, started when there is none. Call with `users.lock` held."""
    if (endpoint := _answering(folder, line)) is not None:
        return endpoint
    release = release_for(line, folder.version())
    if not folder.is_kept():
        fetch(release.version)
    with working(f"Starting Neo4j {release.version}"):
        return _start(folder, line)


def _start(folder: EngineFolder, line: str | None) -> Endpoint:
    """Wait for the server, and put a keeper to work whenever there is none."""
    keeper: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if folder.is_kept():
            if (endpoint := _answering(folder, line)) is not None:
                return endpoint
        elif keeper is None:
            keeper = _spawn_keeper(folder, release_for(line, folder.version()).line)
        elif keeper.poll() is not None:
            if keeper.returncode:
                raise _failure(folder, keeper.pid)
            keeper = None  # another user's keeper was first, and has ended since
        time.sleep(_POLL_S)
    raise EngineError(
        f"Neo4j in {folder.root} did not answer within {WAIT_S:.0f} s",
        f"see {folder.log}; when nothing of this home runs any more, try again",
    )


def _answering(folder: EngineFolder, line: str | None) -> Endpoint | None:
    """The server that the folder's keeper last spoke of, if it answers a query."""
    state = folder.state()
    if state is None or state.phase != "running" or not psutil.pid_exists(state.keeper) or not folder.is_kept():
        return None
    endpoint = Endpoint(
        f"bolt://127.0.0.1:{state.port}", USER, folder.password_file.read_text(), lambda: join(folder, line)
    )
    try:
        _query(endpoint)
    except AuthError:
        raise EnginePassword(
            f"the home's own Neo4j refuses the password in {folder.password_file}",
            f"bring the right one back, or delete {folder.root} and load again",
        ) from None
    except (DriverError, Neo4jError, OSError):
        return None  # not up yet, or going down: the caller looks again
    return endpoint


def _spawn_keeper(folder: EngineFolder, line: str) -> subprocess.Popen[bytes]:
    packages = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    with open(folder.keeper_log, "wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "graph.engine.keeper", str(folder.root), str(cache_folder()), line],
            cwd=folder.root,
            env=os.environ | {"PYTHONPATH": packages},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=keeper.wait, daemon=True).start()  # so that an ended keeper is no zombie
    return keeper


def _failure(folder: EngineFolder, keeper: int) -> EngineError:
    state = folder.state()
    if state is not None and state.phase == "failed" and state.keeper == keeper:
        return EngineError(state.error, state.remedy)
    return EngineError("Neo4j's keeper failed", folder.keeper_log.read_text(errors="replace")[-1500:].strip())


def leave(folder: EngineFolder, users: int) -> None:
    """Stop using the server; the last user waits until it is gone."""
    if not try_lock(users, fcntl.LOCK_EX):
        return
    fcntl.flock(users, fcntl.LOCK_UN)
    left = time.monotonic()
    while folder.is_kept():
        state = folder.state()
        is_used_again = state is not None and state.phase == "running" and time.monotonic() > left + 1.0
        if is_used_again or time.monotonic() > left + 2 * WAIT_S:
            return
        time.sleep(_POLL_S / 2)
