"""What lies in `HOME/neo4j`, and the two locks by which users and keeper find each other.

users.lock   shared by every user while it uses the server; who holds it alone knows that there is no user
server.lock  held alone by the keeper and, inherited, by the server: free means that neither runs
state.json   what the keeper last said of itself (below); a hint, the locks are the truth
password     of the user `neo4j`, mode 0600
version      the Neo4j version that wrote the data last
conf/, data/, logs/, tmp/   the server's own
staged/      a store being made beside; `swap` says that it counts

The operating system lets go of a lock when its last holder ends, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

USER = "neo4j"


@dataclass(frozen=True)
class State:
    """The keeper's word: `phase` is starting, running, stopping or failed; then `error` and `remedy` say more."""

    phase: str
    keeper: int
    server: int = 0
    port: int = 0
    version: str = ""
    error: str = ""
    remedy: str = ""


class EngineFolder:
    """Paths and locks below one `HOME/neo4j`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.users_lock = root / "users.lock"
        self.server_lock = root / "server.lock"
        self.state_file = root / "state.json"
        self.password_file = root / "password"
        self.version_file = root / "version"
        self.conf = root / "conf" / "neo4j.conf"
        self.data = root / "data"
        self.console_log = root / "logs" / "console.log"
        self.log = root / "logs" / "neo4j.log"
        self.keeper_log = root / "logs" / "keeper.log"

    def make(self) -> None:
        for folder in (self.root, self.conf.parent, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)

    def version(self) -> str | None:
        """The Neo4j version that wrote the data last, None for a new store."""
        return self.version_file.read_text().strip() if self.version_file.exists() else None

    def state(self) -> State | None:
        """The keeper's last word, None when there is none or it is being written."""
        try:
            return State(**json.loads(self.state_file.read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def say(self, state: State) -> None:
        beside = self.state_file.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(asdict(state)))
        os.replace(beside, self.state_file)

    def is_kept(self) -> bool:
        """Whether a keeper or a server runs here."""
        with opened(self.server_lock) as descriptor:
            return not try_lock(descriptor, fcntl.LOCK_SH)

    def log_tail(self, lines: int = 12) -> str:
        """The last lines that tell something: Java's own output, then what Neo4j's log has beside INFO."""
        said = []
        if self.console_log.exists():
            said += self.console_log.read_text(errors="replace").splitlines()
        if self.log.exists():
            log = self.log.read_text(errors="replace").splitlines()
            start = max((i for i, line in enumerate(log) if line.endswith("Starting...")), default=0)
            said += [line for line in log[start:] if " INFO " not in line]
        return "\n".join(
            [line for line in said if line.strip() and not line.strip().startswith(("at ", "..."))][-lines:]
        )


def try_lock(descriptor: int, kind: int) -> bool:
    """Take a lock of `kind` (fcntl.LOCK_EX or LOCK_SH) if it can be had at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
