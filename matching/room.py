"""What each channel has room for yet today: its daily capacity less the contacts that responses name.

A contact is a decision once any response names it; a customer's responses without a decision are one contact a day and
channel. The feed's of today come with the channels, those given since are counted in `Met`, and what is in both counts
once. A decision that nobody has answered takes no room.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from matching.channels import Channels

DAYS = 3
"""The last days whose contacts are kept: today, and what clocks of other zones call so."""


@dataclass
class Met:
    """Contacts by day and channel, each once. Safe to share between threads.

    >>> met, day = Met(), dt.date(2026, 5, 1)
    >>> for contact in (1, 1, 2, 3):
    ...     met.add(day, "sms", contact)
    >>> met.count(day, "sms"), met.count(day, "sms", frozenset({2, 9})), met.count(dt.date(2026, 5, 2), "sms")
    (3, 2, 0)
    """

    _contacts: dict[tuple[dt.date, str], dict[int, None]] = field(default_factory=dict)
    _counted: dict[tuple[dt.date, str], tuple[frozenset[int], int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, day: dt.date, channel: str | None, contact: int, now: dt.date = dt.date.max) -> None:
        """Count a contact, once however often it is named; days after `now` drive out none before."""
        if channel is None:
            return
        with self._lock:
            self._contacts.setdefault((day, channel), {})[contact] = None
            first = sorted({known for known, _ in self._contacts if known <= now})[-DAYS:]
            for old in [key for key in self._contacts if first and key[0] < first[0]]:
                del self._contacts[old]
                self._counted.pop(old, None)

    def count(self, day: dt.date, channel: str, known: frozenset[int] = frozenset()) -> int:
        """Contacts that are not among the `known`; what was counted before for the same is not looked at again."""
        met = self._contacts.get((day, channel), {})
        if not known:
            return len(met)
        with self._lock:
            than, seen, count = self._counted.get((day, channel), (known, 0, 0))
            seen, count = (seen, count) if than is known else (0, 0)
            if seen < len(met):
                count += sum(contact not in known for contact in islice(met, seen, None))
                self._counted[day, channel] = known, len(met), count
            return count


def room_left(channels: Channels, met: Met | None, today: dt.date) -> np.ndarray:
    """Contacts that each channel may have yet today: int64 (c), -1 where it is not bounded."""
    left = channels.capacity.copy()
    for place, room in _left(channels, met, today):
        left[place] = room
    return left


def without_room(channels: Channels, met: Met | None, today: dt.date) -> np.ndarray | None:
    """Channels without room left today, bool (c); None where all have some, which is soon seen."""
    spent = [place for place, room in _left(channels, met, today) if not room]
    if not spent:
        return None
    found = np.zeros(len(channels.capacity), bool)
    found[spent] = True
    return found


def _left(channels: Channels, met: Met | None, today: dt.date) -> list[tuple[int, int]]:
    """Place of each bounded channel, and the contacts that it may have yet."""
    return [
        (place, max(0, room - (0 if met is None else met.count(today, name, known))))
        for place, name, room, known in channels.room
    ]
