"""Numbers that were given on: who is the current customer, who were the former ones, and what is whose."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.plain_reader import latest
from loaders.feeds import FEEDS
from loaders.keyed import Keyed

HEAD = "number,account,activated_on,city,left_on,status\n"
OLD, NEW = "1,A,2020-01-01,Bonn,,\n", "1,B,2026-05-10,Ulm,,active\n"


def former(bench, number: str, account: str) -> bytes:
    """The pseudonym of a former customer."""
    known = bench.home.pseudonyms()
    numbers, accounts = known.of_numbers(pa.array([number])), known.of_texts(pa.array([account]))
    return known.of_former(numbers, accounts)[0].as_py()


def names(bench, accounts: str = "ABC", numbers: str = "123") -> dict[bytes, str]:
    """Readable names of customers: `1`, and `1A` for the former customer of number 1 with account A."""
    known = bench.home.pseudonyms()
    plain = dict(zip(known.of_numbers(pa.array(list(numbers))).to_pylist(), numbers, strict=True))
    return plain | {former(bench, n, a): n + a for n in numbers for a in accounts}


def told(bench, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Rows as they are read, pseudonyms by name, sorted; the same by both ways of reading."""
    known = names(bench)

    def rows(found: pa.Table) -> list[tuple[Any, ...]]:
        plain = [tuple(known.get(v, v) if isinstance(v, bytes) else v for v in r.values()) for r in found.to_pylist()]
        return sorted(plain, key=repr)

    read = rows(bench.lake.read(table).select(columns))
    assert rows(bench.lake.scan(table).select(*columns).to_pyarrow()) == read
    return read


def customers(bench) -> list[tuple[Any, ...]]:
    return told(bench, "customers", "user", "city", "status", "left_on", "off_net")


RECYCLED = [
    ("1", "Ulm", "active", None, False),
    ("1A", "Bonn", "left", dt.date(2026, 5, 9), False),
]


@pytest.mark.parametrize("loads", [[OLD + NEW], [NEW + OLD], [OLD, NEW], [NEW, OLD], [OLD, NEW, OLD, NEW]])
def test_a_new_account_is_a_new_customer_in_whatever_order_the_rows_come(bench, loads: list[str]) -> None:
    for rows in loads:
        bench.load({"users.csv": HEAD + rows})
    assert customers(bench) == RECYCLED
    assert told(bench, "successions", "user", "former", "until") == [("1", "1A", dt.date(2026, 5, 10))]


def test_without_a_second_account_nothing_is_given_on(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + "2,A,2021-01-01,Ulm,,\n"})
    assert not bench.lake.has("successions")
    assert [row[0] for row in customers(bench)] == ["1", "2"]


def test_one_account_with_two_recycled_numbers_has_two_former_customers(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW + OLD.replace("1,", "2,", 1) + NEW.replace("1,B", "2,C")})
    assert [row[0] for row in customers(bench)] == ["1", "1A", "2", "2A"]


def test_several_customers_follow_each_other(bench) -> None:
    bench.load({"users.csv": HEAD + NEW + "1,C,2026-06-01,Kiel,,\n" + OLD})
    spans = [("1", "1A", dt.date(2026, 5, 10)), ("1", "1B", dt.date(2026, 6, 1))]
    assert told(bench, "successions", "user", "former", "until") == spans
    assert [(row[0], row[3]) for row in customers(bench)] == [
        ("1", None),
        ("1A", dt.date(2026, 5, 9)),
        ("1B", dt.date(2026, 5, 31)),
    ]


def test_a_former_customer_left_when_the_feed_says_but_not_after_the_next_came(bench) -> None:
    left = {"2026-01-31": dt.date(2026, 1, 31), "2026-07-01": dt.date(2026, 5, 9)}
    for said, taken in left.items():
        bench.load({"users.csv": HEAD + OLD.replace("Bonn,", f"Bonn,{said}") + NEW})
        assert customers(bench)[1][3] == taken


def test_a_former_customer_is_corrected_by_number_and_account(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW})
    counts = bench.load({"users.csv": HEAD + "1,A,2019-01-01,Kiel,,\n"}).feeds["users"]
    assert (counts.taken, counts.replaced) == (1, 1)
    assert [row[:2] for row in customers(bench)] == [("1", "Ulm"), ("1A", "Kiel")]


def test_an_activation_that_is_corrected_past_the_others_changes_who_is_current(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW})
    bench.load({"users.csv": HEAD + "1,A,2026-07-01,Bonn,,\n"})
    assert [row[:2] for row in customers(bench)] == [("1", "Bonn"), ("1B", "Ulm")]
    assert told(bench, "successions", "former", "until") == [("1B", dt.date(2026, 7, 1))]
    bench.load({"users.csv": HEAD + OLD})  # back again: a slip of the pen can be mended
    assert customers(bench) == RECYCLED


def test_two_accounts_of_one_day_are_one_customer_and_the_later_row_counts(bench) -> None:
    counts = bench.load({"users.csv": HEAD + OLD + "1,B,2020-01-01,Ulm,,\n"}).feeds["users"]
    assert (counts.taken, counts.repeated) == (1, 1)
    assert [row[:2] for row in customers(bench)] == [("1", "Ulm")]
    assert not bench.lake.has("successions")


def test_a_row_without_account_is_about_the_current_customer_who_keeps_theirs(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW})
    bench.load({"users.csv": "number,city\n1,Kiel\n"})
    assert [row[:2] for row in customers(bench)] == [("1", "Kiel"), ("1A", "Bonn")]
    bench.load({"users.csv": HEAD + "1,,2018-01-01,Ulm,,active\n"})
    assert customers(bench) == RECYCLED
    assert bench.rows("users", "activated_on") == [(dt.date(2020, 1, 1),), (dt.date(2026, 5, 10),)]


