"""Who came back, in one lake of small stories. Friends talk three times a month; each has two friends elsewhere.

March and April are the past of the leavers, who are gone at the end of April; May and June tell of new numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from graph.calls import contacts, lifetimes
from graph.calls.returning import build
from graph.calls.state import Inputs
from lake.successions import SCHEMA as SUCCESSIONS
from lake.tables import Lake
from tests.graph.calls.world import call, name_of, number, put_customers, settings, user, world

TODAY = dt.date(2026, 7, 1)
PAST, SINCE = (3, 4), (5, 6)
Rows = list[dict[str, object]]
Found = dict[str, list[tuple[str, float, int]]]


def talks(one: str, others: Sequence[str], months: Sequence[int], days: Sequence[int] = (5, 15, 25)) -> Rows:
    return [call(one, other, f"2026-{m:02}-{d:02} 10:00:00") for other in others for m in months for d in days]


def strangers() -> Rows:
    """Ten circles of five who know each other all the time, each with a number that is new in May."""
    rows: Rows = []
    for k in range(10):
        circle = [f"k{k}{name}" for name in "vwxyz"]
        for i, one in enumerate(circle):
            rows += talks(one, circle[i + 1 :], PAST + SINCE)
        rows += talks(f"New{k}", circle[:2], SINCE)
    return rows


def friends(story: str) -> list[str]:
    return [f"{story}{k}" for k in range(4)]


def circle(story: str, leaver: str) -> Rows:
    """A leaver's four friends, who stay, and two strangers that each of them knows."""
    rows = [row for k, one in enumerate(friends(story)) for row in talks(one, (f"k{k}v", f"k{k}w"), PAST + SINCE)]
    return rows + talks(leaver, friends(story), PAST)


def stories() -> Rows:
    rows = strangers()
    for story in ("plain", "own", "silent", "hub", "early", "known", "given"):
        rows += circle(story, story)
    rows += circle("two", "two-a") + talks("two-b", friends("two"), PAST)
    for story in ("plain", "silent", "two"):
        rows += talks(f"{story.title()}New", friends(story), SINCE)
    rows += talks("own-new", friends("own"), SINCE)
    rows += talks("HubNew", [*friends("hub"), *(f"k{k}{name}" for k in range(10) for name in "vwxyz")], SINCE)
    rows += talks("EarlyNew", friends("early"), PAST + SINCE)
    rows += talks("KnownNew", friends("known"), SINCE) + talks("known", ["KnownNew"], (4,), (25,))
    rows += talks("given", friends("given"), SINCE)  # the next customer of the number
    rows += talks("single", ["k9v"], PAST) + talks("SingleNew", ["k9v"], SINCE)
    for one, other in (("chain-a", "chain-b"), ("chain-b", "chain-a")):
        rows += talks(one, [f"{one}1", f"{one}2", other], PAST)
        rows += talks(f"{one}1", ("k5v", "k6v"), PAST + SINCE) + talks(f"{one}2", ("k7v", "k8v"), PAST + SINCE)
    rows += talks("chain-a-new", ["chain-a1", "chain-a2", "chain-b-new"], SINCE)
    rows += talks("chain-b-new", ["chain-b1", "chain-b2"], SINCE)
    return rows


GONE = ("plain", "own", "hub", "early", "known", "two-a", "two-b", "single", "chain-a", "chain-b")
NEW = ("own-new", "chain-a-new", "chain-b-new")


def put_people(lake: Lake, rows: Rows, gone: Sequence[str]) -> None:
    """Who calls what their names say: capitals are off-net; `silent` is of unknown status."""
    seen = {name_of(row[side]) for row in rows for side in ("caller", "callee")}  # type: ignore[arg-type]
    people = [
        user(
            name,
            status=None if name == "silent" else "left" if name in gone else "active",
            left_on=dt.date(2026, 4, 30) if name in gone else None,
            activated_on=dt.date(2026, 5, 2) if name in NEW else None,
        )
        for name in sorted(seen)
        if name[0].islower()
    ]
    if "given" in seen:
        people.append(user("given-once", status="left", left_on=dt.date(2026, 4, 30)))
        successions = {"user": [number("given")], "former": [number("given-once")], "until": [dt.date(2026, 5, 1)]}
        lake.write("successions", pa.table(successions, schema=SUCCESSIONS))
    put_customers(lake, people, sorted(name for name in seen if name[0].isupper()))


def customers_of(lake: Lake, period: str = "month") -> lifetimes.Customers:
    contacts.build(lake, settings(period))
    return lifetimes.read(lake, settings(period).period, TODAY)


