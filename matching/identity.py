"""What tells contacts, and refusals, apart: the same of the feed's answers and of the API's, in 64 bits."""

from __future__ import annotations

import datetime as dt
import hashlib


def contact(decision: str | None, channel: str | None, day: dt.date) -> int:
    """What tells contacts apart: the decision; without one, all of a day on one channel is one contact."""
    return short(decision or f"{channel or ''} {day}")


def refusal(decision: str | None, at: dt.datetime) -> int:
    """What tells refusals of one item apart: the decision, or the second."""
    return short(decision or f"{at:%Y-%m-%d %H:%M:%S}")


def meeting(decision: str | None, user: bytes) -> int:
    """What tells contacts of a day and channel apart: the decision; without one, the customer."""
    return short(decision or user.hex())


def short(text: str) -> int:
    """The first 64 bits of the text's SHA-256.

    >>> f"{short('x'):016x}"
    '2d711642b726b044'
    """
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