def test_the_first_account_of_a_number_is_that_of_the_customer_who_is_there(bench) -> None:
    bench.load({"users.csv": "number,city,star\n1,Bonn,5\n"})
    bench.load({"users.csv": "number,account,activated_on\n1,A,2026-05-10\n"})
    assert bench.rows("customers", "user", "city", "star") == [("1", "Bonn", 5)]
    assert not bench.lake.has("successions")
    bench.load({"users.csv": HEAD + "1,B,2026-06-10,Ulm,,\n"})
    assert [row[:2] for row in customers(bench)] == [("1", "Ulm"), ("1A", "Bonn")]


def test_an_account_without_activation_is_quarantined(bench) -> None:
    bench.load({"users.csv": HEAD + OLD})
    bench.load({"users.csv": HEAD + "1,B,,Ulm,,\n"})
    reason = "is empty, but an account needs it"
    assert bench.quarantine("users") == [("users.csv", 2, "activated_on", reason)]
    assert [row[:2] for row in customers(bench)] == [("1", "Bonn")]


def test_the_succession_goes_when_the_account_turns_out_to_be_the_same_customers(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW})
    bench.load({"users.csv": HEAD + "1,B,2020-01-01,Ulm,,\n"})
    assert not bench.lake.has("successions")
    assert [row[:2] for row in customers(bench)] == [("1", "Ulm")]


BEFORE_AND_AFTER = {
    "calls.csv": "caller,callee,at\n1,2,2026-05-09T23:00Z\n2,1,2026-05-10T01:00Z\n",
    "app_usage.csv": "number,app,at\n1,old,2026-05-09\n1,new,2026-05-10\n",
    "web_visits.csv": "number,at,url\n1,2026-05-09T10:00Z,old.example\n1,2026-05-10T10:00Z,new.example\n",
    "touches.csv": "number,channel,at\n1,old,2026-05-09T10:00Z\n1,new,2026-05-10T10:00Z\n",
    "responses.csv": "number,offer,channel,at,outcome\n1,old,sms,2026-05-09T10:00Z,refused\n"
    "1,new,sms,2026-05-10T10:00Z,shown\n",
    "user_handsets.csv": "number,handset,since\n1,old,2020-01-01\n1,new,2026-05-10\n",
    "subscriptions.csv": "number,product,since\n1,old,2026-05-09\n1,new,2026-05-10\n",
    "bills.csv": "number,month\n1,2026-04\n1,2026-05\n",
}


@pytest.mark.parametrize("users_first", [True, False], ids=["events later", "users later"])
def test_what_came_before_a_new_account_counts_for_the_former_customer_in_every_table(bench, users_first: bool) -> None:
    users = {"users.csv": HEAD + OLD + NEW + "2,C,2020-01-01,Kiel,,\n"}
    for files in (users, BEFORE_AND_AFTER) if users_first else (BEFORE_AND_AFTER, users):
        bench.load(files)
    items = {
        "app_usage": "app",
        "web_visits": "url",
        "touches": "channel",
        "responses": "offer",
        "user_handsets": "handset",
        "subscriptions": "product",
    }
    for table, item in items.items():
        whose = {what.removesuffix(".example"): user for what, user in told(bench, table, item, "user")}
        assert whose == {"old": "1A", "new": "1"}, table
    assert told(bench, "bills", "user", "month") == [("1", "2026-05"), ("1A", "2026-04")]
    assert told(bench, "calls", "caller", "callee") == [("1A", "2"), ("2", "1")]
    assert [row[0] for row in customers(bench)] == ["1", "1A", "2"]


def test_the_day_of_a_new_activation_is_a_local_one(make_bench) -> None:
    bench = make_bench(timezone="Asia/Shanghai")
    bench.load({"users.csv": HEAD + OLD + NEW, "touches.csv": "number,channel,at\n1,a,2026-05-09T17:00Z\n"})
    assert told(bench, "touches", "user") == [("1",)]


def test_an_answer_that_the_graph_has_of_a_former_customer_is_repeated(bench) -> None:
    bench.load({"users.csv": HEAD + OLD + NEW})
    answer = {"user": pa.array([former(bench, "1", "A")]), "offer": ["o"], "decision": ["d"], "outcome": ["refused"]}
    bench.lake.write("answers", pa.table(answer))
    rows = "number,offer,channel,at,outcome,decision\n1,o,sms,2026-05-01T10:00Z,refused,d\n"
    counts = bench.load({"responses.csv": rows}).feeds["responses"]
    assert (counts.taken, counts.repeated) == (0, 1)


ROWS = st.tuples(
    st.sampled_from([b"1", b"2"]),
    st.sampled_from([b"A", b"B", b"C", None]),
    st.sampled_from([dt.date(year, 1, 1) for year in (2020, 2024, 2026)]),
    st.sampled_from(["Bonn", "Ulm", "Kiel", "Jena"]),
).map(lambda row: dict(zip(("user", "account", "activated_on", "city"), row, strict=True)))


@given(st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=3))
def test_rows_in_any_grouping_equal_the_rules_row_by_row(loads: list[list[dict[str, Any]]]) -> None:
    users = FEEDS["users"]
    state = None
    for rows in loads:
        table = pa.Table.from_pylist([dict.fromkeys(users.schema.names) | row for row in rows], users.schema)
        keyed = Keyed(users, state)
        keyed.add(table, frozenset(users.schema.names))
        state, _, _ = keyed.result()
    assert state is not None
    found = state.select(["user", "account", "activated_on", "city"]).to_pylist()
    assert sorted(found, key=repr) == sorted(latest("users", [row for rows in loads for row in rows]), key=repr)
