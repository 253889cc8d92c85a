"""How good forecasts were: order (AUC, precision, recall, lift at the top) and level (calibration)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import norm, rankdata

TOPS = (0.05, 0.10)
Z = float(norm.ppf(0.975))


def report(y: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    """Facts of probabilities `p` against answers `y`, (rows,) each. AUC and lift are null where only one answer occurs.

    `auc` with its 95 % interval (DeLong); `top`: of the 5 % and 10 % with the highest probability precision, its 95 %
    interval (Wilson), recall and lift = precision / share of yes; `brier` = mean (p - y)^2 beside that of
    saying the share of yes of everybody; `ece` = sum over ten equal bins |mean p - mean y| / 10; `reliability`:
    the bins.
    """
    y = y.astype(bool)
    both = 0 < y.sum() < len(y)
    facts: dict[str, Any] = {"rows": len(y), "positives": int(y.sum()), "share": _round(y.mean() if len(y) else None)}
    if not len(y):
        return facts
    facts["auc"], facts["auc_low"], facts["auc_high"] = map(_round, auc(y, p)) if both else (None, None, None)
    facts["top"] = {f"{share:.0%}": top(y, p, share) for share in TOPS}
    facts["brier"] = _round(np.mean((p - y) ** 2))
    facts["brier_of_share"] = _round(y.mean() * (1 - y.mean()))
    bins = np.array_split(np.argsort(p, kind="stable"), 10)
    table = [(len(b), p[b].mean(), y[b].mean()) for b in bins if len(b)]
    facts["ece"] = _round(sum(many * abs(said - came) for many, said, came in table) / len(y))
    facts["reliability"] = [{"rows": many, "said": _round(said), "came": _round(came)} for many, said, came in table]
    return facts


def top(y: np.ndarray, p: np.ndarray, share: float) -> dict[str, Any]:
    """Precision, recall and lift of the share of rows with the highest `p`; ties in row order."""
    many = max(1, math.ceil(share * len(y)))
    hits = int(y[np.argsort(-p, kind="stable")[:many]].sum())
    low, high = wilson(hits, many)
    yes = int(y.sum())
    return {
        "rows": many,
        "precision": _round(hits / many),
        "precision_low": _round(low),
        "precision_high": _round(high),
        "recall": _round(hits / yes if yes else None),
        "lift": _round(hits / many / (yes / len(y)) if yes else None, 3),
    }


def auc(y: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Area under the ROC curve and its 95 % interval; ties count half. Both answers must occur.

    E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988), by ranks as in X. Sun, W. Xu, IEEE Signal
    Processing Letters 21 (2014).

    >>> auc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    yes, no = p[y], p[~y]
    m, n = len(yes), len(no)
    ranks = rankdata(np.concatenate([yes, no]))
    above = (ranks[:m] - rankdata(yes)) / n
    below = 1 - (ranks[m:] - rankdata(no)) / m
    area = float(above.mean())
    variance = (above.var(ddof=1) / m if m > 1 else 0.25 / m) + (below.var(ddof=1) / n if n > 1 else 0.25 / n)
    half = Z * math.sqrt(variance)
    return area, max(0.0, area - half), min(1.0, area + half)


def wilson(hits: int, many: int) -> tuple[float, float]:
    """95 % interval of a share (E. Wilson, 1927).

    >>> low, high = wilson(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    share, z2 = hits / many, Z * Z / many
    middle, half = share + z2 / 2, Z * math.sqrt(share * (1 - share) / many + z2 / many / 4)
    return (middle - half) / (1 + z2), (middle + half) / (1 + z2)


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(float(value), digits)
