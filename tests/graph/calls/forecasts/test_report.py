"""Precision, recall, lift, AUC and calibration of answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.calls.forecasts.forecast import deciles
from graph.calls.forecasts.report import auc, report, top


def test_twenty_customers_by_hand() -> None:
    p = np.arange(20, 0, -1) / 20
    y = np.zeros(20, bool)
    y[[0, 2, 19]] = True
    facts = report(y, p)
    assert (facts["rows"], facts["positives"], facts["share"]) == (20, 3, 0.15)
    five, ten = facts["top"]["5%"], facts["top"]["10%"]
    assert (five["rows"], five["precision"], five["recall"], five["lift"]) == (1, 1.0, 0.3333, 6.667)
    assert (ten["rows"], ten["precision"], ten["recall"], ten["lift"]) == (2, 0.5, 0.3333, 3.333)
    assert facts["auc"] == pytest.approx((17 + 16 + 0) / 51, abs=1e-4)
    assert len(facts["reliability"]) == 10
    assert facts["reliability"][-1] == {"rows": 2, "said": 0.975, "came": 0.5}


def test_a_share_said_of_everybody_is_calibrated_and_orders_nobody() -> None:
    y = np.tile([True, False, False, False], 25)
    facts = report(y, np.full(100, 0.25))
    assert facts["auc"] == 0.5
    assert facts["brier"] == facts["brier_of_share"] == 0.1875
    assert facts["ece"] <= 0.05


@pytest.mark.parametrize("answer", [True, False])
def test_one_answer_alone_has_no_auc(answer: bool) -> None:
    facts = report(np.full(30, answer), np.linspace(0, 1, 30))
    assert facts["auc"] is None
    assert facts["top"]["5%"]["lift"] == (1.0 if answer else None)


def test_nobody() -> None:
    assert report(np.empty(0, bool), np.empty(0)) == {"rows": 0, "positives": 0, "share": None}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[bool, int]]) -> None:
    y, p = np.array([yes for yes, _ in rows]), np.array([float(score) for _, score in rows])
    if y.all() or not y.any():
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y] for b in p[~y]]
    area, low, high = auc(y, p)
    assert area == pytest.approx(np.mean(pairs))
    assert 0 <= low <= area <= high <= 1


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_deciles_are_even_and_fall_with_the_value(values: list[int]) -> None:
    p = np.array(values, float)
    found = deciles(p)
    assert found.min() == 1
    assert found.max() <= 10
    counts = np.bincount(found, minlength=11)[1:]
    assert counts.max() - counts.min() <= 1
    assert all(found[a] <= found[b] for a in range(len(p)) for b in range(len(p)) if p[a] > p[b])


def test_top_takes_at_least_one() -> None:
    assert top(np.array([True]), np.array([0.3]), 0.05)["rows"] == 1
