"""Periods partition the days: every day lies in one, and they follow each other without gaps."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.periods import first_day, last_day, next_period, period_of, periods_between

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31))


@pytest.mark.parametrize("length", ["month", "week"])
@given(day=DAYS)
def test_every_day_lies_in_its_period(length, day: dt.date) -> None:
    period = period_of(day, length)
    assert first_day(period) <= day <= last_day(period)
    assert period_of(first_day(period), length) == period == period_of(last_day(period), length)
    assert first_day(next_period(period)) == last_day(period) + dt.timedelta(days=1)


@pytest.mark.parametrize("length", ["month", "week"])
@given(one=DAYS, days=st.integers(0, 800))
def test_periods_sort_as_text_and_none_is_left_out(length, one: dt.date, days: int) -> None:
    other = one + dt.timedelta(days=days)
    found = periods_between(period_of(one, length), period_of(other, length))
    walked = sorted({period_of(one + dt.timedelta(days=d), length) for d in range(days + 1)})
    assert found == walked


def test_weeks_are_iso_weeks() -> None:
    assert period_of(dt.date(2026, 12, 31), "week") == "2026-W53"
    assert period_of(dt.date(2024, 12, 30), "week") == "2025-W01"
