"""The keeper: `python -m graph.engine.keeper FOLDER CACHE LINE`, one a home while somebody uses its server.

It leads a session of its own, so that Ctrl-C in a user's terminal passes it by. It starts the server,
restarts it on the same port when it dies, and stops it as soon as no user holds `users.lock`.
When the keeper itself is killed, the kernel kills the server.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from graph.engine import aot, config, java, swap
from graph.engine.folder import EngineFolder, State, opened, try_lock
from graph.engine.jars import lock_path, path_of, read_lock
from graph.engine.releases import Release, release_for
from lake.errors import EngineError

POLL_S = 0.1
STOP_S = 60.0
START_S = 240.0
RESTARTS = 5
"""How often a server that has worked is started again before the keeper gives up."""


class Keeper:
    """One home's server from its first user to its last. Call `run` with `server_lock` held."""

    def __init__(self, folder: EngineFolder, cache: Path, release: Release, server_lock: int) -> None:
        self.folder = folder
        self.jars = [path_of(jar, cache) for jar in read_lock(lock_path(release.version))]
        self.quick_start = aot.options(release.version, cache)
        self.release = release
        self.server_lock = server_lock
        self.is_told_to_stop = False
        self._reservation, self.port = java.reserve_port(_last_port(folder))

    def run(self) -> None:
        """Start, watch, restart, stop. Leaves the reason in the state when the server does not start."""
        signal.signal(signal.SIGTERM, self._on_term)
        self._say("starting")
        self._prepare()
        for _ in range(RESTARTS + 1):
            server = self._start()
            with opened(self.folder.users_lock) as users:
                is_wanted = self._watch(server, users)
                if not is_wanted:  # `users` is held: whoever comes now waits until this server is gone
                    self._say("stopping", server.pid)
                    _stop(server)
                    return
        raise EngineError(
            f"Neo4j {self.release.version} ended {RESTARTS + 1} times", f"its log ended with:\n{self.folder.log_tail()}"
        )

    def _prepare(self) -> None:
        """Configuration and, for a new store, the password."""
        folder, memory = self.folder, config.memory_mb(config.machine_memory_mb())
        swap.finish(folder)
        folder.conf.write_text(config.neo4j_conf(self.release, self.port, memory))
        if not (folder.data / "databases" / "system").exists():
            password = secrets.token_hex(24)
            folder.password_file.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(folder.password_file, flags, 0o600), "w", encoding="ascii") as file:
                file.write(password)
            java.set_initial_password(self.jars, folder.root, password)
        elif not folder.password_file.exists():
            raise EngineError(
                f"{folder.password_file} is gone, and nobody else knows the server's password",
                f"bring it back, or delete {folder.root} and load again",
            )
        self.heap_mb = memory["heap"]

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self.folder
        server = java.start_server(
            self.release, self.jars, folder.root, self.heap_mb, folder.console_log, self.server_lock, self.quick_start
        )
        self._say("starting", server.pid)
        return server

    def _watch(self, server: subprocess.Popen[bytes], users: int) -> bool:
        """True when a server that had worked died, False (holding `users` alone, or told to stop) to stop it.

        Raises EngineError when it dies, or is silent for too long, before it accepts a connection.
        """
        has_worked = False
        deadline = time.monotonic() + START_S
        while True:
            if self.is_told_to_stop or try_lock(users, fcntl.LOCK_EX):
                return False
            if server.poll() is not None or (not has_worked and time.monotonic() > deadline):
                if has_worked:
                    return True
                _stop(server)
                raise EngineError(
                    f"Neo4j {self.release.version} did not start",
                    f"see {self.folder.root / 'logs'}; its log ended with:\n{self.folder.log_tail()}",
                )
            if not has_worked and java.accepts(self.port):
                has_worked = True
                self.folder.version_file.write_text(self.release.version)
                self._say("running", server.pid)
            time.sleep(POLL_S)

    def _say(self, phase: str, server: int = 0) -> None:
        self.folder.say(State(phase, os.getpid(), server, self.port, self.release.version))

    def _on_term(self, signum: int, frame: FrameType | None) -> None:
        self.is_told_to_stop = True


def _is_first(server_lock: int) -> bool:
    """Take the lock; users hold it for an instant when they look, so one refusal is not the last word."""
    for _ in range(10):
        if try_lock(server_lock, fcntl.LOCK_EX):
            return True
        time.sleep(0.02)
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _last_port(folder: EngineFolder) -> int:
    """The port of the last server here, so that users of a killed one find the next; 0 for any."""
    state = folder.state()
    return state.port if state else 0


def main(arguments: list[str]) -> int:
    """Exit status 0: done, or another keeper was first; 1: the state says what failed."""
    folder, cache, line = EngineFolder(Path(arguments[0])), Path(arguments[1]), arguments[2]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with opened(folder.server_lock) as server_lock:
        if not _is_first(server_lock):
            return 0
        try:
            release = release_for(line, folder.version())
            Keeper(folder, cache, release, server_lock).run()
        except EngineError as error:
            folder.say(State("failed", os.getpid(), error=error.found, remedy=error.remedy))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
