"""The four tables together: written whole, the same twice, rebuilt only for cause."""

import datetime as dt

import pytest

from graph.dumbbell import build
from lake.errors import NotReady
from lake.settings import Settings


@pytest.fixture
def small(fill):
    return fill(
        customers=[{"user": u, "birth_year": 1995, "arpu": float(u)} for u in range(1, 13)]
        + [{"user": 99, "off_net": True}],
        apps=[{"app": "chess", "name": "Chess", "category": "games"}],
        app_usage=[{"user": u, "app": "chess", "at": "2026-06-01"} for u in range(1, 13)],
        touches=[{"user": 1, "channel": "sms", "at": "2026-06-01T10:00"}],
    )


def contents(lake):
    return {name: lake.files(name)[0].read_bytes() for name in ("segments", "categories", "channel_use", "fits")}


def test_every_customer_on_the_network_has_one_segment(small, settings):
    assert build(small, settings)
    table = small.read("segments").to_pylist()
    assert [int.from_bytes(row["user"], "big") for row in table] == list(range(1, 13))
    assert {row["segment"] for row in table} == {"25-34 · games"}


def test_a_second_build_does_nothing_and_a_repeated_one_gives_the_same_bytes(small, settings):
    build(small, settings)
    before = contents(small)
    assert not build(small, settings)
    small.drop("fits")
    assert build(small, settings)
    assert contents(small) == before


def test_another_day_is_a_cause_to_build_again(small, settings):
    build(small, settings)
    later = Settings(home=settings.home, today=dt.date(2026, 10, 1))
    assert build(small, later)
    assert small.read("channel_use").num_rows == 0


def test_numbers_and_use_are_enough(fill, settings):
    lake = fill(
        customers=range(1, 7),
        app_usage=[{"user": u, "app": app, "at": "2026-06-01"} for u in range(1, 7) for app in ("a", "b")],
    )
    build(lake, settings)
    assert set(lake.read("segments")["segment"].to_pylist()) == {"like: a"}
    assert set(lake.read("categories")["category"].to_pylist()) == {"like: a"}


def test_an_empty_lake_is_not_ready(lake, settings):
    with pytest.raises(NotReady, match="load the feeds"):
        build(lake, settings)
