"""Who shrinks and who only calls less, in a network made for it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from graph.calls.analyse import analyse
from graph.calls.habits import Habits
from graph.calls.levels import at, levels, likely
from graph.calls.shrinking import discoveries, fall, groups, p_values
from graph.calls.turnover import turnover
from lake.tables import Lake
from tests.graph.calls.world import by_user, call, settings, user, world

USERS = 60
CONTACTS = 10
CALLS = 60


def month(
    number: int, calls: dict[int, int], circle: dict[int, int], rng: np.random.Generator
) -> list[dict[str, object]]:
    """Calls of each customer to off-net contacts of their own, evenly drawn from the first few of ten."""
    rows = []
    for u in range(USERS):
        for i, contact in enumerate(rng.integers(0, circle.get(u, circle[-1]), calls.get(u, calls[-1]))):
            at = f"2026-0{number}-{1 + i % 28:02d} 10:00:{i // 28:02d}"
            rows.append(call(f"u{u:02d}", f"Off{u:02d}-{contact}", at))
    return rows


def flagged(folder: Path, last: dict[int, int], circle: dict[int, int], seed: int = 0) -> tuple[Lake, list[str]]:
    rng = np.random.default_rng(seed)
    rows = month(1, {-1: CALLS}, {-1: CONTACTS}, rng) + month(2, {-1: CALLS}, {-1: CONTACTS}, rng)
    users = [user(f"u{u:02d}", activated_on=dt.date(2025, 1, 1), status="active") for u in range(USERS)]
    lake = world(folder, rows + month(3, last, circle, rng), users)
    analyse(lake, settings())
    return lake, sorted(by_user(lake, "circles", period="2026-03", shrinking=True))


def test_fewer_contacts_at_as_many_calls_is_shrinking(tmp_path: Path) -> None:
    lake, found = flagged(tmp_path, {-1: CALLS}, {-1: CONTACTS, 5: 4, 6: 5})
    assert found == ["u05", "u06"]
    row = by_user(lake, "circles", period="2026-03")["u05"]
    assert row["contacts"] == 4
    assert row["expected"] == pytest.approx(10, abs=0.1)
    assert row["p_value"] < 1e-4


def test_ties_that_end_take_their_calls_along_and_still_show(tmp_path: Path) -> None:
    assert flagged(tmp_path, {-1: CALLS, 5: CALLS // 2}, {-1: CONTACTS, 5: 5})[1] == ["u05"]


def test_fewer_calls_to_the_same_circle_is_not_shrinking(tmp_path: Path) -> None:
    lake, found = flagged(tmp_path, {-1: CALLS, 5: 6, 6: 6, 7: 8}, {-1: CONTACTS})
    assert found == []
    row = by_user(lake, "circles", period="2026-03")["u05"]
    assert row["contacts"] <= 6
    assert row["p_value"] > 0.01


@pytest.mark.parametrize(("calls", "circle"), [(20, CONTACTS), (CALLS, 7)])
def test_a_holiday_flags_nobody_but_who_lost_more_than_all(tmp_path: Path, calls: int, circle: int) -> None:
    assert flagged(tmp_path / "all", {-1: calls}, {-1: circle})[1] == []
    assert flagged(tmp_path / "one", {-1: calls, 5: calls}, {-1: circle, 5: 1})[1] == ["u05"]


def people(circles: list[list[int]], now: list[list[int]], history: int = 1) -> Habits:
    """Habits of customers from calls to each contact earlier and now."""
    sizes = np.cumsum([0, *map(len, circles)])
    calls, today = (np.array([c for row in rows for c in row], np.int32) for rows in (circles, now))
    seen = np.full(len(calls), (1 << history) - 1, np.uint8)
    return Habits(np.full(len(circles), history, np.int8), sizes, calls, seen, today)


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def by_enumeration(
    weights: list[float],
    ended: float,
    evidence: list[float],
    draws: int,
    found: float,
    likely: Callable[[float], float],
) -> float:
    """The chance of at least so much evidence: every set of contacts that ended, every sequence of the urn.

    `likely`: of so many calls, by the share of the circle that is left.
    """
    many = every = 0.0
    for gone in product((False, True), repeat=len(weights)):
        if all(gone):
            continue
        left = sum(w for g, w in zip(gone, weights, strict=True) if not g) / sum(weights)
        prior = math.prod(ended if g else 1 - ended for g in gone) * likely(left)
        every += prior
        for sequence in product([j for j, g in enumerate(gone) if not g], repeat=draws):
            chance, balls = prior, [0.0 if g else w for g, w in zip(gone, weights, strict=True)]
            for contact in sequence:
                chance *= balls[contact] / sum(balls)
                balls[contact] += 1
            silent = sum(e for j, e in enumerate(evidence) if j not in sequence)
            many += chance if silent >= found - 1e-9 else 0.0
    return many / every


def test_p_is_the_share_of_all_ways_the_calls_could_have_gone() -> None:
    # 400 alike, so that their p-values differ by the simulation alone: two of three contacts silent at four calls.
    n = 400
    found = people([[5, 2, 1]] * n, [[4, 0, 0]] * n)
    usual = turnover(found, found.sums(found.now))
    evidence = np.log1p(1 / usual.silent[:3])
    kept = np.full(n, 1 - usual.ended[0])
    share = levels(np.full(n, 8), np.ones(n), np.full(n, 4), kept)
    chance = likely(8, 1, 4, share)
    wanted = by_enumeration(
        [5.5, 2.5, 1.5], usual.ended[0], evidence.tolist(), 4, evidence[1] + evidence[2], lambda left: at(chance, left)
    )
    p = p_values(found, seeds(n))
    assert wanted == pytest.approx(1 / np.mean(1 / p), rel=0.06)  # of so many draws, `ENOUGH` came out so
    assert (p_values(found, seeds(n)) == p).all()


def test_p_values_of_a_network_at_rest_are_even() -> None:
    rng = np.random.default_rng(1)
    rates = [rng.lognormal(0, 0.9, 10) for _ in range(3000)]
    past = [rng.poisson(3 * rate) for rate in rates]
    known = [np.flatnonzero(calls) for calls in past]
    slower = rng.choice([0.3, 1.0], len(rates))  # half of them call less, with the same circle
    now = [rng.poisson(rate * s * (rng.random(10) > 0.04)) for rate, s in zip(rates, slower, strict=True)]
    habits = people(
        [list(c[k]) for c, k in zip(past, known, strict=True)], [list(c[k]) for c, k in zip(now, known, strict=True)]
    )
    p = p_values(habits, seeds(len(rates)))
    for level in (0.01, 0.05, 0.2):
        for some in (p, p[slower == 0.3]):
            assert (p <= level).mean() <= 1.3 * level + 0.004, (level, len(some))
    assert discoveries(p, groups(fall(habits, habits.sums(habits.now)))).sum() <= 2


def test_what_cannot_vary_is_no_evidence_and_what_is_not_known_is_null() -> None:
    p = p_values(people([[3], [2, 2], [], [4, 4]], [[1], [0, 0], [], [1, 1]]), seeds(4))
    assert p[[0, 1, 3]].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(p[2])


def test_groups_by_how_far_calls_fell() -> None:
    n = 101
    habits = people([[100]] * n, [[100]] * n)
    calls = np.full(n, 100)
    calls[:4] = [0, 80, 60, 200]  # a standard deviation of two counts of 100 is 14.1
    assert groups(fall(habits, calls))[:5].tolist() == [4, 1, 2, 0, 0]
    assert groups(fall(habits, calls // 2))[4] == 0  # everybody calls half as much
    assert groups(fall(people([[]], [[]]), np.array([3]))).tolist() == [0]


def test_false_discoveries_by_hand() -> None:
    one = np.zeros(5, int)
    # pi = (1 + 0) / 2.5: thresholds .025 .05 .075 .1 .125, and nothing above one half.
    assert discoveries(np.array([0.03, 0.06, 0.09, 0.11, 0.2]), one).tolist() == [False, False, False, False, False]
    assert discoveries(np.array([0.03, 0.06, 0.07, 0.11, 0.2]), one).tolist() == [True, True, True, False, False]
    # Two groups: alone, .03 of two is not below .05 / 2 / pi with pi = 1.
    assert discoveries(np.array([0.03, 0.9, 0.02, np.nan, 0.9]), np.array([0, 0, 1, 1, 1])).tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert discoveries(np.array([np.nan]), np.zeros(1, int)).tolist() == [False]
    assert discoveries(np.array([]), np.array([], int)).tolist() == []
