"""Periods: calendar months (`2026-05`) or ISO weeks (`2026-W21`) of local days."""

from __future__ import annotations

import datetime as dt
from typing import Literal

Length = Literal["month", "week"]


def period_of(day: dt.date, length: Length) -> str:
    """The period a day lies in.

    >>> period_of(dt.date(2026, 5, 31), "month"), period_of(dt.date(2027, 1, 1), "week")
    ('2026-05', '2026-W53')
    """
    if length == "month":
        return f"{day.year:04d}-{day.month:02d}"
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def first_day(period: str) -> dt.date:
    """The first day of a period.

    >>> first_day("2026-05"), first_day("2026-W21")
    (datetime.date(2026, 5, 1), datetime.date(2026, 5, 18))
    """
    year, rest = period.split("-")
    if rest.startswith("W"):
        return dt.date.fromisocalendar(int(year), int(rest[1:]), 1)
    return dt.date(int(year), int(rest), 1)


def next_period(period: str) -> str:
    """The period that follows.

    >>> next_period("2026-12"), next_period("2026-W53")
    ('2027-01', '2027-W01')
    """
    start = first_day(period)
    if "W" in period:
        return period_of(start + dt.timedelta(days=7), "week")
    return period_of(start + dt.timedelta(days=31), "month")


def last_day(period: str) -> dt.date:
    """The last day of a period."""
    return first_day(next_period(period)) - dt.timedelta(days=1)


def periods_between(first: str, last: str) -> list[str]:
    """All periods from `first` to `last`, both included, silent ones too.

    >>> periods_between("2026-11", "2027-01")
    ['2026-11', '2026-12', '2027-01']
    """
    found = [first]
    while found[-1] < last:
        found.append(next_period(found[-1]))
    return found
