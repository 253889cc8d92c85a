"""Offers without responses: told by their facts where these decide, by the mean of the others where they do not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.offer_facts import FACTS, WEIGHTS, expected, levels, read_facts, readiness
from embeddings.unshown import Counts, Told, learn_levels, learn_unshown, measure_unshown

OFFERS, SEGMENTS = 40, pa.array(["s0", "s1"])
KINDS = ("plan", "pack")


def facts(values: list[str]) -> pa.Table:
    rows = [(at, "offer", "", 1.0) for at in range(len(values))]
    rows += [(at, "kind", value, 1.0) for at, value in enumerate(values)]
    return pa.Table.from_pylist([dict(zip(FACTS.names, row, strict=True)) for row in rows], schema=FACTS)


def answers(rates: np.ndarray, times: int = 1000) -> Counts:
    """Each offer shown 1,000 times in either segment and without one, accepted exactly as often as said."""
    shown = np.full(rates.shape, times)
    return Counts(shown, np.round(rates * times).astype(int))


def by_kind(ready: float = 1.0) -> Counts:
    """Every other offer is accepted by one in five, the rest by one in twenty; in s0 `ready` times as often."""
    rate = np.where(np.arange(OFFERS) % 2 == 0, 0.05, 0.2)
    return answers(np.stack([rate * ready, rate, rate]))


def test_facts_that_decide_are_served_and_told():
    counts, known = by_kind(), facts([KINDS[i % 2] for i in range(OFFERS)])
    found = measure_unshown(counts, known, seed=0)
    assert found.served == "facts"
    table, gain = found.metrics["table"], found.metrics["gain"]["facts over mean"]
    assert gain["interval"][0] > 0
    assert gain["auc_interval"][0] > 0
    # One in five against one in twenty: 3.8 / 4.75 of the acceptances over .95 / 1.75 of the rest, ties as half.
    yes, no = 0.2 / 0.25, 0.8 / 1.75
    assert table["facts"]["auc"] == pytest.approx(yes * (1 - no) + (yes * no + (1 - yes) * (1 - no)) / 2, abs=0.01)
    weights = learn_unshown("facts", counts, known, SEGMENTS)
    told = expected(weights, facts(["plan", "pack", "what nobody knows"]), 3, SEGMENTS)
    assert told[:, 0] == pytest.approx(0.05, rel=0.15)
    assert told[:, 1] == pytest.approx(0.2, rel=0.15)
    assert (told[:, 2] > 0.07).all()
    assert (told[:, 2] < 0.15).all()


def test_facts_that_say_nothing_leave_the_mean():
    rng = np.random.default_rng(1)
    counts, known = by_kind(), facts([KINDS[i] for i in rng.permutation(np.arange(OFFERS) // 2 % 2)])
    found = measure_unshown(counts, known, seed=0)
    assert found.served == "mean"
    assert not len(learn_unshown("mean", counts, known, SEGMENTS))


def test_segments_that_say_yes_more_readily_are_told():
    known = facts(["plan"] * OFFERS)
    found = measure_unshown(by_kind(ready=2.0), known, seed=0)
    assert found.served == "segment"
    told = expected(learn_unshown("segment", by_kind(2.0), known, SEGMENTS), known, OFFERS, SEGMENTS)
    assert told[0] / told[1] == pytest.approx(2, rel=0.15)
    assert readiness(learn_unshown("segment", by_kind(2.0), known, SEGMENTS), pa.array(["s9"])).tolist() == [0, 0]


def test_few_offers_are_not_measured():
    counts = by_kind().take(np.arange(7))
    found = measure_unshown(counts, facts(["plan"] * 7), seed=0)
    assert found.served == "mean"
    assert found.metrics == {"offers": 7, "shown": 21_000, "accepted": 3 * (4 * 50 + 3 * 200), "served": "mean"}


def test_offers_without_any_fact_or_showing():
    nothing = Counts(np.zeros((1, 3), int), np.zeros((1, 3), int))
    assert measure_unshown(nothing, FACTS.empty_table(), seed=0).served == "mean"
    counts = by_kind().take(np.arange(10))
    weights = learn_levels(counts, FACTS.empty_table(), np.arange(10))
    assert weights["fact"].to_pylist() == ["offer"]
    assert np.isfinite(weights["weight"].to_numpy()).all()


def test_log_loss_and_auc_are_those_of_the_rows():
    counts = Counts(np.array([[4, 2], [1, 0]]), np.array([[1, 2], [0, 0]]))
    z = np.array([[-1.0, 1.0], [0.0, 3.0]])
    rows = [(-1.0, True)] + [(-1.0, False)] * 3 + [(1.0, True)] * 2 + [(0.0, False)]
    score, came = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    told = Told.of(counts, z, seed=0)
    assert told.loss == pytest.approx(np.mean(np.logaddexp(0, score) - came * score))
    pairs = [(a > b) + (a == b) / 2 for a in score[came] for b in score[~came]]
    assert told.auc == pytest.approx(np.mean(pairs))


def test_facts_of_the_lake(lake):
    offers = {
        "offer": ["a", "b"],
        "product": ["p", "unknown"],
        "title": ["More data, more", None],
        "channels": [["sms", "app"], []],
        "value": [np.e - 1, None],
    }
    lake.write("offers", pa.table(offers))
    lake.write("products", pa.table({"product": ["p"], "kind": ["pack"], "monthly_fee": [0.0]}))
    found = read_facts(lake, pa.array(["b", "a"]))
    rows = {(row["at"], row["fact"], row["value"]): row["amount"] for row in found.to_pylist()}
    half = pytest.approx(0.5**0.5)
    assert rows == {
        (0, "offer", ""): 1,
        (0, "product", "unknown"): 1,
        (1, "offer", ""): 1,
        (1, "product", "p"): 1,
        (1, "kind", "pack"): 1,
        (1, "channel", "app"): half,
        (1, "channel", "sms"): half,
        (1, "word", "data"): half,
        (1, "word", "more"): half,
        (1, "monthly_fee", ""): 0,
        (1, "value", ""): pytest.approx(1),
    }


def test_amounts_count_in_deviations_and_unknown_facts_not_at_all():
    told = [
        {"fact": "offer", "value": "", "weight": -2.0},
        {"fact": "value", "value": "", "weight": 0.5, "mean": 1.0, "spread": 2.0},
    ]
    rows = [(0, "offer", "", 1.0), (0, "value", "", 5.0), (1, "offer", "", 1.0), (1, "value", "", 100.0)]
    rows += [(1, "word", "new", 1.0)]
    known = pa.Table.from_pylist([dict(zip(FACTS.names, row, strict=True)) for row in rows], schema=FACTS)
    assert levels(pa.Table.from_pylist(told, schema=WEIGHTS), known, 2).tolist() == [-1.0, -0.5]
