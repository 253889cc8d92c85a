"""A lake of two months, seen from the first day of the second."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from lake.past import past_lake
from lake.tables import Lake

MAY, JUNE = dt.date(2026, 5, 10), dt.date(2026, 6, 10)
USERS = [bytes([i]) * 16 for i in range(1, 4)]


@pytest.fixture
def now(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    one, other, third = USERS
    day = pa.date32()
    lake.write(
        "customers",
        pa.table(
            {
                "user": pa.array(USERS, pa.binary()),
                "status": ["left", "left", "active"],
                "left_on": pa.array([MAY, JUNE, None], day),
                "contract_until": pa.array([MAY, MAY, dt.date(2028, 6, 1)], day),
            }
        ),
    )
    lake.write("products", pa.table({"product": ["stay", "tunes"], "kind": ["contract", "service"]}))
    lake.write(
        "subscriptions",
        pa.table(
            {
                "user": pa.array([one, other, third], pa.binary()),
                "product": ["tunes", "tunes", "stay"],
                "since": pa.array([MAY, JUNE, JUNE], day),
                "until": pa.array([JUNE, None, None], day),
            }
        ),
    )
    lake.write("bills", pa.table({"user": pa.array([one, one], pa.binary()), "month": ["2026-05", "2026-06"]}))
    for month, at in (("2026-05", MAY), ("2026-06", JUNE)):
        rows = pa.table({"user": pa.array([one], pa.binary()), "at": [dt.datetime.combine(at, dt.time(12))]})
        lake.write_partition("responses", "month", month, rows)
        lake.write_partition("contacts", "period", month, rows)
    lake.write("answers", pa.table({"at": [dt.datetime(2026, 5, 31, 23), dt.datetime(2026, 6, 1)]}))
    lake.write("churn", pa.table({"user": pa.array(USERS, pa.binary()), "probability": [0.9, 0.9, 0.1]}))
    return lake


def test_nothing_of_later_days_is_left(now: Lake, tmp_path: Path) -> None:
    past = past_lake(now, tmp_path / "past", "2026-06")
    assert past.partitions("responses") == past.partitions("contacts") == ["2026-05"]
    assert past.read("subscriptions").select(["product", "since", "until"]).to_pylist() == [
        {"product": "tunes", "since": MAY, "until": None}
    ]
    assert past.read("bills")["month"].to_pylist() == ["2026-05"]
    assert past.read("answers")["at"].to_pylist() == [dt.datetime(2026, 5, 31, 23)]
    assert not past.has("churn")


def test_who_left_since_is_there_and_who_signed_since_is_not_bound(now: Lake, tmp_path: Path) -> None:
    customers = past_lake(now, tmp_path / "past", "2026-06").read("customers")
    assert customers["status"].to_pylist() == ["left", None, "active"]
    assert customers["left_on"].to_pylist() == [MAY, None, None]
    assert customers["contract_until"].to_pylist() == [MAY, MAY, None]


def test_the_lake_of_today_stays_as_it_is(now: Lake, tmp_path: Path) -> None:
    tables = ("customers", "subscriptions", "bills", "responses", "answers")
    before = now.fingerprint(tables)
    past = past_lake(now, tmp_path / "past", "2026-06")
    past.drop("responses")
    assert now.fingerprint(tables) == before
