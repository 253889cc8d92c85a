"""Rows of a recycled number are read as those of the customer who held it then."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import successions
from lake.tables import NUMBERS, Lake

N, M, FIRST, SECOND = (letter * 16 for letter in (b"n", b"m", b"1", b"2"))
TEN, TWENTY = dt.date(2026, 3, 10), dt.date(2026, 5, 20)


def given_on(*rows: tuple[bytes, bytes, dt.date]) -> pa.Table:
    return pa.table(dict(zip(("user", "former", "until"), zip(*rows, strict=True), strict=True)), successions.SCHEMA)


TWICE = given_on((N, SECOND, TWENTY), (N, FIRST, TEN))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def touches(*days: dt.date, user: bytes = N) -> pa.Table:
    columns = {"user": pa.array([user] * len(days), pa.binary()), "channel": [str(i) for i in range(len(days))]}
    return pa.table({**columns, "day": list(days)})


def who(lake: Lake, name: str, order: str) -> list[bytes]:
    """The owners of a table's rows, which both ways of reading must agree on."""
    read = lake.read(name).sort_by(order)["user"].to_pylist()
    assert lake.read(name, ["user"]).column_names == ["user"]
    assert lake.read(name, [order]).column_names == [order]  # without the columns that say whose rows they are
    assert lake.scan(name).order_by(order).to_pyarrow()["user"].to_pylist() == read
    return read


def test_a_day_belongs_to_the_one_with_the_next_end(lake: Lake) -> None:
    lake.write("touches", touches(TEN - dt.timedelta(1), TEN, TWENTY - dt.timedelta(1), TWENTY))
    assert who(lake, "touches", "channel") == [N] * 4
    lake.write("successions", TWICE)
    assert who(lake, "touches", "channel") == [FIRST, SECOND, SECOND, N]


def test_both_parties_of_a_call(lake: Lake) -> None:
    parties = {"caller": pa.array([N, M], pa.binary()), "callee": pa.array([M, N], pa.binary())}
    lake.write("calls", pa.table({**parties, "day": [TEN, TWENTY]}))
    lake.write("successions", given_on((N, FIRST, TWENTY), (M, SECOND, TWENTY)))
    found = lake.read("calls")
    assert (found["caller"].to_pylist(), found["callee"].to_pylist()) == ([FIRST, M], [SECOND, N])
    assert lake.scan("calls").order_by("day").to_pyarrow().select(found.column_names) == found


def test_what_began_before_is_the_formers_and_a_bill_is_of_who_held_the_number_at_the_months_end(lake: Lake) -> None:
    users = pa.array([N] * 3, pa.binary())
    lake.write("subscriptions", pa.table({"user": users, "since": [dt.date(1969, 1, 1), TEN, TWENTY]}))
    lake.write("bills", pa.table({"user": users, "month": ["2026-02", "2026-03", "2026-05"]}))
    lake.write("successions", TWICE)
    assert who(lake, "subscriptions", "since") == [FIRST, SECOND, N]
    assert who(lake, "bills", "month") == [FIRST, SECOND, N]
    lake.write("successions", given_on((N, FIRST, TEN), (N, SECOND, dt.date(2026, 3, 20))))
    assert who(lake, "bills", "month") == [FIRST, N, N]


def test_other_tables_and_other_numbers_are_as_they_were(lake: Lake) -> None:
    lake.write("successions", TWICE)
    lake.write("customers", pa.table({"user": pa.array([N], pa.binary())}))
    lake.write("touches", touches(TEN, user=M))
    assert lake.read("customers")["user"].to_pylist() == [N]
    assert who(lake, "touches", "channel") == [M]


def test_a_fingerprint_changes_where_a_succession_changes_what_is_read(lake: Lake) -> None:
    for month in ("2026-02", "2026-03", "2026-06"):
        lake.write_partition("touches", "month", month, touches(dt.date.fromisoformat(f"{month}-05")))

    def prints() -> list[str]:
        months = [lake.fingerprint(["touches"], month) for month in lake.partitions("touches")]
        return [*months, lake.fingerprint(["touches"]), lake.fingerprint(["customers"])]

    def same(one: list[str], other: list[str]) -> list[bool]:
        return [a == b for a, b in zip(one, other, strict=True)]

    before = prints()
    lake.write("successions", given_on((N, FIRST, TEN)))
    after = prints()
    assert same(before, after) == [False, False, True, False, True]
    # Of a month whose events do not name the number, nothing changes.
    lake.write_partition(NUMBERS, "month", "2026-02", pa.table({"user": pa.array([M], pa.binary())}))
    lake.write_partition(NUMBERS, "month", "2026-03", pa.table({"user": pa.array([M, N], pa.binary())}))
    assert same(before, prints())[:3] == [True, False, True]


DAYS = st.integers(0, 12).map(lambda d: dt.date(2026, 4, 26) + dt.timedelta(d))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from([N, M]), DAYS), unique=True, max_size=5),
    st.lists(st.tuples(st.sampled_from([N, M, b"x" * 16]), DAYS), min_size=1, max_size=8),
)
def test_both_ways_of_reading_equal_the_rule_row_by_row(tmp_path_factory, ends: list, events: list) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    rows = [(user, bytes([place + 1]) * 16, day) for place, (user, day) in enumerate(ends)]
    if rows:
        lake.write("successions", given_on(*rows))
    columns = {"user": pa.array([user for user, _ in events], pa.binary()), "place": list(range(len(events)))}
    lake.write("touches", pa.table({**columns, "day": [day for _, day in events]}))
    expected = []
    for user, day in events:
        later = [(until, former) for held, former, until in rows if held == user and day < until]
        expected.append(min(later)[1] if later else user)
    assert who(lake, "touches", "place") == expected


def test_what_was_scanned_can_be_joined_again_and_again(lake: Lake) -> None:
    lake.write("touches", touches(TEN - dt.timedelta(1), TWENTY))
    lake.write("successions", TWICE)
    owners = ibis.memtable(pa.table({"user": pa.array([FIRST, N], pa.binary()), "place": [1, 2]}))
    channels = ibis.memtable(pa.table({"channel": ["0", "1"], "name": ["a", "b"]}))
    joined = lake.scan("touches").inner_join(owners, "user").inner_join(channels, "channel")
    assert joined.order_by("name").to_pyarrow()["place"].to_pylist() == [1, 2]
