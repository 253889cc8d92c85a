"""Lakes made by hand: as few rows as a test needs, every column of the feed present, as loaders leave them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lake.settings import Settings
from lake.tables import Lake

TODAY = dt.date(2026, 7, 1)

TEXT, NUMBER, WHOLE = pa.string(), pa.float64(), pa.int64()
DAY, MOMENT, FLAG, TEXTS, USER = pa.date32(), pa.timestamp("us"), pa.bool_(), pa.list_(pa.string()), pa.binary()
EVENT = {"at": MOMENT, "day": DAY, "hour": pa.uint8()}

COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "customers": {
        "user": USER,
        "off_net": FLAG,
        "activated_on": DAY,
        "left_on": DAY,
        "status": TEXT,
        "kind": TEXT,
        "account": USER,
        "birth_year": WHOLE,
        "gender": TEXT,
        "income_band": WHOLE,
        "city": TEXT,
        "brand": TEXT,
        "star": WHOLE,
        "arpu": NUMBER,
        "contract_until": DAY,
        "sim": TEXT,
        "person": USER,
        "consent": FLAG,
        "no_contact": FLAG,
    },
    "handsets": {"handset": TEXT, "brand": TEXT, "model": TEXT, "os": TEXT, "released_on": DAY, "price": NUMBER},
    "user_handsets": {"user": USER, "handset": TEXT, "since": DAY, "until": DAY},
    "apps": {"app": TEXT, "name": TEXT, "category": TEXT, "os": TEXTS, "own": FLAG},
    "app_usage": {"user": USER, "app": TEXT, **EVENT, "sessions": WHOLE, "seconds": WHOLE, "mb": NUMBER},
    "products": {"product": TEXT, "name": TEXT, "kind": TEXT, "monthly_fee": NUMBER, "excludes": TEXTS},
    "subscriptions": {"user": USER, "product": TEXT, "since": DAY, "until": DAY},
    "bills": {"user": USER, "month": TEXT, "fee": NUMBER},
    "channels": {"channel": TEXT, "name": TEXT, "kind": TEXT},
    "touches": {"user": USER, "channel": TEXT, **EVENT},
    "offers": {"offer": TEXT, "product": TEXT, "title": TEXT, "channels": TEXTS, "starts_on": DAY, "audience": TEXT},
    "responses": {
        "user": USER,
        "offer": TEXT,
        "channel": TEXT,
        **EVENT,
        "outcome": TEXT,
        "decision": TEXT,
        "position": WHOLE,
        "probability": NUMBER,
    },
    "cells": {"cell": TEXT, "lat": NUMBER, "lon": NUMBER},
    "stores": {"store": TEXT, "name": TEXT, "lat": NUMBER, "lon": NUMBER},
    "contacts": {
        "user": USER,
        "contact": USER,
        "period": TEXT,
        "calls_out": WHOLE,
        "calls_in": WHOLE,
        "seconds_out": WHOLE,
        "seconds_in": WHOLE,
        "messages_out": WHOLE,
        "messages_in": WHOLE,
        "days": WHOLE,
        "first_at": MOMENT,
        "last_at": MOMENT,
    },
}
ABSENT: dict[str, Any] = {"off_net": False, "consent": True, "no_contact": False, "sessions": 1}
"""What a row that does not say has, where that is not null."""

Fill = Callable[..., Lake]


def user(number: int) -> bytes:
    """The pseudonym of a customer in these tests; they sort as their numbers."""
    return number.to_bytes(16, "big")


def as_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a lake table: customers as small numbers, moments as `2026-06-30T21:00` (UTC), days as text."""
    columns = COLUMNS[name]
    if unknown := {column for row in rows for column in row} - set(columns):
        raise KeyError(f"{name} has no {unknown}")
    arrays = []
    for column, kind in columns.items():
        values = [_value(kind, _given(row, column)) for row in rows]
        arrays.append(pa.array(values, kind))
    return pa.table(arrays, names=list(columns))


def _given(row: dict[str, Any], column: str) -> Any:
    if column in row or "at" not in row or column not in ("day", "hour"):
        return row.get(column, ABSENT.get(column))
    moment = dt.datetime.fromisoformat(row["at"])
    return str(moment.date()) if column == "day" else moment.hour


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if kind == USER:
        return user(value)
    if kind == DAY:
        return dt.date.fromisoformat(value)
    return dt.datetime.fromisoformat(value) if kind == MOMENT else value


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, today=TODAY)


@pytest.fixture
def fill(lake: Lake) -> Fill:
    """Write tables: `fill(apps=[{"app": "maps", "name": "Maps"}], customers=[1, 2])`.

    Customers may be bare numbers; contacts are rows of one direction a period, written in both.
    """

    def write(**tables: list[Any]) -> Lake:
        for name, rows in tables.items():
            if name == "customers":
                rows = [row if isinstance(row, dict) else {"user": row} for row in rows]
                lake.write(name, as_table(name, sorted(rows, key=lambda row: row["user"])))
            elif name == "contacts":
                for period in {row["period"] for row in rows}:
                    both = [row for row in rows if row["period"] == period]
                    both += [_reversed(row) for row in both]
                    both.sort(key=lambda row: (row["user"], row["contact"]))
                    lake.write_partition(name, "period", period, as_table(name, both))
            elif "at" in COLUMNS[name]:
                for month in {row["at"][:7] for row in rows}:
                    part = [row for row in rows if row["at"].startswith(month)]
                    lake.write_partition(name, "month", month, as_table(name, part))
            else:
                lake.write(name, as_table(name, rows))
        return lake

    return write


def _reversed(row: dict[str, Any]) -> dict[str, Any]:
    """The same tie seen from the other end."""
    swap = {"user": "contact", "contact": "user"}
    swap |= {f"{what}_{way}": f"{what}_{back}" for what in ("calls", "seconds", "messages") for way, back in WAYS}
    return {swap.get(column, column): value for column, value in row.items()}


WAYS = (("out", "in"), ("in", "out"))
