"""Communities on graphs whose parts are plain to see, and the life of their names."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from pathlib import Path

import networkit
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_
from hypothesis import strategies as st
from scipy.sparse import csr_array

from graph.calls import communities, contacts, lifetimes
from graph.calls.leiden import leiden, modularity, two_levels
from graph.calls.naming import canonical, carry_names
from graph.calls.state import Inputs
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, put_calls, put_customers, settings, user, world

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
    rows = clique("abcd", 3) + clique("wxyz", 3)
    rows += clique("wxyzv", 4) + clique("abce", 4) + clique("kl", 4)
    rows += [row for month in (5, 6) for row in clique("kl", month) + clique("abce", month)]
    users = [user(n, status="active") for n in "abcewvyzkl"]
    users += [user("d", left_on=dt.date(2026, 4, 20)), user("x", left_on=dt.date(2026, 3, 20))]
    lake = world(tmp_path, rows, users)
    build(lake)
    assert groups(lake, "2026-03") == {"f1": set("abcd"), "f2": set("wxyz")}
    # who is silent stays where they were for two months more, who left does not
    assert groups(lake, "2026-04") == {"f1": set("abcde"), "f2": set("vwyz"), "f3": set("kl")}
    assert groups(lake, "2026-05") == {"f1": set("abce"), "f2": set("vwyz"), "f3": set("kl")}
    assert groups(lake, "2026-06") == {"f1": set("abce"), "f2": set("vwyz"), "f3": set("kl")}


def test_who_is_silent_for_three_months_is_in_no_community(tmp_path: Path) -> None:
    rows = clique("abc", 3) + [row for month in (4, 5, 6) for row in clique("kl", month)]
    lake = world(tmp_path, rows, [user(n, status="active") for n in "abckl"])
    build(lake)
    assert groups(lake, "2026-05") == {"f1": set("abc"), "f2": set("kl")}
    assert groups(lake, "2026-06") == {"f2": set("kl")}


def test_further_months_and_customers_leave_earlier_ones_alone(tmp_path: Path) -> None:
    rows = clique("abcd", 3) + clique("wxyz", 3) + clique("abcd", 4)
    users = [user(n, status="active") for n in "abcdwxyz"]
    lake = world(tmp_path, rows, users)
    build(lake)
    later = clique("abcde", 5) + clique("klm", 5)
    newer = [user(n, status="active", activated_on=dt.date(2026, 5, 2)) for n in "eklm"]
    put_customers(lake, users + newer, [])
    put_calls(lake, later)
    assert build(lake) == ["2026-05"]
    fresh = world(tmp_path / "fresh", rows + later, users + newer)
    assert build(fresh) == ["2026-03", "2026-04", "2026-05"]
    assert groups(lake, "2026-05") == {"f1": set("abcde"), "f2": set("wxyz"), "f3": set("klm")}
    assert fresh.files("communities")[0].read_bytes() == lake.files("communities")[0].read_bytes()


def test_a_changed_month_is_parted_anew_and_so_are_those_after_it(tmp_path: Path) -> None:
    rows = clique("abcd", 5) + clique("abcd", 6) + clique("wxyz", 6)
    users = [user(n, status="active") for n in "abcdwxyz"]
    lake = world(tmp_path, rows, users)
    build(lake)
    assert build(lake) == []
    assert groups(lake, "2026-06") == {"f1": set("abcd"), "f2": set("wxyz")}
    put_calls(lake, clique("wxyz", 5))
    assert build(lake) == ["2026-05", "2026-06"]
    assert groups(lake, "2026-06") == {"f1": set("wxyz"), "f2": set("abcd")}
    fresh = world(tmp_path / "fresh", clique("wxyz", 5) + rows[6:], users)
    build(fresh)
    assert fresh.files("communities")[0].read_bytes() == lake.files("communities")[0].read_bytes()


def test_a_month_without_ties_between_customers_has_no_communities(tmp_path: Path) -> None:
    lake = world(tmp_path, [call("a", "Off", "2026-05-10 10:00:00")])
    build(lake)
    assert lake.read("communities").num_rows == 0


Graph = tuple[np.ndarray, np.ndarray, np.ndarray]


def compressed(n: int, a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> Graph:
    both = csr_array((np.tile(weight, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n))
    both.sort_indices()
    return both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data


def blocks(parts: int, size: int, inside: float, seed: int = 0) -> Graph:
    rng = np.random.default_rng(seed)
    n = parts * size
    a, b = np.triu_indices(n, 1)
    kept = rng.random(len(a)) < np.where(a // size == b // size, inside, 0.01)
    return compressed(n, a[kept], b[kept], np.ones(kept.sum()))


def test_fine_communities_lie_in_coarse_ones_and_answers_repeat() -> None:
    graph = blocks(6, 25, 0.5)
    coarse, fine = two_levels(*graph)
    assert len(np.unique(coarse)) == 6
    assert all(len(np.unique(coarse[i * 25 : i * 25 + 25])) == 1 for i in range(6))
    assert all(len(np.unique(coarse[fine == one])) == 1 for one in np.unique(fine))
    again = two_levels(*graph)
    assert (coarse == again[0]).all()
    assert (fine == again[1]).all()


def test_a_coarse_community_of_groups_is_taken_apart() -> None:
    # Two towns of three tight families each; families of a town know each other a little, towns hardly.
    rng = np.random.default_rng(1)
    a, b = np.triu_indices(60, 1)
    chance = np.where(a // 10 == b // 10, 0.9, np.where(a // 30 == b // 30, 0.15, 0.002))
    kept = rng.random(len(a)) < chance
    weight = np.where(a[kept] // 10 == b[kept] // 10, 1.0, 0.8)
    coarse, fine = two_levels(*compressed(60, a[kept], b[kept], weight))
    assert len(np.unique(coarse)) <= len(np.unique(fine))
    assert all(len(np.unique(fine[i * 10 : i * 10 + 10])) == 1 for i in range(6))


def mass(graph: Graph) -> np.ndarray:
    strength = np.bincount(np.repeat(np.arange(len(graph[0]) - 1), np.diff(graph[0])), graph[2], len(graph[0]) - 1)
    return strength / np.sqrt(strength.sum())


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.booleans())
@settings_(max_examples=60, deadline=None)
def test_communities_hold_together_and_are_no_worse_than_the_first_guess(seed: int, n: int, guessed: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(n, 1)
    kept = rng.random(len(a)) < 3 / n
    graph = compressed(n, a[kept], b[kept], rng.integers(1, 5, kept.sum()).astype(float))
    guess = rng.integers(-1, 4, n)
    found = leiden(*graph, mass(graph), guess if guessed else None)
    plain = nx.Graph()
    plain.add_nodes_from(range(n))
    plain.add_weighted_edges_from(zip(a[kept].tolist(), b[kept].tolist(), rng.integers(1, 2, kept.sum()), strict=True))
    for one in np.unique(found):
        assert nx.is_connected(plain.subgraph(np.flatnonzero(found == one).tolist()))
    if kept.any():
        first = canonical(np.where(guess < 0, 10 + np.arange(n), guess) if guessed else np.arange(n))
        assert modularity(*graph, canonical(found)) >= modularity(*graph, first) - 1e-9


def test_modularity_agrees_with_networkx_and_leiden_finds_as_much_as_networkits() -> None:
    graph = blocks(8, 20, 0.3)
    label = canonical(leiden(*graph, mass(graph)))
    plain = nx.from_scipy_sparse_array(csr_array((graph[2], graph[1], graph[0])))
    groups = [set(np.flatnonzero(label == one).tolist()) for one in np.unique(label)]
    assert modularity(*graph, label) == pytest.approx(nx.community.modularity(plain, groups))
    peer = networkit.nxadapter.nx2nk(plain, weightAttr="weight")
    theirs = networkit.community.ParallelLeiden(peer).run().getPartition()
    assert modularity(*graph, label) >= networkit.community.Modularity().getQuality(theirs, peer) - 0.002


def test_a_good_first_guess_stays() -> None:
    # A ring of 30 triangles: many partitions are about as good, and the one that was found is kept.
    a = np.concatenate([[3 * i, 3 * i, 3 * i + 1, 3 * i + 2] for i in range(30)])
    b = np.concatenate([[3 * i + 1, 3 * i + 2, 3 * i + 2, (3 * i + 3) % 90] for i in range(30)])
    graph = compressed(90, a, b, np.ones(len(a)))
    cold = leiden(*graph, mass(graph))
    turned = np.roll(canonical(cold), 3)
    assert (canonical(leiden(*graph, mass(graph), turned)) == canonical(turned)).all()


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
