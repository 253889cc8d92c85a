"""Real calls: the Copenhagen study as feeds, and three people's circles counted again from its own files.

The count below shares no code with the product: it reads the study's CSV files and uses sets.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.copenhagen import data_folder, write_feeds
from graph.calls.analyse import analyse
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from loaders.load import load

DATA = data_folder()
pytestmark = pytest.mark.skipif(
    DATA is None, reason="the Copenhagen data is not there: name its folder with DUMBBELL_DATA"
)

WEEKS = ["2013-W36", "2013-W37", "2013-W38", "2013-W39"]
WEEK_SECONDS = 7 * 24 * 3600
SIZES = {"176": [7, 6, 5, 8], "100": [5, 9, 4, 7], "485": [4, 7, 7, 8]}
"""Contacts in each week of three people, counted with awk and sort."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Settings]:
    assert DATA is not None
    folder = tmp_path_factory.mktemp("copenhagen")
    write_feeds(DATA, folder / "feeds")
    settings = Settings(home=folder / "home", period="week")
    home = Home.open(settings, create=True)
    report = load(folder / "feeds", home, settings).to_json()
    assert not report["quarantined"]
    analyse(Lake(home.lake), settings)
    return home, settings


def contacts_of(person: str, week: int) -> Counter[str]:
    """Calls of at least a second, and messages, with each other person in a week, 0 for the first."""
    assert DATA is not None
    found: Counter[str] = Counter()
    for name in ("calls", "sms"):
        with open(DATA / "copenhagen" / f"{name}.csv", newline="") as file:
            for row in list(csv.reader(file))[1:]:
                if int(row[0]) // WEEK_SECONDS != week or (name == "calls" and int(row[3]) <= 0):
                    continue
                if row[1] == person != row[2]:
                    found[row[2]] += 1
                elif row[2] == person != row[1]:
                    found[row[1]] += 1
    return found


def circles_of(home: tuple[Home, Settings], person: str) -> list[dict[str, Any]]:
    pseudonym = home[0].pseudonyms().of_numbers(pa.array([person]))[0].as_py()
    return [row for row in Lake(home[0].lake).read("circles").to_pylist() if row["user"] == pseudonym]


def test_four_weeks_are_four_periods(home: tuple[Home, Settings]) -> None:
    assert Lake(home[0].lake).partitions("contacts") == WEEKS


@pytest.mark.parametrize("person", SIZES)
def test_circles_are_what_the_files_say(home: tuple[Home, Settings], person: str) -> None:
    rows = circles_of(home, person)
    assert [row["period"] for row in rows] == WEEKS
    assert [row["contacts"] for row in rows] == SIZES[person]
    counts = [contacts_of(person, week) for week in range(4)]
    for week, row in enumerate(rows):
        now, total = counts[week], counts[week].total()
        assert row["contacts"] == len(now)
        assert row["entropy"] == pytest.approx(-sum(w / total * math.log(w / total) for w in now.values()))
        if week == 0:
            assert row["new"] is None
            continue
        before = counts[week - 1]
        assert (row["new"], row["lost"], row["kept"]) == (
            len(set(now) - set(before)),
            len(set(before) - set(now)),
            len(set(now) & set(before)),
        )
        assert row["jaccard"] == pytest.approx(len(set(now) & set(before)) / len(set(now) | set(before)))
        gone = sum(w for other, w in before.items() if other not in now)
        assert row["strength_lost"] == pytest.approx(gone / before.total())
        mean = sum(len(one) for one in counts[:week][-3:]) / len(counts[:week][-3:])
        assert row["against_self"] == pytest.approx(len(now) / mean)
        habits = sum(counts[:week][-3:], Counter[str]())
        share = [w / habits.total() for w in habits.values()]
        assert row["expected"] == pytest.approx(sum(1 - (1 - p) ** total for p in share))


def test_everybody_has_a_position(home: tuple[Home, Settings]) -> None:
    lake = Lake(home[0].lake)
    leaders = lake.read("leaders").to_pylist()
    assert sorted(row["rank"] for row in leaders) == list(range(1, len(leaders) + 1))
    assert all(row["evidence"] is None for row in leaders)
    assert {row["level"] for row in lake.read("communities").to_pylist()} == {0, 1}
