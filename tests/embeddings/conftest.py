"""Lakes written by hand, in the form that the loaders give them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lake.home import Home
from lake.settings import Settings, load_settings
from lake.tables import Lake

START = dt.date(2026, 1, 1)


def user(i: int) -> bytes:
    """A pseudonym of 16 bytes that sorts as its number, and sometimes ends in NUL."""
    return i.to_bytes(8, "big") + bytes(8)


def write_customers(lake: Lake, n: int, off_net: tuple[int, ...] = (), **columns: list) -> None:
    lake.write(
        "customers",
        pa.table({"user": [user(i) for i in range(n)], "off_net": [i in off_net for i in range(n)], **columns}),
    )


def write_usage(lake: Lake, rows: list[tuple], month: str = "2026-01") -> None:
    """Rows of (user position, app, day offset from 2026-01-01[, sessions, seconds, mb])."""
    full = [(*row, *(1, 60.0, 0.5)[len(row) - 3 :]) for row in rows]
    days = [START + dt.timedelta(days=r[2]) for r in full]
    table = pa.table(
        {
            "user": pa.array([user(r[0]) for r in full], pa.binary()),
            "app": pa.array([r[1] for r in full], pa.string()),
            "at": pa.array([dt.datetime.combine(d, dt.time()) for d in days], pa.timestamp("us")),
            "day": pa.array(days, pa.date32()),
            "sessions": pa.array([r[3] for r in full], pa.int64()),
            "seconds": pa.array([r[4] for r in full], pa.float64()),
            "mb": pa.array([r[5] for r in full], pa.float64()),
        }
    )
    lake.write_partition("app_usage", "month", month, table)


def write_two_tastes(lake: Lake, users: int = 120, apps: int = 80, seed: int = 0) -> None:
    """Even users use even apps, odd ones odd apps: 8 of their half in January, and a new one at its end."""
    rng = np.random.default_rng(seed)
    write_customers(lake, users)
    rows = []
    for u in range(users):
        mine = rng.permutation(np.arange(u % 2, apps, 2))[:9]
        rows += [(u, f"app{a:02d}", int(rng.integers(0, 20))) for a in mine[:8]]
        rows.append((u, f"app{mine[8]:02d}", int(rng.integers(26, 31))))
    write_usage(lake, sorted(rows))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def home(settings: Settings) -> Home:
    return Home.open(settings, create=True)


@pytest.fixture
def lake(home: Home) -> Lake:
    return Lake(home.lake)


@pytest.fixture
def write() -> dict[str, Callable[..., None]]:
    """The writers above, for tests in other files."""
    return {"customers": write_customers, "usage": write_usage, "two_tastes": write_two_tastes}
