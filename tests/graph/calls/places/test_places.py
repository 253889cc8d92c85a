"""Cells, stores and movement of a few customers, worked out by hand. May 2026 begins on a Friday."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from graph.calls import contacts, lifetimes
from graph.calls.places import build
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, put_calls, settings, user, world

WORKDAYS = ("2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07", "2026-05-08")
SATURDAYS = ("2026-05-02", "2026-05-09", "2026-05-16", "2026-05-23", "2026-05-30")


def at(day: str, hour: int, cell: str, caller: str = "a", callee: str = "b", **more: object) -> dict[str, object]:
    return call(caller, callee, f"{day} {hour:02}:00:00", cell=cell, **more)


def put_places(lake: Lake) -> None:
    """Cells on the equator, a degree (111.32 km) apart; a store 1 km east of `office`, another 100 km off `home`."""
    lake.write(
        "cells",
        pa.table({"cell": ["far", "home", "office"], "lat": [0.0, 0.0, 0.0], "lon": [20.0, 0.0, 1.0]}),
    )
    lake.write("stores", pa.table({"store": ["S1", "S2"], "lat": [0.0, 0.0], "lon": [1.0 + 1 / 111.3195, -0.9]}))


def made(folder: Path, rows: list[dict[str, object]], users: list | None = None, **more: object) -> dict:
    lake = world(folder, rows, users)
    put_places(lake)
    analyse(lake, **more)
    return by_user(lake, "places")


def analyse(lake: Lake, **more: object) -> bool:
    contacts.build(lake, settings())
    customers = lifetimes.read(lake, "month", dt.date(2026, 7, 1))
    inputs = Inputs(lake)
    done = build.build(lake, customers, inputs, **more)  # type: ignore[arg-type]
    inputs.save()
    return done


def test_work_and_rest_are_where_most_days_say(tmp_path: Path) -> None:
    rows = [at(day, 10, "office") for day in WORKDAYS]
    rows += [at(day, 23, "home") for day in WORKDAYS]
    rows += [at(WORKDAYS[0], 11, "far") for _ in range(50)]  # many records on one day
    found = made(tmp_path, rows)["a"]
    assert (found["work_cell"], found["rest_cell"]) == ("office", "home")


def test_four_days_are_not_enough(tmp_path: Path) -> None:
    found = made(tmp_path, [at(day, 10, "office") for day in WORKDAYS[:4]]).get("a", {})
    assert found.get("work_cell") is None


def test_a_cell_seen_once_is_nobodys(tmp_path: Path) -> None:
    cells = ("office", "home", "far", "x", "y")
    found = made(tmp_path, [at(day, 10, cell) for day, cell in zip(WORKDAYS, cells, strict=True)])
    assert "a" not in found


def test_weekends_and_the_edges_of_working_hours_are_no_work(tmp_path: Path) -> None:
    rows = [at(day, 10, "home") for day in SATURDAYS] + [at(day, hour, "home") for day in WORKDAYS for hour in (8, 17)]
    found = made(tmp_path, rows)["a"]
    assert found["work_cell"] is None
    assert found["rest_cell"] is None


def test_stores_by_weekday_and_weekend_within_reach(tmp_path: Path) -> None:
    rows = [at(day, 12, "office") for day in WORKDAYS] + [at(day, 12, "home") for day in SATURDAYS]
    found = made(tmp_path, rows)["a"]
    assert (found["weekday_store"], found["weekday_metres"]) == ("S1", 1000)
    assert (found["weekend_store"], found["weekend_metres"]) == (None, None)  # the nearest is 100 km away


def test_a_wider_reach_finds_the_farther_store(tmp_path: Path) -> None:
    rows = [at(day, 12, "home") for day in SATURDAYS]
    found = made(tmp_path, rows, reach_m=150_000)["a"]
    assert (found["weekend_store"], found["weekend_metres"]) == ("S2", 100_188)


def test_the_cell_is_that_of_the_side_that_reports(tmp_path: Path) -> None:
    rows = [at(day, 10, "office", "b", "a", record="in") for day in WORKDAYS]  # a is called
    rows += [at(day, 10, "home", "Off", "c") for day in WORKDAYS]  # nobody's record says: c's, as Off is off-net
    rows += [at(day, 10, "far", "Off", "d", record="out") for day in WORKDAYS]  # Off's own side
    found = made(tmp_path, rows)
    assert found["a"]["work_cell"] == "office"
    assert found["c"]["work_cell"] == "home"
    assert "b" not in found
    assert "d" not in found


def test_calls_that_nobody_answered_tell_where_a_phone_was(tmp_path: Path) -> None:
    found = made(tmp_path, [at(day, 10, "office", seconds=0) for day in WORKDAYS] + [at(WORKDAYS[0], 20, "home")])
    assert found["a"]["work_cell"] == "office"


def test_radius_and_its_change(tmp_path: Path) -> None:
    # May: half at home, half at office, a degree apart: half a degree from the middle. June: at home alone.
    may = [at(day, 12, cell) for day in WORKDAYS for cell in ("home", "office")]
    june = [at(f"2026-06-0{day}", 12, "home") for day in range(1, 6)]
    found = made(tmp_path, may + june)["a"]
    assert found["radius_km"] == pytest.approx(0, abs=1e-6)
    assert found["radius_change"] == pytest.approx(0, abs=1e-6)
    lake = Lake(tmp_path / "lake")
    put_calls(lake, june[:4])  # too few records in the last period
    analyse(lake)
    assert by_user(lake, "places")["a"]["radius_km"] is None


def test_radius_of_the_only_period(tmp_path: Path) -> None:
    found = made(tmp_path, [at(day, 12, cell) for day in WORKDAYS for cell in ("home", "office")])["a"]
    assert found["radius_km"] == pytest.approx(6371.0088 * 3.14159265 / 360, rel=1e-6)
    assert found["radius_change"] is None


def test_cells_that_no_feed_places_are_named_but_not_measured(tmp_path: Path) -> None:
    lake = world(tmp_path, [at(day, 12, "somewhere") for day in WORKDAYS])
    analyse(lake)
    found = by_user(lake, "places")["a"]
    assert found["work_cell"] == "somewhere"
    assert found["weekday_store"] is None
    assert found["radius_km"] is None


def test_calls_without_cells_place_nobody(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "b", f"{day} 10:00:00") for day in WORKDAYS])
    put_places(lake)
    analyse(lake)
    assert lake.read("places").num_rows == 0


def test_an_old_place_is_forgotten_after_three_months(tmp_path: Path) -> None:
    old = [at(f"2026-01-{day:02}", 10, "far") for day in (5, 6, 7, 8, 9, 12, 13, 14)]
    new = [at(day, 10, "office") for day in WORKDAYS]
    assert made(tmp_path, old + new)["a"]["work_cell"] == "office"


def test_nothing_is_repeated_where_nothing_changed(tmp_path: Path) -> None:
    lake = world(tmp_path, [at(day, 10, "office") for day in WORKDAYS], [user("a"), user("b")])
    put_places(lake)
    assert analyse(lake)
    assert not analyse(lake)
    lake.write("stores", pa.table({"store": ["S9"], "lat": [0.0], "lon": [1.0]}))
    assert analyse(lake)
    assert by_user(lake, "places")["a"]["weekday_store"] == "S9"
