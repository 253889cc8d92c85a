"""The probability with which an earlier policy showed what it showed, estimated where nobody logged it.

A conditional logit: of the offers that were ever shown through the channel, offer j is shown with a chance in
proportion to exp(x · w_j + d_j · allowed), x the customer's numbers, their squares and the channel, `allowed` whether
our own rules would let it be shown. Each customer's showings are told by what was learned from others (`FOLDS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize

FOLDS = 5
RIDGE = 1.0
MOST_TAUGHT = 50_000
"""Showings that each fold learns from, at most."""
MOST_STEPS = 100
TENTHS = 10


@dataclass(frozen=True)
class Displays:
    """r showings among o offers: `offer` (r) that was shown, `customer` (r), `numbers` float64 (r, f), `possible` and
    `allowed` bool (r, o): what might have been shown at all, and by our rules."""

    offer: np.ndarray
    customer: np.ndarray
    numbers: np.ndarray
    possible: np.ndarray
    allowed: np.ndarray

    def take(self, rows: np.ndarray) -> Displays:
        """Only some rows."""
        return Displays(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def probabilities(displays: Displays, seed: int = 0) -> np.ndarray:
    """Chances (r, o) of having been shown, each told by other customers; rows add up to 1."""
    r, o = displays.possible.shape
    fold = np.unique(displays.customer, return_inverse=True)[1] % FOLDS
    rng = np.random.default_rng(seed)
    found = np.zeros((r, o))
    for f in range(FOLDS):
        mine, others = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        if len(others) > MOST_TAUGHT:
            others = np.sort(rng.choice(others, MOST_TAUGHT, replace=False))
        if len(mine):
            found[mine] = _chances(_fit(displays.take(others)), displays.take(mine))
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


def _fit(displays: Displays) -> np.ndarray:
    """Weights (o, 1 + f + 1): level, numbers, allowed."""
    r, o = displays.possible.shape
    x, allowed = _design(displays), displays.allowed.astype(np.float64)
    f = x.shape[1]
    at = np.arange(r)
    stiff = np.full(f + 1, RIDGE)
    stiff[0] = RIDGE / 100

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        w = point.reshape(o, f + 1)
        z = _utilities(x, allowed, w, displays.possible)
        top = z.max(axis=1, keepdims=True)
        e = np.exp(z - top)
        total = e.sum(axis=1, keepdims=True)
        value = (np.log(total[:, 0]) + top[:, 0] - z[at, displays.offer]).sum() + (stiff * w**2).sum() / 2
        slack = e / total
        slack[at, displays.offer] -= 1
        slope = np.hstack([slack.T @ x, (slack * allowed).sum(axis=0)[:, None]]) + stiff * w
        return float(value), slope.ravel()

    start = np.zeros(o * (f + 1))
    best = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    return np.asarray(best.x.reshape(o, f + 1))


def _chances(weights: np.ndarray, displays: Displays) -> np.ndarray:
    z = _utilities(_design(displays), displays.allowed.astype(np.float64), weights, displays.possible)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _utilities(x: np.ndarray, allowed: np.ndarray, weights: np.ndarray, possible: np.ndarray) -> np.ndarray:
    return np.where(possible, x @ weights[:, :-1].T + allowed * weights[:, -1], -np.inf)


def _design(displays: Displays) -> np.ndarray:
    return np.hstack([np.ones((len(displays.offer), 1)), displays.numbers])
