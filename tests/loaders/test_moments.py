"""Moments and dates against Python's datetime and zoneinfo."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.moments import BAD, DATE, EMPTY, INSTANT, LOCAL, parse, zone

EPOCH = dt.datetime(1970, 1, 1)
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]


def micros(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("2026-05-01", DATE, dt.datetime(2026, 5, 1)),
        ("2026-05-01T12:30", LOCAL, dt.datetime(2026, 5, 1, 12, 30)),
        ("2026-05-01 12:30:15", LOCAL, dt.datetime(2026, 5, 1, 12, 30, 15)),
        ("2026-05-01T12:30:15.123456789", LOCAL, dt.datetime(2026, 5, 1, 12, 30, 15, 123456)),
        ("2026-05-01T12:30:15,5Z", INSTANT, dt.datetime(2026, 5, 1, 12, 30, 15, 500000)),
        ("2026-05-01T12:30:15+02:00", INSTANT, dt.datetime(2026, 5, 1, 10, 30, 15)),
        ("2026-05-01T12:30:15-0330", INSTANT, dt.datetime(2026, 5, 1, 16, 0, 15)),
        ("2026-05-01T12:30:15+02", INSTANT, dt.datetime(2026, 5, 1, 10, 30, 15)),
        ("20260501T123015Z", INSTANT, dt.datetime(2026, 5, 1, 12, 30, 15)),
        ("2026-W18-5T12:30", LOCAL, dt.datetime(2026, 5, 1, 12, 30)),
        ("  2026-05-01 ", DATE, dt.datetime(2026, 5, 1)),
        ("2024-02-29", DATE, dt.datetime(2024, 2, 29)),
        ("1969-12-31T23:59:59", LOCAL, dt.datetime(1969, 12, 31, 23, 59, 59)),
    ],
)
def test_forms_of_iso_8601(text: str, form: int, value: dt.datetime) -> None:
    found, forms = parse(pa.array([text]))
    assert (int(forms[0]), int(found[0])) == (form, micros(value))


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "2026-02-29",
        "2026-5-1",
        "1.5.2026",
        "2026-05-01T25:00",
        "2026-05-01T12:60",
        "20260501",
        "now",
        "2026-05-01T12:30:15+0",
        "2026-05-01T12:30:15.",
        "2026-05-01Tx2:30",
        "0000-01-01",
        "2026-05-01T12:30 CET",
    ],
)
def test_what_is_no_moment_is_bad(text: str) -> None:
    assert parse(pa.array([text]))[1].tolist() == [BAD]


def test_empty_is_neither_good_nor_bad() -> None:
    assert parse(pa.array([None, "", " "]))[1].tolist() == [EMPTY] * 3


@given(st.lists(st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2199, 12, 30)), max_size=20))
def test_what_python_writes_is_read(moments: list[dt.datetime]) -> None:
    found, form = parse(pa.array([m.isoformat() for m in moments], pa.string()))
    assert found.tolist() == [micros(m) for m in moments]
    assert set(form.tolist()) <= {LOCAL}


@pytest.mark.parametrize("name", ZONES)
@given(wall=st.datetimes(dt.datetime(1980, 1, 2), dt.datetime(2100, 12, 30)))
def test_local_time_is_what_zoneinfo_says(name: str, wall: dt.datetime) -> None:
    utc, missing = zone(name).to_utc(np.array([micros(wall)]))
    instant = wall.replace(tzinfo=ZoneInfo(name), fold=0).astimezone(dt.UTC)
    occurs = instant.astimezone(ZoneInfo(name)).replace(tzinfo=None) == wall
    assert bool(missing[0]) is not occurs
    if occurs:
        assert int(utc[0]) == micros(instant.replace(tzinfo=None))
        assert zone(name).to_local(utc)[0] == micros(wall)


def test_an_hour_that_occurs_twice_is_the_first_and_one_that_does_not_is_missing() -> None:
    walls = [dt.datetime(2026, 10, 25, 2, 30), dt.datetime(2026, 3, 29, 2, 30)]
    utc, missing = zone("Europe/Berlin").to_utc(np.array([micros(w) for w in walls]))
    assert missing.tolist() == [False, True]
    assert int(utc[0]) == micros(dt.datetime(2026, 10, 25, 0, 30))  # +02:00, before the clock goes back
    assert int(utc[1]) == micros(dt.datetime(2026, 3, 29, 1, 0))  # the instant of the change
