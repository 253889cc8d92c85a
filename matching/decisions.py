"""Traces of decisions, kept 90 days: written before the answer goes out, looked up by id.

One SQLite file in the home, in WAL mode: several workers write, and a decision that was answered outlives the kill of
the process that made it (not a power cut: the log is not forced to the disk for each). Customers appear as
pseudonyms only.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import orjson

from lake.errors import HomeError, UnknownName
from lake.home import Home, enough_disk
from matching.decision import Decision
from matching.written import Written

KEEP_DAYS = 90
FILE = "decisions.sqlite"
TABLE = "CREATE TABLE IF NOT EXISTS decisions (id TEXT PRIMARY KEY, at INTEGER NOT NULL, trace BLOB NOT NULL)"
"""Rows lie in the order in which they came: a trace fills a page, and in the order of ids it would take two."""
RENEWED = (
    "ALTER TABLE decisions RENAME TO former",
    "DROP INDEX IF EXISTS decisions_at",
    TABLE,
    "INSERT INTO decisions SELECT id, at, trace FROM former ORDER BY at, id",
    "DROP TABLE former",
)
"""For a file of before, which was in the order of ids."""
MOST_PAGES = 50_000
"""Pages (200 MB) that wait in the log at most, should nobody call `settle`."""
WAIT_S = 10.0
"""How long a writer waits for another's transaction."""
RENEWAL_S = 1800.0
"""How long a worker waits at its start for another that brings a file of before into order."""


class Decisions:
    """The traces of one home. Safe to share between threads and to open from several processes.

    `record(decision)` keeps one, `get(id)` gives its trace, `prune(now)` drops those older than KEEP_DAYS.
    """

    def __init__(self, home: Home) -> None:
        self._lock = threading.Lock()
        self._path = home.root / FILE
        with enough_disk(home.root):
            self._connection = sqlite3.connect(self._path, timeout=WAIT_S, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {MOST_PAGES}")
            self._renew()
        self._path.chmod(0o600)

    def _renew(self) -> None:
        former = "SELECT 1 FROM sqlite_master WHERE name = 'decisions' AND sql LIKE '% WITHOUT ROWID'"
        self._connection.execute(f"PRAGMA busy_timeout = {RENEWAL_S * 1000:.0f}")
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement in RENEWED if self._connection.execute(former).fetchone() else (TABLE,):
                self._connection.execute(statement)
        self._connection.execute(f"PRAGMA busy_timeout = {WAIT_S * 1000:.0f}")

    def record(self, decision: Decision, now: dt.datetime | None = None) -> None:
        """Keep a decision's trace; call it before the answer is given."""
        self.record_many([decision], now)

    def record_many(self, decisions: Iterable[Decision | Written], now: dt.datetime | None = None) -> None:
        """Keep several in one transaction. Raises HomeError where they cannot be written: none is kept then."""
        at = now or dt.datetime.now(dt.UTC)
        second = int(at.timestamp())
        moment = at.isoformat(timespec="seconds").encode()
        written = (d if isinstance(d, Written) else Written.of(d) for d in decisions)
        rows = [(d.id, second, d.trace(moment)) for d in written]
        try:
            with self._lock, self._connection:
                self._connection.executemany("INSERT INTO decisions (id, at, trace) VALUES (?, ?, ?)", rows)
        except sqlite3.OperationalError as error:  # no space left, a lock that nobody lets go
            raise HomeError(f"{FILE} cannot be written ({error})", "look at the home's disk, and ask again") from None

    def get(self, id: str) -> dict[str, Any]:
        """The trace of a decision. Raises UnknownName where there is none, or none any more."""
        with self._lock:
            found = self._connection.execute("SELECT trace FROM decisions WHERE id = ?", (id,)).fetchone()
        if found is None:
            raise UnknownName(f"there is no decision {id}", f"decisions are kept {KEEP_DAYS} days")
        trace: dict[str, Any] = orjson.loads(found[0])
        return trace

    def prune(self, now: dt.datetime | None = None) -> int:
        """Drop traces older than KEEP_DAYS; returns how many."""
        before = (now or dt.datetime.now(dt.UTC)) - dt.timedelta(days=KEEP_DAYS)
        with self._lock, self._connection:
            # the first row that stays: what goes is read, and no more
            stays = self._connection.execute(
                "SELECT rowid FROM decisions WHERE at >= ? ORDER BY rowid LIMIT 1", (int(before.timestamp()),)
            ).fetchone()
            gone = "DELETE FROM decisions WHERE rowid < ?" if stays else "DELETE FROM decisions"
            return self._connection.execute(gone, stays or ()).rowcount

    def settle(self) -> None:
        """Bring what was logged into the file, which waits for the disk: not while an answer waits for this.

        Raises HomeError where that cannot be done now; nothing is lost.
        """
        try:
            with closing(sqlite3.connect(self._path, timeout=0)) as apart:
                apart.execute("PRAGMA wal_checkpoint (PASSIVE)")
        except sqlite3.OperationalError as error:  # the log grows on, and is settled another time
            raise HomeError(f"{FILE} cannot be written ({error})", "look at the home's disk") from None

    def close(self) -> None:
        with self._lock:
            self._connection.close()
