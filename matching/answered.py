"""What customers answered since the lake was read, in memory and in force at once.

`matching.fatigue` puts it together with what the lake knows, and says what follows.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field

import pyarrow as pa

from matching.days import Days
from matching.identity import contact, meeting, refusal
from matching.room import Met

OUTCOMES = ("shown", "accepted", "refused", "ignored")
PAUSING = ("accepted", "refused")
LONGEST = dt.timedelta(days=366)
"""Contacts older than this beside the customer's latest are forgotten: no rule looks back further."""


@dataclass(frozen=True)
class Said:
    """What one customer answered.

    paused    the last day on which each (kind, item) was refused or accepted
    accepted  the last day on which each (kind, item) was accepted
    refused   refusals of each (kind, item), by `refusal`, with their days
    contacts  by `contact`, with the last day that an answer named each
    """

    paused: dict[tuple[str, str], dt.date] = field(default_factory=dict)
    accepted: dict[tuple[str, str], dt.date] = field(default_factory=dict)
    refused: dict[tuple[str, str], dict[int, dt.date]] = field(default_factory=dict)
    contacts: dict[int, dt.date] = field(default_factory=dict)


@dataclass
class Answered:
    """Answers given since the lake was read, by pseudonym. Safe to share between threads.

    `days` is the operator's clock, UTC without; `today` is set where matching has another day than that clock shows.

    >>> answered = Answered()
    >>> answered.add(b"0123456789abcdef", "offer", "o1", "refused", dt.datetime(2026, 5, 1))
    >>> answered.of_user(b"0123456789abcdef").paused
    {('offer', 'o1'): datetime.date(2026, 5, 1)}
    """

    days: Days = field(default_factory=Days)
    today: dt.date | None = None
    met: Met = field(default_factory=Met)
    _by_user: dict[bytes, Said] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, table: pa.Table, days: Days | None = None, today: dt.date | None = None) -> Answered:
        """From a table as `Answers.all()` gives; `days` and `today` as above."""
        answered = cls(days or Days(), today)
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
        """Take one answer in force, in whatever order answers arrive, and however often."""
        day, key = self.days.at(at).date(), (kind, item)
        now = self.today or self.days.at(dt.datetime.now(dt.UTC).replace(tzinfo=None)).date()
        self.met.add(day, channel, meeting(decision, user), now)
        with self._lock:
            known = self._by_user.get(user, Said())
            contacts = _latest(known.contacts, contact(decision, channel, day), day)
            if len(contacts) > len(known.contacts):
                newest = min(now, max(contacts.values()))  # one of a day to come must not drive out those of today
                contacts = {id: last for id, last in contacts.items() if newest - last <= LONGEST}
            paused = _latest(known.paused, key, day) if outcome in PAUSING else known.paused
            accepted = _latest(known.accepted, key, day) if outcome == "accepted" else known.accepted
            refused = known.refused
            if outcome == "refused":
                refused = {**refused, key: _latest(refused.get(key, {}), refusal(decision, at), day)}
            self._by_user[user] = Said(paused, accepted, refused, contacts)  # replaced, so that readers need no lock

    def of_user(self, user: bytes) -> Said | None:
        """What a customer said, None for nothing."""
        return self._by_user.get(user)

    def users(self) -> list[bytes]:
        """Everybody who answered something."""
        return list(self._by_user)


def _latest(known, key, day):  # type: ignore[no-untyped-def]
    """The days of `known`, with `day` for `key` unless that has a later one."""
    return {**known, key: max(day, known.get(key, day))}
