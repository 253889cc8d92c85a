"""Use of apps: the feed's rows, and visits that were translated to apps."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from lake.errors import NotReady
from lake.tables import Lake
from lake.use import COLUMNS, app_use, has_app_use

MAY = dt.datetime(2026, 5, 2, 10)
USAGE = {
    "user": b"u" * 16, "app": "chess", "at": MAY, "day": MAY.date(), "hour": 10, "sessions": 2, "seconds": 60,
    "mb": 0.5,
}  # fmt: skip
VISITS = {
    "user": b"u" * 16, "day": MAY.date(), "hour": 7, "app": "maps", "tag": None, "content": None, "visits": 3,
    "mb": 1.5, "first_at": MAY.replace(hour=7), "last_at": MAY.replace(hour=9),
}  # fmt: skip


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path)


def write(lake: Lake, name: str, *rows: dict[str, Any], month: str = "2026-05") -> None:
    table = pa.Table.from_pylist(list(rows))
    kinds = {
        "at": pa.timestamp("us"),
        "first_at": pa.timestamp("us"),
        "last_at": pa.timestamp("us"),
        "hour": pa.uint8(),
    }
    kinds |= dict.fromkeys(("app", "tag", "content"), pa.string())
    fields = [pa.field(f.name, kinds.get(f.name, f.type)) for f in table.schema]
    lake.write_partition(name, "month", month, table.cast(pa.schema(fields)))


def rows(lake: Lake, month: str | None = None) -> list[tuple[Any, ...]]:
    table = app_use(lake, month).order_by("app").select(*COLUMNS).to_pyarrow()
    return [tuple(row.values())[1:] for row in table.to_pylist()]


def test_nothing_is_known_of_use(lake: Lake) -> None:
    assert not has_app_use(lake)
    with pytest.raises(NotReady, match="app_usage"):
        app_use(lake)


def test_visits_that_name_an_app_are_use(lake: Lake) -> None:
    write(lake, "app_usage", USAGE)
    assert rows(lake) == [("chess", MAY, MAY.date(), 10, 2, 60, 0.5)]
    write(lake, "web_use", VISITS, {**VISITS, "app": None, "tag": "sport"})
    translated = ("maps", MAY.replace(hour=7), MAY.date(), 7, 3, None, 1.5)
    assert rows(lake) == [("chess", MAY, MAY.date(), 10, 2, 60, 0.5), translated]
    lake.drop("app_usage")
    assert has_app_use(lake)
    assert rows(lake) == [translated]


def test_a_month_of_one_of_the_two(lake: Lake) -> None:
    write(lake, "app_usage", USAGE, month="2026-05")
    write(lake, "web_use", VISITS, month="2026-06")
    assert [row[0] for row in rows(lake, "2026-05")] == ["chess"]
    assert [row[0] for row in rows(lake, "2026-06")] == ["maps"]
    assert [row[0] for row in rows(lake)] == ["chess", "maps"]
