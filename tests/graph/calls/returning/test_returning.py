"""Who came back, among a few dozen people: friends call each other three times a month, strangers have their own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from graph.calls import contacts, lifetimes
from graph.calls.returning import build
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.world import call, name_of, settings, user, world

TODAY = dt.date(2026, 7, 1)
FRIENDS = ("b", "c", "d", "e")
Rows = list[dict[str, object]]


def talks(one: str, others: tuple[str, ...], months: tuple[int, ...], days: tuple[int, ...] = (5, 15, 25)) -> Rows:
    return [call(one, other, f"2026-{m:02}-{d:02} 10:00:00") for other in others for m in months for d in days]


def others() -> Rows:
    """Ten circles of five who know each other all the time, each with a number that is new in May."""
    rows: Rows = []
    for k in range(10):
        circle = tuple(f"k{k}{name}" for name in "vwxyz")
        for i, one in enumerate(circle):
            rows += talks(one, circle[i + 1 :], (3, 4, 5, 6))
        rows += talks(f"n{k}", circle[:2], (5, 6))
    return rows


def circle() -> Rows:
    """The leaver's friends, who have other friends too; `a` talks to them until April."""
    rows = [row for i, one in enumerate(FRIENDS) for row in talks(one, (f"k{i}v", f"k{i}w"), (3, 4, 5, 6))]
    return rows + talks("a", FRIENDS, (3, 4))


def analyse(lake: Lake, period: str = "month") -> bool:
    contacts.build(lake, settings(period))
    customers = lifetimes.read(lake, settings(period).period, TODAY)
    inputs = Inputs(lake)
    made = build.build(lake, customers, inputs)
    inputs.save()
    return made


def found(folder: Path, rows: Rows, gone: dict[str, str], period: str = "month") -> dict[str, list[tuple]]:
    """`{leaver: [(candidate, score, shared contacts), ...]}` in order of rank."""
    lake = world(folder, rows)
    names = [name_of(row["user"]) for row in lake.read("users").to_pylist()]
    people = [user(n, status="left" if n in gone else "active", left_on=_day(gone.get(n))) for n in names]
    lake = world(folder, rows, people)
    analyse(lake, period)
    listed: dict[str, list[tuple]] = {}
    for row in lake.read("returning").to_pylist():
        rows_of = listed.setdefault(name_of(row["user"]), [])
        rows_of.append((name_of(row["candidate"]), row["score"], row["shared_contacts"]))
        assert row["rank"] == len(rows_of)
    return listed


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def test_a_new_number_with_the_same_friends_is_found(tmp_path: Path) -> None:
    rows = others() + circle() + talks("Z", FRIENDS, (5, 6))
    best, *_ = found(tmp_path, rows, {"a": "2026-04-30"})["a"]
    assert (best[0], best[2]) == ("Z", 4)
    assert best[1] > 0.8


def test_nobody_returns(tmp_path: Path) -> None:
    assert found(tmp_path, others() + circle(), {}) == {}
    assert all(score < 0.5 for _, score, _ in found(tmp_path, others() + circle(), {"a": "2026-04-30"}).get("a", []))


def test_nothing_is_made_twice(tmp_path: Path) -> None:
    lake = world(tmp_path, others() + circle())
    assert analyse(lake)
    assert not analyse(lake)
