"""The day that everything is seen from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from lake.clock import last_day, today
from lake.settings import load_settings
from lake.tables import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    days = {"calls": [dt.date(2026, 4, 30), dt.date(2026, 5, 9)], "app_usage": [dt.date(2026, 5, 11)]}
    for name, found in days.items():
        for day in found:
            lake.write_partition(
                name, "month", f"{day:%Y-%m}", pa.table({"x": [1, 2], "day": [day, day.replace(day=1)]})
            )
    return lake


def test_the_setting_wins(lake: Lake) -> None:
    settings = load_settings(today=dt.date(2020, 1, 1))
    assert today(settings, lake) == today(settings, lake, clock=True) == dt.date(2020, 1, 1)


def test_without_it_the_day_after_the_last_event_of_any_feed(lake: Lake) -> None:
    assert last_day(lake) == dt.date(2026, 5, 11)
    assert today(load_settings(), lake) == dt.date(2026, 5, 12)


def test_the_clock_where_it_is_asked_for_and_where_there_are_no_events(lake: Lake, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC).date()
    for day in (today(load_settings(), lake, clock=True), today(load_settings(), Lake(tmp_path / "none"))):
        assert 0 <= (day - now).days <= 1