def by_leaver(table: pa.Table) -> Found:
    """`{leaver: [(candidate, score, shared contacts), ...]}` in order of rank."""
    listed: Found = {}
    for row in table.to_pylist():
        theirs = listed.setdefault(name_of(row["user"]), [])
        theirs.append((name_of(row["candidate"]), row["score"], row["shared_contacts"]))
        assert row["rank"] == len(theirs)
    return listed


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, lifetimes.Customers]:
    rows = stories()
    lake = world(tmp_path_factory.mktemp("returning"), rows)
    put_people(lake, rows, GONE)
    return lake, customers_of(lake)


@pytest.fixture(scope="module")
def found(told: tuple[Lake, lifetimes.Customers]) -> Found:
    return by_leaver(build.returning(*told))


def best(found: Found, leaver: str) -> tuple[str, float, int]:
    return found.get(leaver, [("", 0.0, 0)])[0]


@pytest.mark.parametrize(("leaver", "candidate"), [("plain", "PlainNew"), ("own", "own-new"), ("silent", "SilentNew")])
def test_a_new_number_with_the_same_friends_is_found(found: Found, leaver: str, candidate: str) -> None:
    name, score, shared = best(found, leaver)
    assert (name, shared) == (candidate, 4)
    assert score > 0.8


def test_one_contact_says_little(found: Found) -> None:
    name, score, shared = best(found, "single")
    assert (name, shared) in (("SingleNew", 1), ("New9", 1))
    assert score < 0.5 < best(found, "plain")[1]


def test_a_number_that_talks_to_everybody_is_nobodys(found: Found) -> None:
    assert all(score < 0.1 for leaver in found for name, score, _ in found[leaver] if name == "HubNew")


def test_two_leavers_share_the_chance_of_one_number(found: Found) -> None:
    (one, a, _), (other, b, _) = best(found, "two-a"), best(found, "two-b")
    assert one == other == "TwoNew"
    assert a == pytest.approx(b, abs=1e-3)
    assert 0.4 < a <= 0.5


def test_a_number_that_was_there_all_along_is_somebody_elses(found: Found) -> None:
    assert "EarlyNew" not in {name for leaver in found for name, _, _ in found[leaver]}


def test_whom_the_leaver_called_is_somebody_else(found: Found) -> None:
    assert "KnownNew" not in {name for name, _, _ in found.get("known", [])}


def test_the_next_customer_of_a_number_is_somebody_else(found: Found) -> None:
    assert "given" not in {name for name, _, _ in found.get("given-once", [])}


def test_two_friends_with_new_numbers_vouch_for_each_other(
    found: Found, told: tuple[Lake, lifetimes.Customers]
) -> None:
    alone = by_leaver(build.returning(*told, joint=False))
    for leaver in ("chain-a", "chain-b"):
        name, score, shared = best(found, leaver)
        assert (name, shared) == (f"{leaver}-new", 3)  # the friends who stayed, and the other's new number
        before, chance, known = best(alone, leaver)
        assert (before, known) == (name, 2)
        assert 1 - score < (1 - chance) / 2


def test_nobody_has_more_than_one_number_to_give(found: Found) -> None:
    sums: dict[str, float] = {}
    for leaver in found:
        assert sum(score for _, score, _ in found[leaver]) <= 1 + 1e-6
        for name, score, _ in found[leaver]:
            sums[name] = sums.get(name, 0) + score
    assert max(sums.values()) <= 1 + 1e-4


def test_nobody_left(tmp_path: Path) -> None:
    rows = strangers()
    lake = world(tmp_path, rows)
    put_people(lake, rows, ())
    customers, inputs = customers_of(lake), Inputs(lake)
    assert build.build(lake, customers, inputs)
    assert lake.read("returning").num_rows == 0
    assert lake.read("returning").schema == build.SCHEMA
    assert not build.build(lake, customers, inputs)
    put_people(lake, rows, ("k0z",))  # until the end of June: no number is new since
    assert build.build(lake, customers_of(lake), inputs)
    assert lake.read("returning").num_rows == 0


def test_weeks(tmp_path: Path) -> None:
    """The last weeks of a leaver count as the last months do."""
    rows = strangers() + circle("plain", "plain") + talks("PlainNew", friends("plain"), SINCE)
    lake = world(tmp_path, rows)
    put_people(lake, rows, ("plain",))
    customers = customers_of(lake, "week")
    assert customers.periods[0] == "2026-W10"
    name, score, shared = best(by_leaver(build.returning(lake, customers)), "plain")
    assert (name, shared) == ("PlainNew", 4)
    assert score > 0.8
