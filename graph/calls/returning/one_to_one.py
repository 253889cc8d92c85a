"""Odds of pairs to probabilities, when nobody has two successors and no number two predecessors.

Every set M of pairs without a common end has the weight prod of its pairs' odds; leavers and candidates outside M have
none. The probability of a pair is the share of the weight of the sets that hold it. It is found by passing messages
between leavers l and candidates v:

    out_lv = odds_lv / (1 + sum over other v' of odds_lv' * in_lv'),   in_lv = 1 / (1 + sum over other l' of out_l'v)
    p_lv   = odds_lv * in_lv / (1 + sum over v' of odds_lv' * in_lv')

which converges always and is exact where the pairs make no cycle: J. Williams, R. Lau, "Approximate evaluation of
marginal association probabilities with belief propagation", IEEE Trans. Aerospace and Electronic Systems 50 (2014).
"""

from __future__ import annotations

import numpy as np

STEPS = 200
CLOSE = 1e-9


def probabilities(left: np.ndarray, right: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """(m,) float64 of pairs `left` and `right` (m,) int with their `odds` (m,) against being no pair.

    >>> both = np.array([0, 1]), np.array([0, 0])  # two leavers, one candidate: neither, the one or the other
    >>> probabilities(*both, np.array([3.0, 1.0])).round(6)
    array([0.6, 0.2])
    """
    if not len(odds):
        return np.empty(0)
    in_ = np.ones(len(odds))
    for _ in range(STEPS):
        weighed = odds * in_
        out = odds / np.maximum(1 + np.bincount(left, weighed)[left] - weighed, 1)
        new = 1 / np.maximum(1 + np.bincount(right, out)[right] - out, 1)
        done = np.abs(new - in_).max() < CLOSE
        in_ = new
        if done:
            break
    weighed = odds * in_
    return weighed / (1 + np.bincount(left, weighed)[left])
