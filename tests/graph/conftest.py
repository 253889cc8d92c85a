"""Lakes made by hand: as few rows as a test needs, every column of the feed present, as loaders leave them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from graph.dumbbell import build
from graph.engine.server import Endpoint
from graph.load import load_graph
from graph.store import Store
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
    "offers": {
        "offer": TEXT,
        "product": TEXT,
        "title": TEXT,
        "channels": TEXTS,
        "starts_on": DAY,
        "ends_on": DAY,
        "audience": TEXT,
    },
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
    "url_rules": {"pattern": TEXT, "app": TEXT, "tag": TEXT, "content": TEXT},
    "web_use": {
        "user": USER,
        "day": DAY,
        "hour": pa.uint8(),
        "app": TEXT,
        "tag": TEXT,
        "content": TEXT,
        "visits": WHOLE,
        "mb": NUMBER,
        "first_at": MOMENT,
        "last_at": MOMENT,
    },
    "questions": {"question": TEXT, "answer": TEXT, "text": TEXT, "tags": TEXTS, "offer": TEXT},
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


def write_tables(lake: Lake, **tables: list[Any]) -> Lake:
    """Write tables from rows, see `fill`."""
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
        elif "at" in COLUMNS[name] or name == "web_use":
            moment = "day" if name == "web_use" else "at"
            for month in {row[moment][:7] for row in rows}:
                part = [row for row in rows if row[moment].startswith(month)]
                lake.write_partition(name, "month", month, as_table(name, part))
        else:
            lake.write(name, as_table(name, rows))
    return lake


@pytest.fixture
def fill(lake: Lake) -> Fill:
    """Write tables: `fill(apps=[{"app": "maps", "name": "Maps"}], customers=[1, 2])`.

    Customers may be bare numbers; contacts are rows of one direction a period, written in both.
    """
    return partial(write_tables, lake)


def tie_row(user: int, contact: int, period: str, **counts: int) -> dict[str, Any]:
    """A row of contacts: `tie_row(1, 2, "2026-05", calls_out=3)`."""
    numbers = {f"{what}_{way}": 0 for what in ("calls", "seconds", "messages") for way in ("out", "in")}
    moments = {"first_at": f"{period}-02T10:00", "last_at": f"{period}-03T11:30:00.000123"}
    return {"user": user, "contact": contact, "period": period, "days": 1, **numbers, **moments, **counts}


OPERATOR: dict[str, list[Any]] = dict(  # noqa: C408  reads as the call of `fill`
    customers=[
        {
            "user": 1,
            "activated_on": "2020-02-29",
            "kind": "person",
            "birth_year": 1990,
            "city": "Ålesund",
            "arpu": 12.5,
            "person": 77,
            "account": 78,
        },
        {"user": 2, "person": 77, "consent": False},
        {"user": 3, "off_net": True},
    ],
    handsets=[{"handset": "a1", "brand": "Acme", "os": "android", "released_on": "2024-01-15", "price": 199.0}],
    user_handsets=[
        {"user": 1, "handset": "a1", "since": "2025-01-01", "until": "2025-06-30"},
        {"user": 1, "handset": "a1", "since": "2026-01-01"},
        {"user": 2, "handset": "b2", "since": "2026-01-01"},
    ],
    apps=[{"app": "chess", "name": "Chess", "category": "games", "os": ["android", "ios"], "own": False}],
    app_usage=[
        {"user": 1, "app": "chess", "at": "2026-05-31T22:30", "sessions": 2, "seconds": 60, "mb": 0.1},
        {"user": 1, "app": "chess", "at": "2026-06-02T08:00", "sessions": 3, "mb": 0.2},
        {"user": 3, "app": "odd", "at": "2026-06-01"},
    ],
    products=[
        {"product": "s", "name": "Plan S", "kind": "plan", "monthly_fee": 10.0, "excludes": ["m", "xl"]},
        {"product": "m", "name": "Plan M", "kind": "plan"},
    ],
    subscriptions=[
        {"user": 1, "product": "s", "since": "2025-01-01"},
        {"user": 2, "product": "gone", "since": "2024-01-01", "until": "2024-12-31"},
    ],
    channels=[{"channel": "sms", "name": "Text", "kind": "sms"}],
    touches=[
        {"user": 1, "channel": "sms", "at": "2026-06-01T09:10"},
        {"user": 1, "channel": "shop", "at": "2026-06-01T09:15"},
        {"user": 1, "channel": "sms", "at": "2026-06-03T18:00"},
    ],
    offers=[{"offer": "o1", "product": "m", "title": "Move up", "channels": ["sms", "web"], "starts_on": "2026-01-01"}],
    responses=[
        {"user": 1, "offer": "o1", "channel": "sms", "at": "2026-06-01T09:10", "outcome": "shown", "decision": "d1"},
        {"user": 2, "offer": "o9", "channel": "web", "at": "2026-06-01T09:10", "outcome": "refused"},
        {"user": 2, "offer": "o9", "channel": "web", "at": "2026-06-01T09:10", "outcome": "refused"},
    ],
    cells=[{"cell": "c1", "lat": 50.0, "lon": 8.0}],
    stores=[
        {"store": "far", "name": "Far", "lat": 51.0, "lon": 8.0},
        {"store": "near", "name": "Near", "lat": 50.01, "lon": 8.0},
    ],
    contacts=[
        tie_row(1, 2, "2026-05", calls_out=3, calls_in=1, seconds_out=100),
        tie_row(2, 3, "2026-05", messages_in=4),
        tie_row(2, 1, "2026-06", calls_out=7),
    ],
)


@pytest.fixture(scope="session")
def small_operator() -> dict[str, list[Any]]:
    """Two customers, one off-net number, and a few of everything."""
    return OPERATOR


@pytest.fixture(scope="session")
def tie() -> Callable[..., dict[str, Any]]:
    """`tie_row`."""
    return tie_row


@pytest.fixture
def operator(fill: Fill, settings: Settings) -> Lake:
    """A lake of the small operator, with its dumbbell."""
    lake = fill(**OPERATOR)
    build(lake, settings)
    return lake


@pytest.fixture(scope="module")
def operator_store(tmp_path_factory: pytest.TempPathFactory, neo4j_endpoint: Endpoint) -> Iterator[Store]:
    """The small operator in Neo4j, for tests that only read, in a file where nothing else writes."""
    home = tmp_path_factory.mktemp("operator")
    settings = Settings(home=home, today=TODAY)
    lake = write_tables(Lake(home / "lake"), **OPERATOR)
    build(lake, settings)
    with Store(neo4j_endpoint) as store:
        store.wipe(schema=True)
        load_graph(lake, store, settings)
        yield store


def _reversed(row: dict[str, Any]) -> dict[str, Any]:
    """The same tie seen from the other end."""
    swap = {"user": "contact", "contact": "user"}
    swap |= {f"{what}_{way}": f"{what}_{back}" for what in ("calls", "seconds", "messages") for way, back in WAYS}
    return {swap.get(column, column): value for column, value in row.items()}


WAYS = (("out", "in"), ("in", "out"))
