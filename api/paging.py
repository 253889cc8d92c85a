"""Lists in pages: `{items, next}`, with `limit` and `cursor`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from lake.errors import BadValue

LIMIT = 100
MOST = 1000


def limit_of(text: str | None) -> int:
    """`limit` of the address, 100 without. Raises BadValue outside 1 to 1000."""
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= MOST or len(text) > 6:
        raise BadValue("`limit` is not usable", f"send a whole number from 1 to {MOST}")
    return int(text)


def cursor_of(text: str | None) -> int:
    """Where a page begins. Raises BadValue for what no `next` was."""
    if text is None:
        return 0
    try:
        place = base64.urlsafe_b64decode(text.encode("ascii")).decode("ascii")
        if not place.startswith("at ") or not place[3:].isdigit():
            raise ValueError
        return int(place[3:12])
    except (ValueError, binascii.Error, UnicodeError):
        raise BadValue("`cursor` is not usable", "send the `next` of the page before, unchanged") from None


def next_of(place: int) -> str:
    """The cursor of the page that begins at `place`.

    >>> cursor_of(next_of(200))
    200
    """
    return base64.urlsafe_b64encode(f"at {place}".encode()).decode()


def mark_of(text: str | None, *types: type) -> list[Any] | None:
    """What a page begins after, where a place will not do: values of these types (or null), None for the first page.

    Raises BadValue for what no `next_after` was.
    """
    if text is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError
        if not all(value is None or isinstance(value, kind) for value, kind in zip(values, types, strict=True)):
            raise ValueError
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        raise BadValue("`cursor` is not usable", "send the `next` of the page before, unchanged") from None
    return values


def next_after(*values: Any) -> str:
    """The cursor of the page that begins after an item of these values.

    >>> mark_of(next_after(0.5, None, "a"), float, str, str)
    [0.5, None, 'a']
    """
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def page(items: Sequence[Any], limit: str | None, cursor: str | None) -> dict[str, Any]:
    """One page of a list that is in memory.

    >>> page([1, 2, 3], "2", None)["items"]
    [1, 2]
    """
    most, start = limit_of(limit), cursor_of(cursor)
    end = start + most
    return {"items": list(items[start:end]), "next": next_of(end) if end < len(items) else None}
