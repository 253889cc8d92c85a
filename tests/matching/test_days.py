"""Days by the operator's clock: the same of a moment in Python and of a column in the engine."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.answered import Answered
from matching.days import Days
from matching.decision import MatchRequest
from matching.match import match
from matching.room import room_left
from matching.state import MatchState
from tests.matching.conftest import MOMENT, TODAY, user
from tests.matching.test_fatigue import COLUMNS, offers, table

ZONES = ("UTC", "Asia/Shanghai", "America/Lima", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")


@given(
    moments=st.lists(st.datetimes(dt.datetime(2001, 1, 1), dt.datetime(2059, 1, 1)), min_size=1, max_size=20),
    name=st.sampled_from(ZONES),
)
@settings(max_examples=60, deadline=None)
def test_a_column_is_read_as_each_moment(moments, name):
    days = Days(ZoneInfo(name))
    moments = [moment.replace(microsecond=0) for moment in moments]
    column = ibis.memtable(pa.table({"at": pa.array(moments, MOMENT)}))
    assert column.select(local=days.local(column.at)).to_pyarrow()["local"].to_pylist() == [
        days.at(moment) for moment in moments
    ]
    for moment in moments:
        today = days.at(moment).date()
        assert days.begins(today) <= moment < days.begins(today + dt.timedelta(days=1))


@given(st.dates(dt.date(2000, 1, 1), dt.date(2059, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_a_time_of_a_day_is_on_that_day(day, time, name):
    days = Days(ZoneInfo(name))
    assert days.at(days.on(day, time)).date() == day


def test_the_calendars_ends_stay_in_it():
    for name in ZONES:
        for end in (dt.datetime.min, dt.datetime.max):
            assert Days(ZoneInfo(name)).at(end) is not None


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Shanghai", -8), ("America/Lima", 5)])
@pytest.mark.parametrize("hour", [0, 7, 12, 23])
def test_contacts_of_today_are_those_since_the_operators_midnight(home, lake, load, zone, hours, hour):
    """One message a day: one at `hour` today takes the room, one in the last minute of yesterday does not."""
    from embeddings.snapshot import Snapshot
    from lake.settings import load_settings

    feed = lake.read("channels")
    capacity = pa.array([1 if name == "sms" else None for name in feed["channel"].to_pylist()], pa.int64())
    lake.write("channels", feed.set_column(feed.schema.get_field_index("daily_capacity"), "daily_capacity", capacity))
    midnight = dt.datetime.combine(TODAY, dt.time()) + dt.timedelta(hours=hours)
    told = {True: midnight + dt.timedelta(hours=hour), False: midnight - dt.timedelta(minutes=1)}
    one_a_day = {"fatigue": {"contacts": 1, "days": 1}}
    given = load_settings(home=home.root, today=TODAY, timezone=zone, rules=one_a_day)
    for today, at in told.items():
        load()
        state = MatchState.load(home, given, lake, Snapshot.current(home))
        answered = Answered(state.days)
        answered.add(user(0), "offer", "o2", "shown", at, channel="sms")
        since_load = room_left(state.channels, answered.met, TODAY).tolist(), offers(state, 0, answered)
        lake.write_partition("responses", "month", "2026-05", table(COLUMNS, (user(0), "o2", "sms", at, "shown", None)))
        state = MatchState.load(home, given, lake, Snapshot.current(home))
        room = room_left(state.channels, None, TODAY).tolist()
        lake.drop("responses")
        assert (room, offers(state, 0)) == since_load
        assert (room[0], offers(state, 0)) == ((0, []) if today else (1, ["o1", "o2"]))
        both = Answered(state.days)  # the same contact, known twice, is one
        both.add(user(0), "offer", "o2", "shown", at, channel="sms")
        assert bool(match(state, MatchRequest(user(0), "app"), both).items) is not today
