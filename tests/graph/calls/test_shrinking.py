"""Who shrinks and who only calls less, in a network made for it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from graph.calls.analyse import analyse
from graph.calls.shrinking import discoveries, p_values
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
    assert row["p_value"] < 1e-6


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


def test_p_values_of_a_network_at_rest_are_not_too_small() -> None:
    rng = np.random.default_rng(1)
    mean, variance = np.full(4000, 12.0), np.full(4000, 3.0)
    size = np.round(rng.normal(0.9 * mean, np.sqrt(0.81 * 3.0 + 0.09 * 12.0))).clip(0)
    p = p_values(size, mean, variance)
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= 1.3 * level
    assert discoveries(p).sum() <= 2


def test_what_cannot_vary_is_no_evidence_and_what_is_not_known_is_null() -> None:
    p = p_values(np.array([1, 0, 3, 2]), np.array([1.0, 0.0, np.nan, 4.0]), np.array([0.0, 0.0, np.nan, 1.0]))
    assert p[:2].tolist() == [1.0, 1.0]
    assert np.isnan(p[2])
    assert p[3] == pytest.approx(0.0668072)  # normal below -1.5


def test_benjamini_hochberg_by_hand() -> None:
    # Thresholds .01 .02 .03 .04 .05: the fourth smallest is below its own, so the first four count.
    assert discoveries(np.array([0.012, 0.5, 0.039, 0.03, 0.035])).tolist() == [True, False, True, True, True]
    assert discoveries(np.array([0.02, np.nan, 0.9])).tolist() == [True, False, False]
    assert discoveries(np.array([np.nan])).tolist() == [False]
    assert discoveries(np.array([])).tolist() == []
