"""The types that parameters and columns of a template may have, and how a value becomes one of them.

A value comes as text (command line) or as JSON (API). No message repeats a value: a caller may
have put a raw number where a pseudonym belongs.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Callable
from typing import Any, Literal

import pyarrow as pa

Type = Literal[
    "text",
    "integer",
    "number",
    "boolean",
    "date",
    "moment",
    "user",
    "list of text",
    "list of integers",
    "list of users",
]
LISTS: dict[str, str] = {"list of text": "text", "list of integers": "integer", "list of users": "user"}
"""List types and the type of their items."""

EXPECTED: dict[str, str] = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date like 2026-05-31",
    "user": "a pseudonym of 36 characters",
    "list of text": "a list of texts",
    "list of integers": "a list of whole numbers",
    "list of users": "a list of pseudonyms of 36 characters",
}
"""What a parameter of each type may be, in the words of a message."""

ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
    "user": pa.string(),
    "list of text": pa.list_(pa.string()),
    "list of integers": pa.list_(pa.int64()),
    "list of users": pa.list_(pa.string()),
}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # a lone surrogate cannot be sent
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    if not math.isfinite(value):
        raise ValueError
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or len(value) != 10:
        raise TypeError
    return dt.date.fromisoformat(value)


def _user(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 36:
        raise TypeError
    return str(uuid.UUID(value))


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "user": _user,
}


_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def convert(value: Any, kind: str, *, from_text: bool = False) -> Any:
    """The JSON value as the type `kind`; with `from_text`, numbers and booleans may come as text.

    Raises ValueError, without repeating the value, where it is none.

    >>> convert(12, "integer"), convert(["a", "b"], "list of text"), convert("12", "number", from_text=True)
    (12, ['a', 'b'], 12.0)
    """
    try:
        if kind in LISTS:
            if not isinstance(value, list):
                raise TypeError
            return [convert(item, LISTS[kind], from_text=from_text) for item in value]
        if from_text and kind in _FROM_TEXT:
            value = _FROM_TEXT[kind](value)
        return _CONVERTERS[kind](value)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ValueError(f"not {EXPECTED[kind]}") from None
