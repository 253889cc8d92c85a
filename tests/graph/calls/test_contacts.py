"""Contacts by hand: what is counted, what is one call, what is set apart, what is rebuilt."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from graph.calls import contacts, records
from lake.errors import NotReady
from lake.tables import Lake
from tests.graph.calls.world import call, message, put_calls, put_customers, settings, user, world
from tests.graph.calls.world import contacts as rows_of

MAY = "2026-05"


def build(lake: Lake, period: str = "month") -> list[str]:
    return contacts.build(lake, settings(period))


def test_each_pair_is_counted_from_both_sides(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 60),
            call("a", "b", "2026-05-01 18:00:00", 30),
            call("b", "a", "2026-05-03 09:00:00", 10),
            message("a", "b", "2026-05-07 12:00:00"),
            call("a", "Off", "2026-05-31 23:00:00", 5),
        ],
    )
    assert build(lake) == [MAY]
    found = rows_of(lake, MAY)
    assert sorted(found) == [("Off", "a"), ("a", "Off"), ("a", "b"), ("b", "a")]
    assert found["a", "b"] == {
        "calls_out": 2,
        "calls_in": 1,
        "seconds_out": 90,
        "seconds_in": 10,
        "messages_out": 1,
        "messages_in": 0,
        "days": 3,
        "first_at": dt.datetime(2026, 5, 1, 10),
        "last_at": dt.datetime(2026, 5, 7, 12),
    }
    mirrored = {"calls_out": 1, "calls_in": 2, "seconds_out": 10, "seconds_in": 90, "messages_out": 0, "messages_in": 1}
    assert found["b", "a"] == {**found["a", "b"], **mirrored}


def test_unanswered_calls_self_calls_and_withheld_parties_are_no_contacts(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 0),
            call("a", "b", "2026-05-01 10:00:00", 20, answered=False),
            call("a", "a", "2026-05-01 10:00:00", 60),
            call(None, "a", "2026-05-01 10:00:00", 60),
            call("a", None, "2026-05-01 10:00:00", 60),
            call("c", "b", "2026-05-01 10:00:00", 0, answered=True),
        ],
    )
    build(lake)
    assert sorted(rows_of(lake, MAY)) == [("b", "c"), ("c", "b")]


def test_calls_between_two_off_net_numbers_are_kept_apart(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("Off", "Other", "2026-05-01 10:00:00"), call("Off", "a", "2026-05-01 11:00:00")])
    build(lake)
    assert sorted(rows_of(lake, MAY)) == [("Off", "a"), ("a", "Off")]
    assert sorted(rows_of(lake, MAY, "contacts_apart")) == [("Off", "Other"), ("Other", "Off")]


@pytest.mark.parametrize(("gap", "calls", "seconds"), [("00:00:05", 1, 60), ("00:00:00", 1, 60), ("00:00:06", 2, 118)])
def test_out_and_in_within_five_seconds_are_one_call(tmp_path: Path, gap: str, calls: int, seconds: int) -> None:
    later = dt.datetime(2026, 5, 1, 10) + (dt.datetime.fromisoformat(f"2026-01-01 {gap}") - dt.datetime(2026, 1, 1))
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 60, record="out"),
            call("a", "b", f"{later}", 58, record="in"),
        ],
    )
    build(lake)
    found = rows_of(lake, MAY)["a", "b"]
    assert (found["calls_out"], found["seconds_out"], found["calls_in"]) == (calls, seconds, 0)


def test_each_record_is_paired_once_however_dense_they_come(tmp_path: Path) -> None:
    def texts(side: str, *seconds: int) -> list[dict[str, object]]:
        return [message("a", "b", f"2026-05-01 10:00:{s:02d}", record=side) for s in seconds]

    # outs at 0, 5, 20, 21; ins at 6, 22, 24: 5-6, 20-22, 21-24 are pairs and the out at 0 lost its other side
    # (0-6 are six seconds apart); the in at 40 lost its out.
    lake = world(tmp_path, texts("out", 0, 5, 20, 21) + texts("in", 6, 22, 24, 40))
    build(lake)
    assert rows_of(lake, MAY)["a", "b"]["messages_out"] == 5


def test_two_records_of_one_side_are_two_calls(tmp_path: Path) -> None:
    lake = world(tmp_path, [message("a", "b", f"2026-05-01 10:00:0{s}", record="out") for s in (0, 1)])
    build(lake)
    assert rows_of(lake, MAY)["a", "b"]["messages_out"] == 2


def test_calls_the_other_way_within_five_seconds_are_another_call(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 60, record="out"),
            call("b", "a", "2026-05-01 10:00:02", 60, record="in"),
        ],
    )
    build(lake)
    found = rows_of(lake, MAY)["a", "b"]
    assert (found["calls_out"], found["calls_in"]) == (1, 1)


def test_parts_with_one_id_are_one_call_and_add_their_seconds(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 100, call="x"),
            call("a", "b", "2026-05-01 10:30:00", 50, call="x"),
            call("a", "b", "2026-05-01 11:00:00", 0, call="x"),
            call("a", "c", "2026-05-01 10:00:00", 7, call="x"),
            call("a", "b", "2026-05-02 10:00:00", 1, call="y"),
        ],
    )
    build(lake)
    found = rows_of(lake, MAY)
    assert (found["a", "b"]["calls_out"], found["a", "b"]["seconds_out"], found["a", "b"]["days"]) == (2, 151, 2)
    assert (found["a", "c"]["calls_out"], found["a", "c"]["seconds_out"]) == (1, 7)


def test_parts_reported_from_both_sides_are_counted_once(tmp_path: Path) -> None:
    parts = [("10:00:00", 100), ("10:30:00", 50)]
    lake = world(
        tmp_path,
        [
            call("a", "b", f"2026-05-01 {at}", seconds, call="x", record=side)
            for at, seconds in parts
            for side in ("out", "in")
        ],
    )
    build(lake)
    found = rows_of(lake, MAY)["a", "b"]
    assert (found["calls_out"], found["seconds_out"]) == (1, 150)


def test_parts_of_different_ids_from_each_side_are_paired_by_time(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-01 10:00:00", 100, call="x1", record="out"),
            call("a", "b", "2026-05-01 10:30:00", 50, call="x1", record="out"),
            call("a", "b", "2026-05-01 10:00:03", 149, call="7", record="in"),
        ],
    )
    build(lake)
    found = rows_of(lake, MAY)["a", "b"]
    assert (found["calls_out"], found["seconds_out"]) == (1, 150)


def test_a_call_over_the_edge_of_a_period_belongs_to_where_it_began(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-05-31 23:59:58", 60, record="out"),
            call("a", "b", "2026-06-01 00:00:01", 60, record="in"),
            call("a", "c", "2026-05-31 23:50:00", 600, call="x"),
            call("a", "c", "2026-06-01 00:00:00", 400, call="x"),
        ],
    )
    assert build(lake) == [MAY, "2026-06"]
    may = rows_of(lake, MAY)
    assert (may["a", "b"]["calls_out"], may["a", "c"]["calls_out"], may["a", "c"]["seconds_out"]) == (1, 1, 1000)
    assert rows_of(lake, "2026-06") == {}


def test_weeks_read_the_months_that_they_lie_in(tmp_path: Path) -> None:
    # 2026-W18 is 27 April to 3 May.
    lake = world(
        tmp_path,
        [
            call("a", "b", "2026-04-26 10:00:00"),
            call("a", "b", "2026-04-27 10:00:00"),
            call("a", "b", "2026-05-03 10:00:00"),
            call("a", "b", "2026-05-04 10:00:00"),
        ],
    )
    assert build(lake, "week") == ["2026-W17", "2026-W18", "2026-W19"]
    assert [rows_of(lake, week)["a", "b"]["days"] for week in ("2026-W17", "2026-W18", "2026-W19")] == [1, 2, 1]


HOTLINE = [call(f"u{i:03d}", "Hotline", f"2026-05-{1 + i % 28:02d} 10:00:00") for i in range(150)]


def test_a_number_that_hundreds_call_and_that_calls_nobody_is_set_apart(tmp_path: Path) -> None:
    shop = [call(f"u{i:03d}", "Shop", "2026-05-02 10:00:00") for i in range(150)]
    shop += [call("Shop", f"u{i:03d}", "2026-05-03 10:00:00") for i in range(30)]
    lake = world(tmp_path, [*HOTLINE, *shop])
    build(lake)
    assert {name for pair in rows_of(lake, MAY) for name in pair if name[0] != "u"} == {"Shop"}
    assert len(rows_of(lake, MAY, "contacts_apart")) == 300
    assert lake.read("services").to_pylist() == [{"user": b"Hotline.........", "callers": 150, "called": 0}]


def test_callers_are_counted_over_all_periods_together(tmp_path: Path) -> None:
    rows = [call(f"u{i:03d}", "Hotline", f"2026-{3 + i // 50:02d}-10 10:00:00") for i in range(150)]
    rows += [call(f"u{i:03d}", "Uncle", f"2026-{m:02d}-11 10:00:00") for i in range(60) for m in (3, 4, 5)]
    lake = world(tmp_path, rows)
    build(lake)
    assert [row["user"][:7] for row in lake.read("services").to_pylist()] == [b"Hotline"]


@pytest.mark.parametrize(("kind", "apart"), [("person", False), ("company", False), ("service", True)])
def test_a_number_that_users_names_is_what_users_says(tmp_path: Path, kind: str, apart: bool) -> None:
    users = [user(f"u{i:03d}") for i in range(150)] + [user("Hotline", kind=kind)]
    lake = world(tmp_path, HOTLINE, users)
    build(lake)
    assert len(rows_of(lake, MAY)) == (0 if apart else 300)
    assert lake.read("services").num_rows == 0


def test_without_a_users_feed_behaviour_decides(tmp_path: Path) -> None:
    users = [user(f"u{i:03d}") for i in range(150)] + [user("Hotline")]
    lake = world(tmp_path, HOTLINE, users, named=False)
    build(lake)
    assert rows_of(lake, MAY) == {}


def test_only_periods_whose_records_changed_are_built_again(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (3, 4, 5)])
    assert build(lake) == ["2026-03", "2026-04", "2026-05"]
    assert build(lake) == []
    put_calls(lake, [call("a", "b", "2026-04-10 10:00:00"), call("a", "c", "2026-04-10 10:00:00")])
    put_customers(lake, [user("a"), user("b"), user("c")], [])
    before = {f: f.stat().st_mtime_ns for f in lake.files("contacts")}
    assert build(lake) == ["2026-04"]
    touched = [f.parent.name for f in lake.files("contacts") if before[f] != f.stat().st_mtime_ns]
    assert touched == ["period=2026-04"]


def test_records_at_the_edge_of_a_neighbouring_month_matter_and_no_others(tmp_path: Path) -> None:
    def month(may_edge: str, middle: str) -> list[dict[str, object]]:
        return [
            call("a", "b", "2026-04-10 10:00:00", record="out"),
            call("a", "b", "2026-04-10 10:00:00", record="in"),
            call("a", "b", may_edge, record="out"),
            call("a", "b", middle, record="in"),
        ]

    lake = world(tmp_path, month("2026-05-01 00:00:01", "2026-05-10 10:00:00"))
    assert build(lake) == ["2026-04", "2026-05"]
    put_calls(lake, month("2026-05-01 00:00:01", "2026-05-11 10:00:00")[2:])
    assert build(lake) == ["2026-05"]
    put_calls(lake, month("2026-05-01 00:00:02", "2026-05-11 10:00:00")[2:])
    assert build(lake) == ["2026-04", "2026-05"]


def test_a_month_taken_away_takes_its_period_along(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "b", f"2026-0{m}-10 10:00:00") for m in (3, 4)])
    build(lake)
    lake.drop("calls", "2026-03")
    assert build(lake) == ["2026-03"]
    assert lake.partitions("contacts") == ["2026-04"]
    lake.drop("calls")
    build(lake)
    assert not lake.has("contacts")


def test_a_number_that_users_comes_to_name_moves_its_contacts_without_reading_calls_again(tmp_path: Path) -> None:
    lake = world(
        tmp_path,
        [
            call("Off", "Other", "2026-04-01 10:00:00"),
            call("a", "b", "2026-04-01 10:00:00"),
            call("a", "b", "2026-05-01 10:00:00"),
        ],
    )
    build(lake)
    put_customers(lake, [user("a"), user("b"), user("Off")], ["Other"])
    assert build(lake) == ["2026-04"]
    assert sorted(rows_of(lake, "2026-04")) == [("Off", "Other"), ("Other", "Off"), ("a", "b"), ("b", "a")]
    assert rows_of(lake, "2026-04", "contacts_apart") == {}


def test_a_service_found_later_leaves_earlier_circles_too(tmp_path: Path) -> None:
    early = [call(f"u{i:03d}", "Hotline", "2026-04-01 10:00:00") for i in range(20)]
    lake = world(tmp_path, early, [user(f"u{i:03d}") for i in range(150)])
    put_customers(lake, [user(f"u{i:03d}") for i in range(150)], ["Hotline"])
    build(lake)
    assert len(rows_of(lake, "2026-04")) == 40
    put_calls(lake, HOTLINE)
    assert build(lake) == ["2026-04", "2026-05"]
    assert rows_of(lake, "2026-04") == {}
    assert len(rows_of(lake, "2026-04", "contacts_apart")) == 40


def test_an_empty_lake_has_no_contacts_and_calls_without_customers_are_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.root.mkdir()
    assert build(lake) == []
    put_calls(lake, [call("a", "b", "2026-05-01 10:00:00")])
    with pytest.raises(NotReady, match="customers"):
        build(lake)


def test_the_same_records_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [call(a, b, f"2026-05-0{d} 10:00:0{d}", d * 10) for d in range(1, 9) for a in "abc" for b in "bcdE"]
    one, other = world(tmp_path / "1", rows), world(tmp_path / "2", rows[::-1])
    build(one)
    other.connection.raw_sql("SET threads = 1")
    build(other)
    assert [f.read_bytes() for f in one.files("contacts")] == [f.read_bytes() for f in other.files("contacts")]


def test_pairing_in_many_blocks_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        call(a, b, f"2026-05-01 10:{m:02d}:{s:02d}", 30 + m, record=side)
        for m, (a, b) in enumerate([("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("a", "b"), ("e", "f")])
        for side, s in (("out", 0), ("in", 3))
    ]
    one, many = world(tmp_path / "1", rows), world(tmp_path / "2", rows)
    build(one)
    monkeypatch.setattr(records, "PAIRED_ROWS", 3)
    build(many)
    assert rows_of(one, MAY) == rows_of(many, MAY)
    assert rows_of(one, MAY)["a", "b"]["calls_out"] == 2


def test_a_local_day_counts_once_when_clocks_change(tmp_path: Path) -> None:
    # 29 March 2026 in Berlin has 23 hours; both calls are on that local day, though 22 hours of UTC apart.
    day = dt.date(2026, 3, 29)
    rows = [call("a", "b", "2026-03-28 23:30:00", day=day), call("b", "a", "2026-03-29 21:30:00", day=day)]
    lake = world(tmp_path, rows)
    build(lake)
    assert rows_of(lake, "2026-03")["a", "b"]["days"] == 1


def plain(rows: list[dict[str, Any]]) -> dict[tuple[bytes, bytes], list[Any]]:
    """`contacts` without its pseudonyms, one call after the other."""
    found: dict[tuple[bytes, bytes], list[Any]] = {}
    days: dict[tuple[bytes, bytes], set[dt.date]] = {}
    for row in rows:
        for place, pair in enumerate([(row["caller"], row["callee"]), (row["callee"], row["caller"])]):
            counts = found.setdefault(pair, [0] * 7 + [row["at"], row["at"]])
            is_message = row["kind"] == "message"
            counts[place + (4 if is_message else 0)] += 1
            counts[place + 2] += row["seconds"]
            days.setdefault(pair, set()).add(row["day"])
            counts[6] = len(days[pair])
            counts[7:] = [min(counts[7], row["at"]), max(counts[8], row["at"])]
    return found


def test_adding_up_in_buckets_gives_what_one_call_after_the_other_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(5)
    names = ["a", "b", "c", "d", "Off", "é", "ß", "~"]  # bytes above 127 sort last
    rows = []
    for _ in range(200):
        one, other = draw.sample(names, 2)
        at = f"2026-05-{draw.randint(1, 31):02d} {draw.randint(0, 23):02d}:{draw.randint(0, 59):02d}:00"
        rows.append(message(one, other, at) if draw.random() < 0.3 else call(one, other, at, draw.randint(1, 900)))
    whole, dealt = world(tmp_path / "1", rows), world(tmp_path / "2", rows)
    build(whole)
    monkeypatch.setattr(contacts, "BUCKET_ROWS", 30)
    build(dealt)
    tables = [dealt.read(name, partition=MAY) for name in contacts.TABLES]
    found = {tuple(row[:2]): row[2:] for table in tables for row in zip(*table.to_pydict().values(), strict=True)}
    assert found == {pair: tuple(counts) for pair, counts in plain(rows).items()}
    for table in tables:
        order = list(zip(table["user"].to_pylist(), table["contact"].to_pylist(), strict=True))
        assert order == sorted(order)
    for name in contacts.TABLES:
        assert [f.read_bytes() for f in whole.files(name)] == [f.read_bytes() for f in dealt.files(name)]


def test_a_period_of_unanswered_calls_is_written_without_rows(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "b", "2026-05-01 10:00:00", 0)])
    assert build(lake) == [MAY]
    assert rows_of(lake, MAY) == {}
