"""Channel use: three months of local days, the busiest hours first, ranks with ties settled."""

import datetime as dt

from graph.dumbbell.channel_use import measure_channel_use

TODAY = dt.date(2026, 7, 1)


def touched(user, channel, *moments):
    return [{"user": user, "channel": channel, "at": at} for at in moments]


def rows(lake):
    return [{k: v for k, v in row.items() if k != "user"} for row in measure_channel_use(lake, TODAY).to_pylist()]


def test_touches_hours_last_moment_and_rank(fill):
    lake = fill(
        touches=touched(1, "sms", "2026-06-01T09:10", "2026-06-02T09:20", "2026-06-03T20:00", "2026-06-04T07:00")
        + touched(1, "sms", "2026-06-05T06:00", "2026-06-05T06:30")
        + touched(1, "app", "2026-06-06T12:00")
    )
    assert rows(lake) == [
        {"channel": "app", "touches": 1, "hours": [12], "last_at": dt.datetime(2026, 6, 6, 12), "rank": 2},
        {"channel": "sms", "touches": 6, "hours": [6, 9, 7], "last_at": dt.datetime(2026, 6, 5, 6, 30), "rank": 1},
    ]


def test_three_months_begin_on_the_same_day_of_the_month_and_end_today(fill):
    lake = fill(
        touches=touched(1, "a", "2026-03-31T23:59", "2026-04-01T00:00")
        + touched(1, "b", "2026-03-31T10:00")
        + touched(1, "c", "2026-07-01T10:00", "2026-07-02T10:00")
    )
    assert [(row["channel"], row["touches"]) for row in rows(lake)] == [("a", 1), ("c", 1)]


def test_equal_channels_go_by_later_use_then_by_name(fill):
    lake = fill(
        touches=touched(1, "early", "2026-06-01T10:00")
        + touched(1, "z", "2026-06-02T10:00")
        + touched(1, "b", "2026-06-02T10:00")
        + touched(2, "early", "2026-06-01T10:00")
    )
    ranks = [(row["channel"], row["rank"]) for row in rows(lake)]
    assert ranks == [("b", 1), ("early", 3), ("z", 2), ("early", 1)]


def test_an_unknown_hour_counts_as_a_touch_and_is_no_hour(fill):
    unknown = {"user": 1, "channel": "sms", "at": "2026-06-01T00:00", "hour": None}
    lake = fill(touches=[unknown, unknown, *touched(1, "sms", *(f"2026-06-02T{h:02d}:00" for h in (5, 6, 7, 8)))])
    (row,) = rows(lake)
    assert (row["touches"], row["hours"]) == (6, [5, 6, 7])


def test_nobody_touched(fill):
    assert rows(fill(customers=[1])) == []
    assert rows(fill(touches=touched(1, "sms", "2025-01-01T10:00"))) == []
