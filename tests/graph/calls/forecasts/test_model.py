"""Trees and calibration: what they find, and that equal input gives equal bytes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from graph.calls.forecasts.model import PARAMETERS, fit, platt
from graph.calls.forecasts.report import auc, report


def data(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[rng.random((n, 4)) < 0.1] = np.nan
    odds = -2 + 1.5 * np.nan_to_num(X[:, 0]) + (np.nan_to_num(X[:, 1]) > 1)
    return X, rng.random(n) < 1 / (1 + np.exp(-odds)), rng.integers(0, 3, n)


def test_it_orders_and_is_calibrated() -> None:
    X, y, fold = data()
    model = fit(X, y, fold, np.ones(len(y), bool))
    new_X, new_y, _ = data(seed=1)
    p = model.predict(new_X)
    assert auc(new_y, p)[0] > 0.75
    assert report(new_y, p)["ece"] < 0.04


def test_contributions_add_up_to_the_log_odds() -> None:
    X, y, fold = data(1000)
    model = fit(X, y, fold, np.ones(len(y), bool))
    p, parts = model.predict(X), model.contributions(X)
    rest = np.log(p / (1 - p)) - parts.sum(axis=1)
    assert parts.shape == X.shape
    assert rest == pytest.approx(np.full(len(X), rest[0]), abs=1e-6)
    assert np.abs(parts[:, 0]).mean() > np.abs(parts[:, 3]).mean()


def test_the_same_bytes_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, fold = data(2000)
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setitem(PARAMETERS, "num_threads", threads)
        found.append(fit(X, y, fold, np.ones(len(y), bool)).predict(X).tobytes())
    assert found[0] == found[1] == found[2]


def test_platt_is_the_likeliest_line() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=400)
    y = rng.random(400) < 1 / (1 + np.exp(-(2 * score - 1)))
    target = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))

    def loss(ab: np.ndarray) -> float:
        x = ab[0] * score + ab[1]
        return float((np.logaddexp(0, x) - target * x).sum())

    assert platt(score, y) == pytest.approx(tuple(minimize(loss, [1.0, 0.0], tol=1e-12).x), abs=1e-4)


def test_scores_that_part_the_answers_wholly_stay_finite() -> None:
    a, b = platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    assert 0 < a < 10
    assert abs(b) < 1
