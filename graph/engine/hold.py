"""A hold on the home's own server: alone where nobody else uses it, else shared."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from graph.engine import swap
from graph.engine.folder import EngineFolder, opened, try_lock
from graph.engine.releases import Release, release_for
from graph.engine.server import Endpoint, join, leave
from lake.home import Home

_POLL_S = 0.1


class Hold:
    """While `is_alone`, others who want the server wait, and only this process starts and stops it."""

    def __init__(self, folder: EngineFolder, users: int, line: str | None, is_alone: bool) -> None:
        self.folder = folder
        self.is_alone = is_alone
        self._users = users
        self._line = line

    @property
    def release(self) -> Release:
        return release_for(self._line, self.folder.version())

    @property
    def is_empty(self) -> bool:
        """Whether the home has no graph yet."""
        return not (self.folder.data / "databases" / "neo4j").exists()

    def start(self) -> Endpoint:
        """The server, started when it does not run."""
        return join(self.folder, self._line)

    @contextmanager
    def stopped(self) -> Iterator[int]:
        """Stop the server, and keep it stopped while the block runs; for a hold that is alone.

        Gives a descriptor of the lock that says so: who inherits it keeps others away as long as it lives.
        """
        state = self.folder.state()
        if state is not None and self.folder.is_kept():
            with suppress(ProcessLookupError):
                os.kill(state.keeper, signal.SIGTERM)
        with opened(self.folder.server_lock) as server:
            fcntl.flock(server, fcntl.LOCK_EX)
            yield server

    def share(self) -> None:
        """Let others use the server too."""
        if self.is_alone:
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self.is_alone = False


@contextmanager
def holding(home: Home, line: str | None = None) -> Iterator[Hold]:
    """Hold the home's server, alone if possible; it is gone afterwards unless others use it.

    `line` is the release line of a new store.
    """
    folder = EngineFolder(home.neo4j)
    folder.make()
    with opened(folder.users_lock) as users:
        is_alone = _take(users)
        home.require_finished()
        if is_alone and not folder.is_kept():
            swap.finish(folder)
        hold = Hold(folder, users, line, is_alone)
        try:
            yield hold
        finally:
            hold.share()
            leave(folder, users)


def _take(users: int) -> bool:
    """Take the lock: alone (true) or, where others share it, shared. A keeper that stops its server is waited for."""
    while True:
        if try_lock(users, fcntl.LOCK_EX):
            return True
        if try_lock(users, fcntl.LOCK_SH):
            return False
        time.sleep(_POLL_S)
