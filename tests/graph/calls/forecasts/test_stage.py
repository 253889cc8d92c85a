"""The stage of one customer among a hundred who are as usual."""

from __future__ import annotations

import numpy as np
import pytest

from graph.calls.forecasts.stage import STAGES, stages

USUAL = {
    "contacts": 8, "against_self": 1, "against_peers": 1, "lost": 2, "kept": 6, "shrinking": 0,
    "events": 30, "events_usual": 30, "radius_change": 1, "handset_price_change": np.nan, "contract_days": 300,
    "days_on": 28, "days_on_usual": 28, "dropped_calls": 1, "dropped_calls_usual": 1,
    "slow_sessions": 2, "slow_sessions_usual": 2, "complaints": 0, "complaints_usual": 0,
}  # fmt: skip


def stage_of(**one: float) -> str:
    """Of the first of a hundred; the others differ a little, as customers do."""
    columns = {name: np.full(100, value, np.float32) for name, value in USUAL.items()}
    columns["radius_change"] += np.linspace(-0.2, 0.2, 100, dtype=np.float32)
    for name, value in one.items():
        columns[name][0] = value
    return STAGES[stages(columns)[0]]


@pytest.mark.parametrize(
    ("one", "stage"),
    [
        ({}, "stable"),
        ({"days_on": 8}, "decision"),
        ({"days_on": 26}, "stable"),
        ({"events": 3}, "decision"),
        ({"events": 15}, "stable"),
        ({"shrinking": 1}, "circle"),
        ({"against_peers": 0.5}, "circle"),
        ({"against_peers": 0.5, "lost": 1, "kept": 2}, "stable"),
        ({"radius_change": 0.05}, "circle"),
        ({"handset_price_change": 0.6}, "circle"),
        ({"handset_price_change": 1.4}, "stable"),
        ({"dropped_calls": 12}, "experience"),
        ({"slow_sessions": 20}, "experience"),
        ({"complaints": 2}, "experience"),
        ({"complaints": 1}, "stable"),
        ({"contract_days": -3}, "stable"),
        ({"contract_days": -3, "shrinking": 1}, "decision"),
        ({"contract_days": 12, "dropped_calls": 12}, "decision"),
        ({"shrinking": 1, "dropped_calls": 12}, "circle"),
    ],
)
def test_one_sign(one: dict[str, float], stage: str) -> None:
    assert stage_of(**one) == stage


def test_a_holiday_is_nobodys_sign() -> None:
    columns = {name: np.full(100, value, np.float32) for name, value in USUAL.items()}
    columns["days_on"][:], columns["events"][:], columns["dropped_calls"][:] = 14, 9, 9
    assert not stages(columns).any()


def test_nothing_known_is_stable() -> None:
    assert not stages({name: np.full(5, np.nan, np.float32) for name in USUAL}).any()
