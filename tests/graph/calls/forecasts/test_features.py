"""Features as of a period's end: by hand, and that nothing of later is in them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from graph.calls.forecasts import features
from graph.calls.forecasts.history import History
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.forecasts.made import featured, put
from tests.graph.calls.world import CUSTOMERS, by_user, call, user, world

DAY = dt.date


def read(lake: Lake, period: str) -> dict[str, dict[str, object]]:
    table = lake.read("features", partition=period)
    lake.write("one", table)
    return by_user(lake, "one")


def full(folder: Path) -> Lake:
    """Twelve customers over four months, with every table that features read."""
    rng = np.random.default_rng(3)
    names = [f"u{i:02d}" for i in range(12)]
    rows = [
        call(names[a], names[b] if b < 12 else f"Off{b}", f"2026-{m:02d}-{d:02d} {h:02d}:00:00", cell=f"c{h % 3}")
        for a, b, m, d, h in zip(
            rng.integers(0, 12, 500), rng.integers(0, 15, 500), rng.integers(3, 7, 500),
            rng.integers(1, 29, 500), rng.integers(0, 24, 500), strict=True,
        ) if a != b
    ]  # fmt: skip
    users = [user(name, activated_on=DAY(2025, 1, 1)) for name in names[:-2]]
    users += [user(names[-2], left_on=DAY(2026, 5, 10), status="left"), user(names[-1], left_on=DAY(2026, 6, 20))]
    lake = world(folder, rows, users)
    lake.write("cells", pa.table({"cell": ["c0", "c1", "c2"], "lat": [0.0, 0.1, 0.2], "lon": [0.0, 0.0, 0.1]}))
    put(lake, "bills", *[
        {"user": name, "month": f"2026-{m:02d}", "fee": 10.0 + m, "mb": 100.0 * (i + m), "days_on": 30 - i}
        for i, name in enumerate(names) for m in (3, 4, 5, 6)
    ])  # fmt: skip
    put(lake, "products", {"product": "p", "name": "P", "kind": "plan", "monthly_fee": 9.0, "mb": 2000},
        {"product": "k", "name": "K", "kind": "contract", "contract_months": 12},
        {"product": "d", "name": "D", "kind": "data_pack", "mb": 500})  # fmt: skip
    put(lake, "subscriptions", *[{"user": name, "product": "p", "since": DAY(2026, 1, 1)} for name in names],
        {"user": "u00", "product": "k", "since": DAY(2025, 5, 15), "until": DAY(2026, 5, 15)},
        {"user": "u00", "product": "k", "since": DAY(2026, 6, 2)},
        {"user": "u01", "product": "d", "since": DAY(2026, 4, 3)},
        {"user": "u01", "product": "d", "since": DAY(2026, 6, 3)},
    )  # fmt: skip
    put(lake, "handsets", {"handset": "dear", "price": 500.0}, {"handset": "cheap", "price": 100.0})
    put(lake, "user_handsets", {"user": "u02", "handset": "dear", "since": DAY(2025, 3, 1)},
        {"user": "u02", "handset": "cheap", "since": DAY(2026, 5, 20)})  # fmt: skip
    return lake


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return featured(full(tmp_path_factory.mktemp("features")))


def test_by_hand(history: History) -> None:
    lake = history.lake
    april, may = read(lake, "2026-04"), read(lake, "2026-05")
    assert april["u00"]["contract_days"] == 15
    assert may["u00"]["contract_days"] == -16
    assert (april["u01"]["packs"], april["u01"]["pack_days"]) == (1, 27)
    assert (april["u02"]["handset_days"], april["u02"]["handset_price_change"]) == (425, None)
    assert (may["u02"]["handset_days"], may["u02"]["handset_price_change"]) == (11, pytest.approx(0.2))
    assert (may["u03"]["mb"], may["u03"]["mb_usual"]) == (800, pytest.approx(650))
    assert (may["u03"]["plan_mb"], may["u03"]["tenure"]) == (2000, 515)
    assert "u10" in april
    assert "u10" not in may  # left on the 10th


def test_who_left_is_counted_among_the_contacts(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{m}-02 10:00:00") for m in (4, 5)] + [call("a", "c", "2026-04-03 10:00:00")] * 3
    lake = world(tmp_path, rows, [user("a"), user("b"), user("c", left_on=DAY(2026, 5, 3))])
    featured(lake, today=DAY(2026, 6, 1))
    may = read(lake, "2026-05")["a"]
    assert (may["contacts_left_1"], may["contacts_left_share_1"]) == (1, 0.75)
    assert read(lake, "2026-04")["a"]["contacts_left_1"] is None


def test_nothing_of_later_is_in_them(history: History, tmp_path: Path) -> None:
    """The features of April and May are the same in a lake that ends with May."""
    want = {period: history.lake.read("features", partition=period) for period in ("2026-04", "2026-05")}
    cut = full(tmp_path)
    cut.drop("calls", "2026-06")
    end = pa.scalar(DAY(2026, 5, 31))
    for name, column in (("subscriptions", "since"), ("user_handsets", "since")):
        rows = cut.read(name)
        cut.write(name, rows.filter(pc.less_equal(rows[column], end)))
    bills = cut.read("bills")
    cut.write("bills", bills.filter(pc.less(bills["month"], "2026-06")))
    people = [
        row | {"left_on": None, "status": "active"} if row["left_on"] == DAY(2026, 6, 20) else row
        for row in cut.read("customers").to_pylist()
    ]
    cut.write("customers", pa.Table.from_pylist(people, CUSTOMERS))
    featured(cut, today=DAY(2026, 6, 1))
    for period, table in want.items():
        found = cut.read("features", partition=period)
        assert found["user"] == table["user"]
        for name in table.column_names[1:]:
            np.testing.assert_array_equal(found[name].to_numpy(), table[name].to_numpy(), err_msg=name)


def test_what_did_not_change_is_not_made_again(history: History) -> None:
    assert features.build(history.lake, history.customers, Inputs(history.lake)) == []


def test_weeks_without_bills(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-05-{day:02d} 10:00:00") for day in (4, 5, 12, 19, 20, 21)]
    lake = world(tmp_path, rows, [user("a"), user("b")])
    history = featured(lake, period="week", today=DAY(2026, 5, 25))
    assert history.periods == ["2026-W19", "2026-W20", "2026-W21"]
    last = read(lake, "2026-W21")["a"]
    assert (last["events"], last["events_usual"], last["mb"], last["contract_days"]) == (3, 1.5, None, None)


def test_a_bill_may_be_a_month_late(tmp_path: Path) -> None:
    rows = [call("a", "b", f"2026-0{month}-02 10:00:00") for month in (3, 4, 5, 6)]
    lake = world(tmp_path, rows, [user("a"), user("b")])
    put(lake, "bills", *[{"user": "a", "month": f"2026-0{month}", "mb": 10.0 * month} for month in (3, 4)])
    featured(lake)
    found = [read(lake, f"2026-0{month}")["a"] for month in (3, 4, 5, 6)]
    assert [(one["mb"], one["mb_usual"]) for one in found] == [(30, None), (40, 30), (40, 30), (None, None)]
