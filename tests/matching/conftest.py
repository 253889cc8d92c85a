"""A hand-made operator: seven numbers, five apps, three offers, and a snapshot of two dimensions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from embeddings.publish import make_current, write_snapshot
from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import Settings, load_settings
from lake.tables import Lake
from loaders.feeds import FEEDS
from matching.state import MatchState

TODAY = dt.date(2026, 6, 1)


def user(i: int) -> bytes:
    """A pseudonym that sorts as its number and ends in NUL."""
    return bytes([0, i + 1]) + bytes(14)


def table(schema: dict[str, pa.DataType], *rows: tuple) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table({name: pa.array(c, kind) for (name, kind), c in zip(schema.items(), columns, strict=True)})


TEXT, BINARY, DAY, MOMENT = pa.string(), pa.binary(), pa.date32(), pa.timestamp("us")
TEXTS = pa.list_(TEXT)
START = dt.date(2025, 1, 1)


def put(lake: Lake, name: str, part: pa.Table) -> None:
    """Write a keyed table as the loaders do: with all columns of its feed."""
    if name == "customers":
        part = part.append_column("kind", pa.array(["person"] * part.num_rows))
    for field in FEEDS["users" if name == "customers" else name].schema:
        if field.name not in part.column_names:
            part = part.append_column(field, pa.nulls(part.num_rows, field.type))
    lake.write(name, part)


def write_lake(lake: Lake) -> None:
    """Customers 0 to 5 and the off-net number 6; see each table for what sets them apart."""
    put(
        lake,
        "customers",
        table(
            {"user": BINARY, "off_net": pa.bool_(), "consent": pa.bool_(), "no_contact": pa.bool_(), "status": TEXT,
             "left_on": DAY, "sim": TEXT, "city": TEXT, "arpu": pa.float64()},
            (user(0), False, True, False, "active", None, "5g", "Bonn", 20.0),
            (user(1), False, True, False, "active", None, "5g", "Bonn", 30.0),
            (user(2), False, True, False, None, None, None, "Ulm", None),
            (user(3), False, False, False, "active", None, "5g", "Bonn", 20.0),
            (user(4), False, True, True, "active", None, "5g", "Bonn", 20.0),
            (user(5), False, True, False, None, dt.date(2026, 5, 1), "5g", "Bonn", 20.0),
            (user(6), True, True, False, None, None, None, None, None),
        ),
    )  # fmt: skip
    put(
        lake,
        "handsets",
        table(
            {"handset": TEXT, "brand": TEXT, "model": TEXT, "os": TEXT, "network": TEXT},
            ("p1", "Acme", "One", "Android", "4g"),
            ("p2", "Acme", "Two", "iOS", "3g"),
        ),
    )
    put(
        lake,
        "user_handsets",
        table(
            {"user": BINARY, "handset": TEXT, "since": DAY, "until": DAY},
            (user(0), "p2", START, dt.date(2026, 1, 1)),
            (user(0), "p1", dt.date(2026, 1, 1), None),
            (user(1), "p1", START, None),
            (user(2), "p1", START, None),
            (user(3), "p1", START, None),
            (user(4), "p1", START, None),
            (user(4), "p2", dt.date(2026, 2, 1), None),
            (user(5), "p1", START, None),
        ),
    )
    put(
        lake,
        "apps",
        table(
            {"app": TEXT, "name": TEXT, "category": TEXT, "os": TEXTS},
            ("chat", "Chat", "talk", []),
            ("game", "Game", "fun", ["android"]),
            ("maps", "Maps", "go", ["android", "ios"]),
            ("news", "News", None, ["ios"]),
            ("radio", "Radio", "talk", None),
        ),
    )
    uses = [(0, "maps"), (1, "maps"), (1, "game"), (1, "chat"), (2, "game"), (2, "chat"), (3, "game")]
    lake.write_partition(
        "app_usage",
        "month",
        "2026-05",
        table(
            {
                "user": BINARY,
                "app": TEXT,
                "at": MOMENT,
                "day": DAY,
                "sessions": pa.int64(),
                "seconds": pa.float64(),
                "mb": pa.float64(),
            },
            *[(user(u), a, dt.datetime(2026, 5, 2), dt.date(2026, 5, 2), 1, 60.0, None) for u, a in uses],
        ),
    )
    put(
        lake,
        "products",
        table(
            {"product": TEXT, "name": TEXT, "kind": TEXT, "monthly_fee": pa.float64(), "needs_network": TEXT,
             "needs_os": TEXT, "excludes": TEXTS},
            ("basic", "Basic", "plan", 10.0, None, None, None),
            ("gold", "Gold", "plan", 40.0, None, None, ["silver"]),
            ("pack", "Data pack", "data_pack", 5.0, "4g", None, []),
            ("silver", "Silver", "plan", 20.0, None, None, None),
        ),
    )  # fmt: skip
    put(
        lake,
        "subscriptions",
        table(
            {"user": BINARY, "product": TEXT, "since": DAY, "until": DAY},
            (user(0), "basic", START, None),
            (user(0), "gold", START, dt.date(2026, 1, 1)),
            (user(1), "silver", START, dt.date(2027, 1, 1)),
            (user(2), "basic", START, None),
        ),
    )
    put(
        lake,
        "channels",
        table(
            {"channel": TEXT, "name": TEXT, "kind": TEXT, "daily_capacity": pa.int64(), "unit_cost": pa.float64()},
            ("sms", "Message", "sms", None, 0.1),
            ("store", "Store", "store", None, 1.0),
            ("web", "Site", "web", None, 0.0),
        ),
    )
    lake.write(
        "channel_use",
        table(
            {
                "user": BINARY,
                "channel": TEXT,
                "touches": pa.int64(),
                "hours": pa.list_(pa.int64()),
                "last_at": MOMENT,
                "rank": pa.int64(),
            },
            (user(0), "store", 9, [], None, 1),
            (user(0), "sms", 3, [], None, 2),
            (user(2), "web", 5, [], None, 1),
            (user(4), "sms", 5, [], None, 1),
            (user(4), "web", 2, [], None, 2),
        ),
    )
    put(
        lake,
        "offers",
        table(
            {"offer": TEXT, "product": TEXT, "title": TEXT, "script": TEXT, "reason": TEXT, "channels": TEXTS,
             "starts_on": DAY, "ends_on": DAY, "priority": pa.float64(), "value": pa.float64(), "audience": TEXT},
            ("o1", "gold", "Gold", "Say gold.", None, ["sms", "store"], None, TODAY, 50.0, 10.0, None),
            ("o2", "pack", "Pack", None, "your data ran out.", ["sms"], START, None, 100.0, 20.0, "city = Bonn"),
            ("o3", "basic", "Basic", None, None, ["store"], None, dt.date(2026, 1, 31), None, None, None),
        ),
    )  # fmt: skip
    lake.write(
        "segments",
        table({"user": BINARY, "segment": TEXT}, *[(user(i), "s2" if i == 4 else "s1") for i in range(6)]),
    )
    lake.write(
        "categories",
        table(
            {"item_kind": TEXT, "item": TEXT, "category": TEXT},
            ("app", "chat", "talk"),
            ("app", "game", "fun"),
            ("app", "maps", "go"),
            ("app", "radio", "talk"),
            ("product", "gold", "plans"),
            ("product", "basic", "plans"),
        ),
    )
    lake.write(
        "fits",
        table(
            {"segment": TEXT, "item_kind": TEXT, "item": TEXT, "score": pa.float64(), "lift": pa.float64(),
             "channel": TEXT},
            ("s1", "category", "talk", 0.5, 2.0, None),
            ("s1", "category", "fun", 0.5, 1.2, None),
            ("s2", "app", "maps", 0.5, 3.0, None),
            ("s1", "product", "gold", 0.5, 1.5, None),
        ),
    )  # fmt: skip
    write_contacts(lake, [(0, 1, 7), (0, 2, 5), (0, 3, 9), (0, 6, 3)])


def write_contacts(lake: Lake, pairs: list[tuple[int, int, int]], period: str = "2026-05") -> None:
    """Calls between pairs, once in each direction."""
    both = pairs + [(b, a, n) for a, b, n in pairs]
    counts = {f"{name}_{way}": pa.int64() for name in ("calls", "seconds", "messages") for way in ("out", "in")}
    rest = {"days": pa.int64(), "first_at": MOMENT, "last_at": MOMENT}
    at = dt.datetime(2026, 5, 3)
    rows = sorted((user(a), user(b), n, 0, 60 * n, 0, 0, 0, 1, at, at) for a, b, n in both)
    columns = {"user": BINARY, "contact": BINARY, **counts, **rest}
    lake.write_partition("contacts", "period", period, table(columns, *rows))


APPS = ["chat", "game", "maps", "news", "radio"]
PRODUCTS = ["basic", "gold", "pack", "silver"]
APP_VECTORS = [[1, 0], [2, 0], [0, 1], [0, 2], [1, 0]]
USER_VECTORS = [[1, 0.5], [0, 1], [0, 0], [1, 1], [1, 1]]
POPULARITY = [0.4, 0.6, 0.3, 0.2, 0.05]
SEGMENT_APPS = [[0.5, 0.4, 0.3, 0.9, 0.1], [0.2, 0.9, 0.6, 0.7, 0.1]]


def write_small_snapshot(home: Home) -> str:
    """Vectors of customers 0, 1, 2, 3 and 5; customer 4 came later, and of customer 2 nothing is known."""
    trained = [0, 1, 2, 3, 5]
    arrays = {
        "users": np.frombuffer(b"".join(user(i) for i in trained), np.uint8).reshape(-1, 16),
        "user_vectors": np.array(USER_VECTORS, np.float32),
        "app_vectors": np.array(APP_VECTORS, np.float32),
        "app_popularity": np.array(POPULARITY, np.float32),
        "product_vectors": np.array([[0], [1], [0], [0]], np.float32),
        "product_user_vectors": np.array([[2], [1], [0], [1], [1]], np.float32),
        "product_popularity": np.array([0.5, 0.1, 0.2, 0.1], np.float32),
        "user_segment": np.zeros(5, np.int32),
        "segment_app_scores": np.array(SEGMENT_APPS, np.float32),
        "segment_product_scores": np.array([[0.5, 0.3, 0.2, 0.1], [0.5, 0.1, 0.2, 0.1]], np.float32),
    }
    rates = {"acceptance": pa.float64(), "shown": pa.int64(), "accepted": pa.int64()}
    tables = {
        "apps": pa.table({"app": APPS}),
        "products": pa.table({"product": PRODUCTS}),
        "segments": pa.table({"segment": ["s1", "s2"]}),
        "offers": table(
            {"offer": TEXT, "product": TEXT, **rates}, ("o1", "gold", 0.2, 8, 2), ("o2", "pack", 0.1, 9, 1)
        ),
        "offer_segments": table({"offer": TEXT, "segment": TEXT, **rates}, ("o1", "s1", 0.3, 4, 2)),
        "channels": table({"channel": TEXT, **rates}),
    }
    id = write_snapshot(home, arrays, tables, {"made_by": "hand"})
    make_current(home, id)
    return id


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", today=TODAY)


@pytest.fixture
def home(settings: Settings) -> Home:
    return Home.open(settings, create=True)


@pytest.fixture
def lake(home: Home) -> Lake:
    lake = Lake(home.lake)
    write_lake(lake)
    return lake


@pytest.fixture
def load(home: Home, lake: Lake, settings: Settings) -> Callable[[], MatchState]:
    """Load the state from the lake as it is when called."""
    write_small_snapshot(home)
    return lambda: MatchState.load(home, settings, lake, Snapshot.current(home))


@pytest.fixture
def state(load: Callable[[], MatchState]) -> MatchState:
    return load()
