"""Acceptance learned from answers: parts by hand and against slow ones, a planted model found again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.calibration import Forecast, gain
from embeddings.offers import STRENGTH, counted, smoothed
from embeddings.popularity import Segments
from embeddings.propensity import Samples, calibration, chance, fit, odds
from embeddings.showings import DAY_US, FOLDS, Showings, habits, rates, shown_lately


def showings(rng: np.random.Generator, r: int = 300, users: int = 20, offers: int = 3) -> Showings:
    user = rng.integers(-1, users, r).astype(np.int32)
    at = np.sort(rng.integers(0, 90, r)) * DAY_US
    accepted = rng.random(r) < 0.3
    refused = ~accepted & (rng.random(r) < 0.5)
    offer, channel = rng.integers(0, offers, r).astype(np.int32), rng.integers(-1, 2, r).astype(np.int32)
    return Showings(user, offer, channel, at, accepted, refused, np.zeros((r, 5), np.float32), np.ones(r), 1.0)


def test_habits_are_those_of_earlier_answers_alone():
    rows = showings(np.random.default_rng(0))
    known = np.arange(len(rows)) < 200
    before, after = habits(rows, known, 20)
    for j, said in enumerate((rows.accepted, rows.refused)):
        share = [said[known & (rows.offer == o)].mean() for o in range(3)]
        more = said - np.array(share)[rows.offer]
        for i in range(len(rows)):
            mine = known & (rows.user == rows.user[i]) & (rows.at < rows.at[i])
            expected = STRENGTH * more[mine].sum() / (mine.sum() + STRENGTH) if rows.user[i] >= 0 else 0
            assert before[i, j] == pytest.approx(expected, abs=1e-5)
        for u in range(20):
            mine = known & (rows.user == u)
            assert after[u, j] == pytest.approx(STRENGTH * more[mine].sum() / (mine.sum() + STRENGTH), abs=1e-5)


def test_shown_lately_counts_thirty_days():
    rows = showings(np.random.default_rng(1))
    found = shown_lately(rows.user, rows.at)
    for i in range(len(rows)):
        ago = rows.at[i] - rows.at
        assert found[i] == ((rows.user == rows.user[i]) & (ago > 0) & (ago <= 30 * DAY_US)).sum()


def test_no_answer_is_in_its_own_rate():
    rows = showings(np.random.default_rng(2))
    segments = Segments(pa.array(["a", "b"]), (np.arange(20) % 3 - 1).astype(np.int32))
    known = np.arange(len(rows)) < 250
    found = rates(rows, known, segments, 3)
    segment = np.append(segments.of, -1)[rows.user]
    for i in (0, 17, 249, 250, 299):
        others = known & (rows.user % FOLDS != rows.user[i] % FOLDS) if known[i] else known
        table = smoothed(*counted(rows.offer[others], segment[others], rows.accepted[others], 3, 2))
        assert found[i] == pytest.approx(table[segment[i], rows.offer[i]])


def planted(r: int, seed: int) -> tuple[Samples, np.ndarray]:
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((r, 2)).astype(np.float32)
    offer, channel = rng.integers(0, 2, r).astype(np.int32), rng.integers(0, 2, r).astype(np.int32)
    second = (rng.random((r, 1)) < 0.3).astype(np.float32)
    rate = np.array([-2.0, -1.0])[offer]
    weights = np.array([[0.8, 0.0], [0.0, -0.8]])
    z = rate + (numbers * weights[offer]).sum(axis=1) + 0.5 * channel - second[:, 0]
    rows = Samples(offer, offer, channel, numbers, rate, np.zeros(r), second, np.ones(r), rng.random(r) < chance(z))
    return rows, z


def test_a_planted_model_is_found_again():
    model = fit(planted(40_000, 0)[0], offers=3, channels=2, ridge=10.0)
    rows, z = planted(10_000, 1)
    assert np.abs(model.log_odds(rows) - z).mean() < 0.07
    assert model.context[0] == pytest.approx(-1, abs=0.1)
    assert model.channels[1] - model.channels[0] == pytest.approx(0.5, abs=0.1)
    # an offer that nobody was shown takes what the others have in common
    assert model.offers[-1, 1:] == pytest.approx(model.offers[:2, 1:].mean(axis=0), abs=0.15)


def test_with_few_answers_the_rates_are_kept():
    rows, _ = planted(5, 0)
    model = fit(rows, offers=2, channels=2, ridge=1000.0)
    assert model.rate == pytest.approx(1, abs=0.7)
    assert np.abs(model.offers[:, 1:]).max() < 0.7


def test_a_calibration_goes_into_the_weights():
    rows, z = planted(5_000, 0)
    model = fit(rows, offers=2, channels=2, ridge=10.0)
    assert np.allclose(model.calibrated(-1.0, 0.5).log_odds(rows), 0.5 * model.log_odds(rows) - 1)
    level, slope = calibration(2 * z + 1, rows.accepted)
    assert (level, slope) == (pytest.approx(-0.5, abs=0.1), pytest.approx(0.5, abs=0.05))


def test_reliability_error_and_area_by_hand():
    forecast = Forecast(odds(np.array([0.1] * 10 + [0.5] * 10)), np.arange(20) >= 15, np.arange(20))
    assert [part["shown"] for part in forecast.reliability()] == [2] * 10
    assert forecast.summary()["expected"] == 0.3
    assert forecast.auc() == pytest.approx((5 * 10 + 5 * 5 / 2) / (5 * 15))
    # tenths of two: five of .1 with none accepted, and of .5: two with none, one half, two with all
    assert forecast.error() == pytest.approx((5 * 0.1 + 4 * 0.5 + 0) / 10)


def test_a_gain_is_of_customers_not_of_rows():
    accepted = np.arange(400) % 2 == 0
    good = Forecast(np.where(accepted, 1.0, -1.0), accepted, np.arange(400) // 4)
    none = Forecast(np.zeros(400), accepted, np.arange(400) // 4)
    value, (low, high) = gain(good, none, 0)
    assert value == pytest.approx(np.log(2) - np.log1p(np.exp(-1)), abs=1e-5)
    assert low == high == value  # each customer alike
