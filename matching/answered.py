"""What customers answered: a refused or accepted item is not shown again for a while.

`Paused` holds what the lake knew when the state was loaded, `Answered` what came since, in memory and in force at once.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from matching.arrays import Ragged, positions
from matching.room import Met

OUTCOMES = ("shown", "accepted", "refused", "ignored")
PAUSING = ("accepted", "refused")
PAUSE_DAYS = 90
"""Days for which an item that a customer refused, or accepted, is not shown to that customer again."""


@dataclass(frozen=True)
class Paused:
    """Items paused for each customer, by position: `offers` and `apps`, both Ragged (n + 1)."""

    offers: Ragged
    apps: Ragged


def is_pausing(outcome: str, answered_on: dt.date, today: dt.date) -> bool:
    """Whether an answer still pauses its item on a day.

    >>> is_pausing("refused", dt.date(2026, 5, 1), dt.date(2026, 6, 1))
    True
    >>> is_pausing("refused", dt.date(2026, 1, 1), dt.date(2026, 6, 1))
    False
    """
    return outcome in PAUSING and (today - answered_on).days < PAUSE_DAYS


def load_paused(lake: Lake, users: pa.ChunkedArray, offers: pa.Array, apps: pa.Array, today: dt.date) -> Paused:
    """Answers of the lake, from the feed `responses` and from `answers`, that still pause an item."""
    first = pa.scalar(dt.datetime.combine(today - dt.timedelta(days=PAUSE_DAYS - 1), dt.time()), pa.timestamp("us"))
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"offer": [], "app": []}
    for name in ("responses", "answers"):
        if not lake.has(name):
            continue
        table = lake.scan(name)
        recent = table.filter(table.outcome.isin(PAUSING) & (table["at"] >= first.as_py()))
        columns = ["user", "offer"] if name == "responses" else ["user", "item", "kind"]
        rows = recent.select(*columns).to_pyarrow()
        for kind, items in (("offer", offers), ("app", apps)):
            if name == "responses" and kind == "app":
                continue
            part = rows if name == "responses" else rows.filter(pc.equal(rows["kind"], kind))
            item = part["offer" if name == "responses" else "item"]
            found[kind].append((positions(part["user"], users), positions(item, items)))
    n = len(users)

    def lists(kind: str) -> Ragged:
        pairs = found[kind] or [(np.array([], np.int64), np.array([], np.int64))]
        return Ragged.of(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]), rows=n + 1)

    return Paused(lists("offer"), lists("app"))


@dataclass
class Answered:
    """Answers given since the lake was read, by pseudonym. Safe to share between threads.

    >>> answered = Answered()
    >>> answered.add(b"0123456789abcdef", "offer", "o1", "refused", dt.datetime(2026, 5, 1))
    >>> answered.paused(b"0123456789abcdef", "offer", dt.date(2026, 5, 2))
    ['o1']
    """

    met: Met = field(default_factory=Met)
    _by_user: dict[bytes, dict[tuple[str, str, str], dt.date]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, table: pa.Table) -> Answered:
        """From a table as `Answers.all()` gives."""
        answered = cls()
        answered.take(table)
        return answered

    def take(self, table: pa.Table) -> None:
        """Take all answers of a table in force: `user, kind, item, outcome, at`, and `decision, channel` if known."""
        names = ("user", "kind", "item", "outcome", "at", "decision", "channel")
        columns = (table[n].to_pylist() if n in table.column_names else [None] * table.num_rows for n in names)
        for row in zip(*columns, strict=True):
            self.add(*row)

    def add(
        self,
        user: bytes,
        kind: str,
        item: str,
        outcome: str,
        at: dt.datetime,
        decision: str | None = None,
        channel: str | None = None,
    ) -> None:
        """Take one answer in force. The latest of each outcome counts, in whatever order answers arrive."""
        self.met.add(at.date(), channel, decision or user)
        if outcome not in PAUSING:
            return
        with self._lock:
            known = dict(self._by_user.get(user, {}))
            key = (kind, item, outcome)
            known[key] = max(at.date(), known.get(key, at.date()))
            self._by_user[user] = known  # replaced, so that readers need no lock

    def paused(self, user: bytes, kind: str, today: dt.date) -> list[str]:
        """Identifiers of the items of a kind that are paused for a customer."""
        known = self._by_user.get(user, {})
        return sorted({i for (k, i, outcome), day in known.items() if k == kind and is_pausing(outcome, day, today)})

    def users(self) -> list[bytes]:
        """Everybody who answered something that pauses an item."""
        return list(self._by_user)
