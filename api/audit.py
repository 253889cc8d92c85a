"""Which key asked for whom: `HOME/audit/2026-11-22.jsonl`, one line a request, in a file a day (UTC).

    {"at": "2026-11-22T09:30:00.123+00:00", "key": "shop-app", "route": "POST /v1/match", "users": ["6f1c0a52-…"]}

Lines are written before the answer goes out, appended and never changed, and customers are pseudonyms. Files are
readable by their owner alone and go after a number of days. Only `rekey` and `forget` write them anew: with the new
pseudonyms, and with null in the place of a customer who is forgotten.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from lake.errors import DiskFull
from lake.home import Home, enough_disk

FOLDER = "audit"
DAY_S = 86_400
BATCH = 10_000
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.jsonl")

Change = Callable[[list[str]], list[str | None]]
"""From pseudonyms in text to those to write, None for a customer who is forgotten."""


class Audit:
    """The audit log of one home. Safe to share between threads and processes."""

    def __init__(self, home: Home, keep_days: int) -> None:
        self._home = home
        self._keep_days = keep_days
        self._day = -1
        self._file = -1
        self._opening = threading.Lock()

    def note(self, key: str, route: str, users: Sequence[str], now: float | None = None) -> None:
        """Say that a key asked for these customers (pseudonyms; none for a list that names no one beforehand).

        `now` is in Unix seconds. Raises DiskFull: what cannot be noted is not to be answered.
        """
        now = time.time() if now is None else now
        if now // DAY_S != self._day:
            self._open(int(now // DAY_S))
        at = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="milliseconds")
        line = orjson.dumps({"at": at, "key": key, "route": route, "users": users}, option=orjson.OPT_APPEND_NEWLINE)
        with enough_disk(self._home.root):
            if os.write(self._file, line) < len(line):  # one write, so that lines of several workers do not mix
                raise DiskFull(f"no space left for {self._home.root}", "free some space and ask again")

    def close(self) -> None:
        with self._opening:
            if self._file >= 0:
                os.close(self._file)
            self._file = self._day = -1

    def _open(self, day: int) -> None:
        with self._opening:
            if day == self._day:
                return
            folder = self._home.root / FOLDER
            with enough_disk(self._home.root):
                folder.mkdir(mode=0o700, exist_ok=True)
                path = folder / f"{dt.date(1970, 1, 1) + dt.timedelta(days=day)}.jsonl"
                fresh = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            former, self._file, self._day = self._file, fresh, day
            if former >= 0:
                os.close(former)
            self._prune(day)

    def _prune(self, day: int) -> None:
        """Take away the files of days that are past their time."""
        first = dt.date(1970, 1, 1) + dt.timedelta(days=day - self._keep_days + 1)
        for path in files_of(self._home):
            if dt.date.fromisoformat(path.stem) < first:
                path.unlink(missing_ok=True)


def files_of(home: Home) -> list[Path]:
    """The audit log's files, the oldest first."""
    folder = home.root / FOLDER
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.exists() else []


def stage_audit(home: Home, staging: Path, change: Change) -> int:
    """Stage the log with other pseudonyms; returns in how many places a customer was forgotten.

    A line that a full disk cut off goes.
    """
    gone = 0
    for path in files_of(home):
        target = staging / path.relative_to(home.root)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            enough_disk(home.root),
            open(path, "rb") as before,
            open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as after,
        ):
            whole = _whole(before)
            while lines := list(islice(whole, BATCH)):
                named = sorted({user for line in lines for user in line["users"] if user is not None})
                new = dict(zip(named, change(named), strict=True))
                for line in lines:
                    users = [user and new[user] for user in line["users"]]
                    gone += users.count(None) - line["users"].count(None)
                    after.write(orjson.dumps({**line, "users": users}, option=orjson.OPT_APPEND_NEWLINE))
    return gone


def _whole(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that were written to their end; one that a kill cut short tells of no answered request."""
    for line in lines:
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
