"""Gradient-boosted trees with calibrated probabilities.

G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NIPS 2017. How many trees is what three
folds of customers agree on; what each fold predicts of customers that it did not see calibrates the whole (J. Platt,
"Probabilistic Outputs for Support Vector Machines", 1999, which needs fewer positives than isotonic regression does:
A. Niculescu-Mizil, R. Caruana, "Predicting Good Probabilities with Supervised Learning", ICML 2005).
"""

from __future__ import annotations

import ctypes
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lake.errors import NotReady

PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "max_depth": 5,
    "max_bin": 63,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbosity": -1,
}
"""Small trees: positives are few, and a reason costs the square of the depth. From `seed` on: equal bytes of equal
input."""
ROUNDS = 400
PATIENCE = 20


@dataclass(frozen=True)
class Model:
    """`probability` = 1 / (1 + exp(-(slope × log odds of the trees + intercept)))."""

    booster: Any
    slope: float
    intercept: float

    @property
    def rounds(self) -> int:
        return int(self.booster.current_iteration())

    def predict(self, X: np.ndarray) -> np.ndarray:
        """(rows,) float64 probabilities of `X` (rows, features)."""
        return _logistic(self.slope * self.booster.predict(X, raw_score=True) + self.intercept)

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """(rows, features): what each feature adds to the calibrated log odds, against the average customer.

        TreeSHAP: S. Lundberg, G. Erion, S. Lee, "Consistent Individualized Feature Attribution for Tree
        Ensembles", 2018.
        """
        return self.slope * np.asarray(self.booster.predict(X, pred_contrib=True))[:, :-1]


def fit(X: np.ndarray, y: np.ndarray, fold: np.ndarray, latest: np.ndarray) -> Model:
    """Trees from all rows; calibrated on the rows of `latest` by trees of the other folds. Both answers must occur.

    `X` (rows, features) float32 with nan for what is not known, `y` and `latest` (rows,) bool, `fold` (rows,) int.
    """
    lightgbm = _lightgbm()
    data = lightgbm.Dataset(X, y.astype(np.float32), free_raw_data=False, params=PARAMETERS)
    folds = [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in np.unique(fold)]
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    found = lightgbm.cv(
        PARAMETERS, data, ROUNDS, folds=folds, metrics="binary_logloss", callbacks=[stop], return_cvbooster=True
    )
    boosters = found["cvbooster"]
    unseen = np.empty(len(y))
    for booster, (_, test) in zip(boosters.boosters, folds, strict=True):
        unseen[test] = booster.predict(X[test], raw_score=True, num_iteration=boosters.best_iteration)
    slope, intercept = platt(unseen[latest], y[latest])
    return Model(lightgbm.train(PARAMETERS, data, boosters.best_iteration), slope, intercept)


def platt(score: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of `y` on `score`, by Newton's method; answers softened as in
    Platt (1999), so that scores which part them wholly stay finite. The slope is never below 0.

    >>> platt(np.array([-1.0, 1.0]), np.array([True, False]))[0]
    0.0
    """
    yes, no = int(y.sum()), int((~y).sum())
    target = np.where(y, (yes + 1) / (yes + 2), 1 / (no + 2))
    a, b = 1.0, 0.0
    for _ in range(100):
        p = _logistic(a * score + b)
        w = np.maximum(p * (1 - p), 1e-12)
        gradient = np.array([((p - target) * score).sum(), (p - target).sum()])
        hessian = np.array([[(w * score**2).sum() + 1e-9, (w * score).sum()], [(w * score).sum(), w.sum() + 1e-9]])
        step = np.linalg.solve(hessian, gradient)
        a, b = a - np.clip(step[0], -2, 2), b - np.clip(step[1], -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    if a > 0:
        return float(a), float(b)
    share = target.mean()
    return 0.0, float(np.log(share / (1 - share)))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


def _lightgbm() -> ModuleType:
    """LightGBM, with the OpenMP that torch brings where the machine has none."""
    try:
        import lightgbm
    except OSError:
        torch = importlib.util.find_spec("torch")
        beside = Path((torch.origin if torch else None) or ".").parent / "lib" / "libgomp.so.1"
        if not beside.exists():
            raise NotReady("LightGBM finds no OpenMP (libgomp.so.1)", "install the package libgomp1") from None
        ctypes.CDLL(str(beside), mode=ctypes.RTLD_GLOBAL)
        import lightgbm
    return lightgbm
