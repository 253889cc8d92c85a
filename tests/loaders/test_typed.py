"""Parquet types as text, and damaged or odd Parquet."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pytest

from lake.errors import FeedError
from loaders.typed import as_text

DAY = dt.datetime(2026, 5, 1)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array(["a", None]), ["a", ""]),
        (pa.array(["a", None], pa.large_string()), ["a", ""]),
        (pa.array(["a", None], pa.string_view()), ["a", ""]),
        (pa.array([b"a", None]), ["a", ""]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]),
        (pa.nulls(2), ["", ""]),
        (pa.array([4915112345678, None]), ["4915112345678", ""]),
        (pa.array([7, None], pa.uint8()), ["7", ""]),
        (pa.array([4915112345678.0, None, 0.5, float("nan")]), ["4915112345678", "", "0.5", ""]),
        (pa.array([1.5, None], pa.float32()), ["1.5", ""]),
        (pa.array([decimal.Decimal("-3.50"), None]), ["-3.50", ""]),
        (pa.array([decimal.Decimal(n) for n in ("0", "5", "0.01")], pa.decimal128(38, 10)), ["0", "5", "0.0100000000"]),
        (pa.array([decimal.Decimal("4915112345678"), None], pa.decimal128(15, 2)), ["4915112345678", ""]),
        (pa.array([decimal.Decimal(7), None], pa.decimal256(60, 20)), ["7", ""]),
        (pa.array([decimal.Decimal(7), None], pa.decimal64(9, 2)), ["7", ""]),
        (pa.array([decimal.Decimal(700), None], pa.decimal128(5, -2)), ["700", ""]),
        (pa.array([True, False, None]), ["true", "false", ""]),
        (pa.array([DAY.date(), None]), ["2026-05-01", ""]),
        (pa.array([DAY.date(), None], pa.date64()), ["2026-05-01", ""]),
        (pa.array([DAY, None], pa.timestamp("ns")), ["2026-05-01 00:00:00.000000", ""]),
        (pa.array([DAY, None], pa.timestamp("s", "Europe/Berlin")), ["2026-05-01 00:00:00.000000Z", ""]),
        (pa.array([["a", "b"], [], None]), ["a;b", "", ""]),
        (pa.array([["a"], None], pa.large_list(pa.string())), ["a", ""]),
    ],
)
def test_every_plain_type_is_read_as_text(column: pa.Array, text: list[str]) -> None:
    assert as_text(column, "x").to_pylist() == text


@pytest.mark.parametrize(
    "column", [pa.array([{"a": 1}]), pa.array([[["a"]]]), pa.array([[{"a": 1}]]), pa.array([b"\xff"])]
)
def test_what_is_no_plain_text_is_refused_naming_its_place(column: pa.Array) -> None:
    with pytest.raises(FeedError, match=r"users.parquet, column city"):
        as_text(column, "users.parquet, column city")


def test_text_that_is_no_utf8_is_refused(bench) -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
    with pytest.raises(FeedError, match=r"users.parquet cannot be read"):
        bench.load({"users.parquet": pa.table({"number": ["1"], "city": broken})})


def test_dates_and_moments_by_type(make_bench) -> None:
    bench = make_bench(timezone="Europe/Berlin")
    moments = pa.array([DAY, DAY.replace(hour=2)])
    bench.load(
        {
            "subscriptions.parquet": pa.table(
                {"number": [1, 2], "product": ["p", "p"], "since": moments, "until": pa.array([DAY.date(), None])}
            ),
            "app_usage/a.parquet": pa.table({"number": [1], "app": ["date"], "at": pa.array([DAY.date()])}),
            "app_usage/b.parquet": pa.table({"number": [1], "app": ["local"], "at": pa.array([DAY])}),
            "app_usage/c.parquet": pa.table(
                {"number": [1], "app": ["utc"], "at": pa.array([DAY], pa.timestamp("ms", "UTC"))}
            ),
        }
    )
    assert bench.rows("subscriptions", "user", "since") == [("1", DAY.date())]  # a timestamp at 02:00 is no date
    assert bench.quarantine("subscriptions")[0][1:] == (2, "since", "is no date (YYYY-MM-DD)")
    april = dt.datetime(2026, 4, 30, 22)
    assert bench.rows("app_usage", "app", "at", "hour") == [
        ("date", april, None),
        ("local", april, 0),
        ("utc", DAY, 2),
    ]


def test_a_truncated_parquet_is_refused(bench) -> None:
    import io

    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({"number": [str(i) for i in range(1000)]}), sink)
    raw = sink.getvalue()
    for cut in (3, len(raw) // 2, len(raw) - 3):
        with pytest.raises(FeedError, match=r"users.parquet cannot be read"):
            bench.load({"users.parquet": raw[:cut]})
    damaged = raw[:100] + bytes(200) + raw[300:]
    with pytest.raises(FeedError, match=r"users.parquet cannot be read"):
        bench.load({"users.parquet": damaged})
    assert bench.state() == {}


def test_decimals_of_a_database_are_numbers_identifiers_and_counts(bench) -> None:
    of = pa.decimal128(38, 10)
    number = decimal.Decimal("4915112345678")
    bench.load(
        {
            "users.parquet": pa.table({"number": pa.array([number], of), "star": pa.array([decimal.Decimal(0)], of)}),
            "apps.csv": "app,name\n7,Seven\n",
            "app_usage.parquet": pa.table(
                {"number": ["4915112345678"], "app": pa.array([decimal.Decimal(7)], of), "at": [DAY.date()]}
            ),
        }
    )
    assert bench.rows("users", "user", "star") == [("4915112345678", 0)]
    assert bench.rows("app_usage", "user", "app") == [("4915112345678", "7")]


@pytest.mark.parametrize("since", ["2026-05-01T00:00:00.0000000", "2026-05-01T00:00:00", "2026-05-01 00:00"])
def test_a_moment_that_somebody_wrote_is_no_date(make_bench, since: str) -> None:
    bench = make_bench()
    bench.load({"subscriptions.csv": f"number,product,since\n1,p,{since}\n"})
    assert bench.quarantine("subscriptions")[0][1:] == (2, "since", "is no date (YYYY-MM-DD)")
