"""Communities on graphs whose parts are plain to see, and the life of their names."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from pathlib import Path

import networkit
import numpy as np
import pytest

from graph.calls import communities, contacts, lifetimes
from graph.calls.leiden import two_levels
from graph.calls.naming import canonical, carry_names
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, put_calls, settings, user, world

TODAY = dt.date(2026, 8, 1)


def build(lake: Lake) -> list[str]:
    contacts.build(lake, settings())
    inputs = Inputs(lake)
    made = communities.build(lake, lifetimes.read(lake, "month", TODAY), inputs)
    inputs.save()
    return made


def clique(names: str, month: int) -> list[dict[str, object]]:
    return [call(a, b, f"2026-{month:02d}-10 10:00:00") for a, b in combinations(names, 2)]


def groups(lake: Lake, period: str, level: int = 0) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, row in by_user(lake, "communities", period=period, level=level).items():
        found.setdefault(str(row["community"]), set()).add(name)
        assert row["size"] == len(by_user(lake, "communities", period=period, level=level, community=row["community"]))
    return found


def test_two_groups_joined_by_one_call_are_two_communities(tmp_path: Path) -> None:
    rows = clique("abcd", 5) + clique("wxyz", 5) + [call("a", "z", "2026-05-10 10:00:00")]
    rows += [call("lone", "Off", "2026-05-10 10:00:00"), call("a", "Off", "2026-05-10 10:00:00")]
    lake = world(tmp_path, rows, [user(n) for n in [*"abcdwxyz", "lone", "quiet"]])
    assert build(lake) == ["2026-05"]
    assert groups(lake, "2026-05") == {"f1": set("abcd"), "f2": set("wxyz")}
    assert groups(lake, "2026-05", level=1) == {"c1": set("abcd"), "c2": set("wxyz")}


def test_names_last_while_members_come_and_go(tmp_path: Path) -> None:
    rows = clique("abcd", 5) + clique("wxyz", 5)
    rows += clique("wxyzv", 6) + clique("abce", 6) + clique("kl", 6)
    rows += clique("kl", 7) + clique("abce", 7)
    lake = world(tmp_path, rows, [user(n, status="active") for n in "abcdewvxyzkl"])
    build(lake)
    assert groups(lake, "2026-05") == {"f1": set("abcd"), "f2": set("wxyz")}
    assert groups(lake, "2026-06") == {"f1": set("abce"), "f2": set("vwxyz"), "f3": set("kl")}
    assert groups(lake, "2026-07") == {"f1": set("abce"), "f3": set("kl")}


def test_a_changed_month_is_parted_anew_and_later_ones_only_renamed(tmp_path: Path) -> None:
    rows = clique("abcd", 5) + clique("abcd", 6) + clique("wxyz", 6)
    users = [user(n, status="active") for n in "abcdwxyz"]
    lake = world(tmp_path, rows, users)
    build(lake)
    assert build(lake) == []
    assert groups(lake, "2026-06") == {"f1": set("abcd"), "f2": set("wxyz")}
    put_calls(lake, clique("wxyz", 5))
    assert build(lake) == ["2026-05"]
    assert groups(lake, "2026-06") == {"f1": set("wxyz"), "f2": set("abcd")}
    fresh = world(tmp_path / "fresh", clique("wxyz", 5) + rows[6:], users)
    build(fresh)
    assert fresh.files("communities")[0].read_bytes() == lake.files("communities")[0].read_bytes()


def test_a_month_without_ties_between_customers_has_no_communities(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "Off", "2026-05-10 10:00:00")])
    build(lake)
    assert lake.read("communities").num_rows == 0


def blocks(parts: int, size: int, inside: float, seed: int = 0) -> tuple[int, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = parts * size
    a, b = np.triu_indices(n, 1)
    near = a // size == b // size
    kept = rng.random(len(a)) < np.where(near, inside, 0.01)
    return n, a[kept], b[kept]


def test_fine_communities_lie_in_coarse_ones_and_answers_repeat() -> None:
    n, a, b = blocks(6, 25, 0.5)
    weight = np.ones(len(a))
    threads = networkit.getMaxNumberOfThreads()
    coarse, fine = two_levels(n, a, b, weight)
    assert networkit.getMaxNumberOfThreads() == threads
    assert len(np.unique(coarse)) == 6
    assert all(len(np.unique(coarse[i * 25 : i * 25 + 25])) == 1 for i in range(6))
    assert all(len(np.unique(coarse[fine == one])) == 1 for one in np.unique(fine))
    again = two_levels(n, a, b, weight)
    assert (coarse == again[0]).all()
    assert (fine == again[1]).all()


def test_a_coarse_community_of_groups_is_taken_apart() -> None:
    # Two towns of three tight families each; families of a town know each other a little, towns hardly.
    rng = np.random.default_rng(1)
    a, b = np.triu_indices(60, 1)
    chance = np.where(a // 10 == b // 10, 0.9, np.where(a // 30 == b // 30, 0.15, 0.002))
    kept = rng.random(len(a)) < chance
    coarse, fine = two_levels(60, a[kept], b[kept], np.where(a[kept] // 10 == b[kept] // 10, 1.0, 0.8))
    assert len(np.unique(coarse)) <= len(np.unique(fine))
    assert all(len(np.unique(fine[i * 10 : i * 10 + 10])) == 1 for i in range(6))


@pytest.mark.parametrize(
    ("labels", "old", "names"),
    [
        ([0, 0, 0, 1], [4, 4, 4, 4], [4, 4, 4, 7]),  # a split: the larger part keeps the name
        ([0, 0, 0, 0, 0], [4, 4, 4, 5, 5], [4] * 5),  # a merger: the larger partner gives it
        ([0, 0, 1, 1], [4, 5, 5, 4], [4, 4, 5, 5]),  # equal overlap: the older name first
        ([-1, 0, 0, -1], [4, -1, -1, 4], [-1, 7, 7, -1]),  # nothing in common
        ([0] * 10, [4] + [-1] * 9, [7] * 10),  # one member of ten is too little
        ([-1, -1], [4, 4], [-1, -1]),
    ],
)
def test_names_by_overlap(labels: list[int], old: list[int], names: list[int]) -> None:
    found, unused = carry_names(np.array(labels), np.array(old), 7)
    assert found.tolist() == names
    assert unused == 7 + len({n for n in names if n >= 7})


def test_canonical_labels_follow_first_members() -> None:
    assert canonical(np.array([5, 5, -1, 2, 5, 9])).tolist() == [0, 0, -1, 1, 0, 2]
    assert canonical(np.array([], np.int64)).tolist() == []
