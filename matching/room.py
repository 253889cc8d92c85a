"""What each channel has room for yet today: its daily capacity less the contacts that responses name.

A contact is a decision once any response names it; a customer's responses without a decision are one contact a day and
channel. The feed's of today come with the channels, those given since are counted in `Met`. A decision that nobody has
answered takes no room.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field

import numpy as np

from matching.channels import Channels

DAYS = 3
"""The last days whose contacts are kept: today, and what clocks of other zones call so."""


@dataclass
class Met:
    """Contacts by day and channel. Safe to share between threads.

    >>> met = Met()
    >>> for contact in ("decision 1", "decision 1", "decision 2"):
    ...     met.add(dt.date(2026, 5, 1), "sms", contact)
    >>> met.count(dt.date(2026, 5, 1), "sms"), met.count(dt.date(2026, 5, 2), "sms")
    (2, 0)
    """

    _contacts: dict[tuple[dt.date, str], set[object]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, day: dt.date, channel: str | None, contact: object, now: dt.date = dt.date.max) -> None:
        """Count a contact, once however often it is named; days after `now` drive out none before."""
        if channel is None:
            return
        with self._lock:
            self._contacts.setdefault((day, channel), set()).add(contact)
            first = sorted({known for known, _ in self._contacts if known <= now})[-DAYS:]
            for old in [key for key in self._contacts if first and key[0] < first[0]]:
                del self._contacts[old]

    def count(self, day: dt.date, channel: str) -> int:
        return len(self._contacts.get((day, channel), ()))


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
        (place, max(0, room - (0 if met is None else met.count(today, name)))) for place, name, room in channels.room
    ]
