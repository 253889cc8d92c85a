"""The day that 'past', 'last three months' and offer dates are seen from."""

from __future__ import annotations

import datetime as dt

import pyarrow.parquet as pq

from lake.settings import Settings
from lake.tables import Lake

EVENTS = ("app_usage", "touches", "responses", "calls", "web_visits")


def today(settings: Settings, lake: Lake, clock: bool = False) -> dt.date:
    """`settings.today`; else with `clock` the local date now; else the day after the lake's last event.

    A lake without events takes the local date now.
    """
    if settings.today is not None:
        return settings.today
    last = None if clock else last_day(lake)
    return dt.datetime.now(settings.zone).date() if last is None else last + dt.timedelta(days=1)


def last_day(lake: Lake) -> dt.date | None:
    """The local day of the lake's last event, from the files' statistics; None without events."""
    return max((day for day in last_days(lake).values() if day is not None), default=None)


def last_days(lake: Lake) -> dict[str, dt.date | None]:
    """The local day of the last event in each event table that there is; None for one without rows."""
    return {name: _last_day(lake, name) for name in EVENTS if lake.has(name)}


def _last_day(lake: Lake, name: str) -> dt.date | None:
    for month in reversed(lake.partitions(name)):
        days = []
        for path in lake.files(name, month):
            facts = pq.read_metadata(path)
            place = facts.schema.to_arrow_schema().get_field_index("day")
            for group in range(facts.num_row_groups):
                statistics = facts.row_group(group).column(place).statistics
                if statistics is not None and statistics.has_min_max:
                    days.append(statistics.max)
        if days:
            return max(days)
    return None
