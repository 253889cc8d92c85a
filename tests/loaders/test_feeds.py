"""Every feed with a full row as the specification describes it, and every column's rule broken once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from loaders.feeds import FEEDS

DAY = dt.date
ROWS: dict[str, dict[str, tuple[str, Any]]] = {  # column: (as in the feed, as in the lake)
    "users": {
        "number": ("+49 151 1", "491511"),
        "activated_on": ("2020-01-02", DAY(2020, 1, 2)),
        "left_on": ("2026-01-02", DAY(2026, 1, 2)),
        "status": ("left", "left"),
        "kind": ("company", "company"),
        "birth_year": ("1990", 1990),
        "gender": ("f", "f"),
        "income_band": ("5", 5),
        "city": (" Bad Homburg ", "Bad Homburg"),
        "brand": ("Red", "Red"),
        "star": ("0", 0),
        "arpu": ("-12.50", -12.5),
        "contract_until": ("2027-01-01", DAY(2027, 1, 1)),
        "sim": ("5g", "5g"),
        "consent": ("false", False),
        "no_contact": ("true", True),
    },
    "handsets": {
        "handset": ("35-209900-176148-1", "35209900"),
        "brand": ("Acme", "Acme"),
        "model": ("One", "One"),
        "os": ("android", "android"),
        "os_version": ("14", "14"),
        "network": ("4g", "4g"),
        "screen_inches": ("6.1", 6.1),
        "price": ("199", 199.0),
        "released_on": ("2024-02-29", DAY(2024, 2, 29)),
    },
    "user_handsets": {
        "number": ("491511", "491511"),
        "handset": ("3520990017614823", "35209900"),
        "since": ("2026-01-01", DAY(2026, 1, 1)),
        "until": ("", None),
    },
    "apps": {
        "app": ("maps", "maps"),
        "name": ("Maps", "Maps"),
        "category": ("travel", "travel"),
        "subcategory": ("road", "road"),
        "publisher": ("P", "P"),
        "os": ("android; ios;", ["android", "ios"]),
        "own": ("true", True),
        "price": ("0", 0.0),
    },
    "app_usage": {
        "number": ("491511", "491511"),
        "app": ("maps", "maps"),
        "at": ("2026-05-01T12:00:00+02:00", dt.datetime(2026, 5, 1, 10)),
        "sessions": ("3", 3),
        "seconds": ("60", 60),
        "mb": ("1.5", 1.5),
    },
    "web_visits": {
        "number": ("491511", "491511"),
        "at": ("2026-05-01T12:00:00", dt.datetime(2026, 5, 1, 12)),
        "url": ("https://News.example/a/b?user=491511#x", "news.example/a/b"),
        "mb": ("1", 1.0),
    },
    "url_rules": {
        "pattern": ("*.example", "*.example"),
        "app": ("news", "news"),
        "tag": ("reader", "reader"),
        "content": ("sport", "sport"),
    },
    "products": {
        "product": ("p1", "p1"),
        "name": ("Plan", "Plan"),
        "kind": ("plan", "plan"),
        "monthly_fee": ("9.99", 9.99),
        "minutes": ("100", 100.0),
        "mb": ("1000", 1000.0),
        "messages": ("10", 10),
        "extra_minute": ("0.1", 0.1),
        "extra_mb": ("0.01", 0.01),
        "extra_message": ("0.1", 0.1),
        "valid_days": ("30", 30),
        "contract_months": ("24", 24),
        "needs_network": ("4g", "4g"),
        "needs_os": ("android", "android"),
        "excludes": ("p2;p3", ["p2", "p3"]),
    },
    "subscriptions": {
        "number": ("491511", "491511"),
        "product": ("p1", "p1"),
        "since": ("2026-01-01", DAY(2026, 1, 1)),
        "until": ("2026-02-01", DAY(2026, 2, 1)),
    },
    "bills": {
        "number": ("491511", "491511"),
        "month": ("2026-05", "2026-05"),
        "fee": ("9.99", 9.99),
        "minutes": ("10.5", 10.5),
        "mb": ("500", 500.0),
        "messages": ("3", 3),
        "complaints": ("0", 0),
        "dropped_calls": ("1", 1),
        "slow_sessions": ("2", 2),
        "roaming_days": ("0", 0),
        "days_on": ("30", 30),
        "recharged": ("10", 10.0),
        "balance": ("-3.5", -3.5),
    },
    "channels": {
        "channel": ("sms", "sms"),
        "name": ("SMS", "SMS"),
        "kind": ("sms", "sms"),
        "daily_capacity": ("1000", 1000),
        "unit_cost": ("0.01", 0.01),
    },
    "touches": {
        "number": ("491511", "491511"),
        "channel": ("sms", "sms"),
        "at": ("2026-05-01T12:00:00Z", dt.datetime(2026, 5, 1, 12)),
    },
    "offers": {
        "offer": ("o1", "o1"),
        "product": ("p1", "p1"),
        "title": ("More", "More"),
        "script": ('Say, "hello"', 'Say, "hello"'),
        "reason": ("uses much", "uses much"),
        "channels": ("sms;store", ["sms", "store"]),
        "starts_on": ("2026-01-01", DAY(2026, 1, 1)),
        "ends_on": ("2026-12-31", DAY(2026, 12, 31)),
        "priority": ("100", 100),
        "value": ("5", 5.0),
        "audience": ("bill.mb > 400 and city = Bonn", "bill.mb > 400 and city = Bonn"),
    },
    "responses": {
        "number": ("491511", "491511"),
        "offer": ("o1", "o1"),
        "channel": ("sms", "sms"),
        "at": ("2026-05-01T12:00:00Z", dt.datetime(2026, 5, 1, 12)),
        "outcome": ("refused", "refused"),
        "decision": ("d1", "d1"),
        "position": ("1", 1),
        "probability": ("0.25", 0.25),
    },
    "calls": {
        "caller": ("491511", "491511"),
        "callee": ("+43 1 234", "431234"),
        "at": ("2026-05-01T12:00:00Z", dt.datetime(2026, 5, 1, 12)),
        "seconds": ("60", 60),
        "kind": ("voice", "voice"),
        "answered": ("true", True),
        "cell": ("c1", "c1"),
        "record": ("out", "out"),
        "call": ("x1", "x1"),
    },
    "cells": {"cell": ("c1", "c1"), "lat": ("50.7", 50.7), "lon": ("-7.1", -7.1)},
    "stores": {"store": ("s1", "s1"), "name": ("Centre", "Centre"), "lat": ("-90", -90.0), "lon": ("180", 180.0)},
    "questions": {
        "question": ("q1", "q1"),
        "answer": ("a1", "a1"),
        "text": ("Yes,\nplease", "Yes,\nplease"),
        "tags": ("happy", ["happy"]),
        "offer": ("o1", "o1"),
    },
}


def csv_of(feed: str, **changed: str) -> str:
    """A header and one full row; `changed` replaces cells."""
    cells = {name: given for name, (given, _) in ROWS[feed].items()} | changed
    quoted = ['"' + value.replace('"', '""') + '"' for value in cells.values()]
    return ",".join(cells) + "\n" + ",".join(quoted) + "\n"


def lake_row(bench, feed: str) -> dict[str, Any]:
    (row,) = bench.rows(feed, *FEEDS[feed].schema.names)
    return dict(zip(FEEDS[feed].schema.names, row, strict=True))


@pytest.mark.parametrize("feed", FEEDS)
def test_a_full_row_arrives_in_the_lake(bench, feed: str) -> None:
    report = bench.load({f"{feed}.csv": csv_of(feed)})
    counts = report.feeds[feed]
    assert (counts.read, counts.taken, counts.quarantined, counts.values_dropped) == (1, 1, 0, 0)
    row = lake_row(bench, feed)
    for column in FEEDS[feed].columns:
        if column.name in ROWS[feed]:
            assert row[column.lake_name] == ROWS[feed][column.name][1], column.name
        else:
            assert row[column.lake_name] is None
    assert bench.lake.read(feed).schema.equals(FEEDS[feed].schema)
    if FEEDS[feed].event:
        assert row["day"] == DAY(2026, 5, 1)
        assert row["hour"] == row["at"].hour


@pytest.mark.parametrize("feed", FEEDS)
def test_parquet_of_text_gives_the_same_lake(make_bench, feed: str) -> None:
    one, other = make_bench(), make_bench()
    one.load({f"{feed}.csv": csv_of(feed)})
    other.load({f"{feed}.parquet": pa.table({name: [given] for name, (given, _) in ROWS[feed].items()})})
    assert one.rows(feed) == other.rows(feed)


@pytest.mark.parametrize("feed", FEEDS)
def test_typed_parquet_gives_the_same_lake(make_bench, feed: str) -> None:
    typed = {}
    for name, (given, value) in ROWS[feed].items():
        untouched = isinstance(value, str) or value is None
        typed[name] = [given if untouched else value]
    one, other = make_bench(), make_bench()
    one.load({f"{feed}.csv": csv_of(feed)})
    other.load({f"{feed}.parquet": pa.table(typed)})
    assert one.rows(feed) == other.rows(feed)


REQUIRED = [(feed, c.name) for feed in FEEDS for c in FEEDS[feed].columns if c.required]


@pytest.mark.parametrize(("feed", "column"), REQUIRED)
def test_an_empty_required_cell_is_quarantined(bench, feed: str, column: str) -> None:
    report = bench.load({f"{feed}.csv": csv_of(feed, **{column: " "})})
    if feed == "calls" and column in ("caller", "callee"):
        assert report.feeds[feed].withheld == 1
        assert bench.quarantine(feed) == []
        return
    assert (report.feeds[feed].taken, report.feeds[feed].quarantined) == (0, 1)
    ((file, line, name, _),) = bench.quarantine(feed)
    assert (file, line, name) == (f"{feed}.csv", 2, column)


@pytest.mark.parametrize(("feed", "column"), REQUIRED)
def test_a_missing_required_column_refuses_the_load_naming_feed_file_and_column(bench, feed: str, column: str) -> None:
    from lake.errors import FeedError

    cells = [name for name in ROWS[feed] if name != column] or ["other"]
    with pytest.raises(FeedError, match=f"feed {feed} is refused: {feed}.csv has no column {column}"):
        bench.load({f"{feed}.csv": ",".join(cells) + "\n"})
    assert bench.state() == {}


BAD = {
    "number": "49151x",
    "date": "2026-02-30",
    "moment": "2026-05-01",  # a date where a moment is wanted
    "date or moment": "2026-13-01",
    "month": "2026-13",
    "integer": "1.5",
    "decimal": "1,5",
    "boolean": "yes",
    "choice": "other",
    "list": ";",
    "url": "?a=b",
    "condition": "nonsense = 1",
}


@pytest.mark.parametrize(
    ("feed", "column"), [(feed, c.name) for feed in FEEDS for c in FEEDS[feed].columns if c.type in BAD]
)
def test_a_bad_value_is_quarantined_where_required_and_dropped_where_not(bench, feed: str, column: str) -> None:
    declared = FEEDS[feed].column(column)
    report = bench.load({f"{feed}.csv": csv_of(feed, **{column: BAD[declared.type]})})
    counts = report.feeds[feed]
    if feed == "calls" and declared.type == "number":
        assert (counts.withheld, counts.quarantined) == (1, 0)
    elif declared.required or declared.type == "condition":
        assert (counts.taken, counts.quarantined, counts.values_dropped) == (0, 1, 0)
        ((file, line, name, reason),) = bench.quarantine(feed)
        assert (file, line, name) == (f"{feed}.csv", 2, column)
        assert reason
    else:
        assert (counts.taken, counts.quarantined, counts.values_dropped) == (1, 0, 1)
        default = {"sessions": 1, "seconds": 0, "kind": "voice", "answered": True}
        assert lake_row(bench, feed)[column] == (
            default.get(column) if FEEDS[feed].event and not (feed == "app_usage" and column == "seconds") else None
        )


BOUNDED = [(f, c) for f in FEEDS for c in FEEDS[f].columns if c.low is not None]


@pytest.mark.parametrize(("feed", "column"), BOUNDED)
def test_a_number_outside_its_bounds_is_bad(bench, feed: str, column) -> None:
    for outside in [column.low - 1] + ([column.high + 1] if column.high is not None else []):
        report = bench.load({f"{feed}.csv": csv_of(feed, **{column.name: f"{outside:.15g}"})})
        counts = report.feeds[feed]
        assert counts.quarantined + counts.values_dropped == 1


@pytest.mark.parametrize(("feed", "column"), [(f, c) for f in FEEDS for c in FEEDS[f].columns if c.allowed])
def test_every_choice_is_accepted(bench, feed: str, column) -> None:
    for value in column.allowed:
        counts = bench.load({f"{feed}.csv": csv_of(feed, **{column.name: value})}).feeds[feed]
        assert counts.quarantined + counts.values_dropped == 0


def test_the_keys_and_columns_are_those_of_the_specification() -> None:
    assert list(FEEDS) == list(ROWS)
    assert {name: feed.key for name, feed in FEEDS.items() if not feed.event} == {
        "users": ["user"],
        "handsets": ["handset"],
        "user_handsets": ["user", "handset", "since"],
        "apps": ["app"],
        "url_rules": ["pattern"],
        "products": ["product"],
        "subscriptions": ["user", "product", "since"],
        "bills": ["user", "month"],
        "channels": ["channel"],
        "offers": ["offer"],
        "cells": ["cell"],
        "stores": ["store"],
        "questions": ["question", "answer"],
    }
    left_out = {"account", "person"}  # of users: they have their own test
    assert all(set(feed.names) - left_out == set(ROWS[name]) for name, feed in FEEDS.items())


def test_person_and_account_are_pseudonymised_and_an_account_needs_its_activation(bench) -> None:
    report = bench.load(
        {
            "users.csv": "number,account,person,activated_on\n1,a,p,2026-01-01\n2,b,p,\n3,,q,\n4,c,,2026-99-01\n",
        }
    )
    counts = report.feeds["users"]
    assert (counts.taken, counts.quarantined, counts.values_dropped) == (2, 2, 0)
    reason = "is empty, but an account needs it"
    assert bench.quarantine("users") == [
        ("users.csv", 3, "activated_on", reason),
        ("users.csv", 5, "activated_on", reason),
    ]
    rows = bench.lake.read("users").to_pylist()
    assert all(len(r[c]) == 16 for r in rows for c in ("account", "person") if r[c] is not None)
    assert len({r["person"] for r in rows}) == 2


def test_a_url_rule_says_something(bench) -> None:
    report = bench.load({"url_rules.csv": "pattern,app,tag,content\na.example,,,\nb.example,,t,\n"})
    assert report.feeds["url_rules"].quarantined == 1
    assert bench.rows("url_rules", "pattern") == [("b.example",)]


@pytest.mark.parametrize(
    ("given", "seconds", "kind", "answered"),
    [
        (",,", 0, "voice", False),
        ("60,,", 60, "voice", True),
        ("-1,,", 0, "voice", False),
        ("0,message,", 0, "message", True),
        ("60,voice,false", 60, "voice", False),
        (",message,false", 0, "message", False),
    ],
)
def test_what_a_call_is_when_not_all_is_said(bench, given: str, seconds: int, kind: str, answered: bool) -> None:
    bench.load({"calls.csv": f"caller,callee,at,seconds,kind,answered\n1,2,2026-05-01T10:00Z,{given}\n"})
    assert bench.rows("calls", "seconds", "kind", "answered") == [(seconds, kind, answered)]


def test_a_call_with_a_party_without_a_number_is_counted_and_left_out(bench) -> None:
    rows = ["INFO,2", "1,", "anonymous,", "*100#,2", "1,-", "1,2", "1,1234567890123456", "x,2"]
    moments = ["2026-05-01T10:00Z"] * 7 + ["never"]
    text = "caller,callee,at\n" + "".join(f"{r},{m}\n" for r, m in zip(rows, moments, strict=True))
    counts = bench.load({"calls.csv": text}).feeds["calls"]
    assert (counts.read, counts.taken, counts.withheld, counts.quarantined) == (8, 1, 5, 2)
    assert bench.quarantine("calls") == [
        ("calls.csv", 8, "callee", "has more than 15 digits"),
        ("calls.csv", 9, "at", "is no moment (ISO 8601)"),
    ]


def test_days_and_hours_are_local_and_moments_utc(make_bench) -> None:
    bench = make_bench(timezone="Europe/Berlin")
    report = bench.load(
        {
            "app_usage.csv": "number,app,at\n"
            "1,a,2026-05-01\n"  # local midnight, no hour
            "1,b,2026-05-31T23:30:00Z\n"  # June in Berlin
            "1,c,2026-03-29T02:30:00\n"  # the clock skips it
            "1,d,2026-10-25T02:30:00\n"  # occurs twice: the first
        }
    )
    assert bench.rows("app_usage", "app", "at", "day", "hour") == [
        ("a", dt.datetime(2026, 4, 30, 22), DAY(2026, 5, 1), None),
        ("b", dt.datetime(2026, 5, 31, 23, 30), DAY(2026, 6, 1), 1),
        ("d", dt.datetime(2026, 10, 25, 0, 30), DAY(2026, 10, 25), 2),
    ]
    assert bench.lake.partitions("app_usage") == ["2026-05", "2026-06", "2026-10"]
    assert report.quarantined[0]["reason"] == "does not occur in Europe/Berlin (the clock skips it)"
