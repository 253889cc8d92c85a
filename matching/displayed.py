"""The probability with which an earlier policy showed what it showed, estimated where nobody logged it.

A conditional logit: of the offers that were ever shown through the channel, offer j is shown with a chance in
proportion to exp(x · w_j + d_j · suited + e_j · allowed), x the customer's numbers by fifths and the channel, `suited`
and `allowed` whether our own rules would let it be shown, without and with those that read what was answered. Each
customer's showings are told by what was learned from others (`FOLDS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
from threadpoolctl import threadpool_limits

FOLDS = 5
RIDGES = (10.0, 100.0, 1000.0)
"""Ridges of all weights but the level and those of our rules that are tried."""
MOST_TAUGHT = 50_000
"""Showings that each fold learns from, at most."""
MOST_STEPS = 60
LOOSE = 0.1
TENTHS = 10
PARTS = 5


@dataclass(frozen=True)
class Displays:
    """r showings among o offers: `offer` (r) that was shown, `customer` (r), `numbers` (r, f) of the customer,
    `channel` (r), and bool (r, o) what was `possible` at all, and by our rules `suited` and `allowed`."""

    offer: np.ndarray
    customer: np.ndarray
    numbers: np.ndarray
    channel: np.ndarray
    possible: np.ndarray
    suited: np.ndarray
    allowed: np.ndarray

    def take(self, rows: np.ndarray) -> Displays:
        """Only some rows."""
        return Displays(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def probabilities(displays: Displays, seed: int = 0) -> np.ndarray:
    """Chances (r, o) of having been shown, each told by other customers; rows add up to 1.

    Of the `RIDGES` the one whose chances are nearest to what was shown: they are divided by.
    """
    nearest, found = np.inf, np.zeros(displays.possible.shape)
    with threadpool_limits(1):  # small products, and the same bytes on any machine
        design = _design(displays)
        for ridge in RIDGES:
            chances = _told(displays, design, ridge, seed)
            error = agreement(chances, displays)["ece"]
            if error < nearest:
                nearest, found = error, chances
    return found


def _told(displays: Displays, design: np.ndarray, ridge: float, seed: int) -> np.ndarray:
    fold = np.unique(displays.customer, return_inverse=True)[1] % FOLDS
    rng = np.random.default_rng(seed)
    found = np.zeros(displays.possible.shape)
    for f in range(FOLDS):
        mine, others = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        if len(others) > MOST_TAUGHT:
            others = np.sort(rng.choice(others, MOST_TAUGHT, replace=False))
        if len(mine):
            weights = _fit(displays.take(others), design[others], ridge)
            found[mine] = _chances(weights, displays.take(mine), design[mine])
    return found


def agreement(chances: np.ndarray, displays: Displays) -> dict[str, Any]:
    """How well chances (r, o) fit: tenths of all (showing, possible offer) by chance, what was expected and what was
    shown of each, the mean distance of the two (`ece`), and the mean log loss beside that of equal chances."""
    cells = displays.possible
    expected = chances[cells]
    shown = (np.arange(cells.shape[1]) == displays.offer[:, None])[cells]
    parts = [part for part in np.array_split(np.argsort(expected, kind="stable"), TENTHS) if len(part)]
    tenths = [
        {"cells": len(p), "expected": round(float(expected[p].mean()), 5), "shown": round(float(shown[p].mean()), 5)}
        for p in parts
    ]
    ece = sum(t["cells"] * abs(t["expected"] - t["shown"]) for t in tenths) / max(1, len(expected))
    own = chances[np.arange(len(displays.offer)), displays.offer]
    return {
        "ece": round(float(ece), 5),
        "log_loss": round(float(-np.log(own).mean()), 5),
        "log_loss_of_equal_chances": round(float(np.log(cells.sum(axis=1)).mean()), 5),
        "tenths": tenths,
    }


def _fit(displays: Displays, design: np.ndarray, ridge: float) -> np.ndarray:
    """Weights (o, f + 2): of the columns of the design, of suited, of allowed."""
    r, o = displays.possible.shape
    x, suited, allowed = design, displays.suited.astype(np.float64), displays.allowed.astype(np.float64)
    f = x.shape[1]
    at = np.arange(r)
    stiff = np.full(f + 2, ridge)
    stiff[[0, f, f + 1]] = LOOSE

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        w = point.reshape(o, f + 2)
        z = _utilities(displays, x, w)
        top = z.max(axis=1, keepdims=True)
        e = np.exp(z - top)
        total = e.sum(axis=1, keepdims=True)
        value = (np.log(total[:, 0]) + top[:, 0] - z[at, displays.offer]).sum() + (stiff * w**2).sum() / 2
        slack = e / total
        slack[at, displays.offer] -= 1
        by_rules = [(slack * part).sum(axis=0)[:, None] for part in (suited, allowed)]
        return float(value), (np.hstack([slack.T @ x, *by_rules]) + stiff * w).ravel()

    start = np.zeros(o * (f + 2))
    best = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    return np.asarray(best.x.reshape(o, f + 2))


def _chances(weights: np.ndarray, displays: Displays, design: np.ndarray) -> np.ndarray:
    z = _utilities(displays, design, weights)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _utilities(displays: Displays, design: np.ndarray, weights: np.ndarray) -> np.ndarray:
    z = design @ weights[:, :-2].T + displays.suited * weights[:, -2] + displays.allowed * weights[:, -1]
    return np.where(displays.possible, z, -np.inf)


def _design(displays: Displays) -> np.ndarray:
    """A level, the channel, and of each number in which of `PARTS` equal parts of the showings it lies (r, f)."""
    r = len(displays.offer)
    columns = [np.ones(r), *(displays.channel[:, None] == np.unique(displays.channel)).T]
    for number in displays.numbers.T:
        cuts = np.unique(np.quantile(number, np.arange(1, PARTS) / PARTS))
        part = np.searchsorted(cuts, number, side="right")
        columns += [part == p for p in range(len(cuts) + 1)] if len(cuts) else []
    return np.stack(columns, axis=1).astype(np.float64)
