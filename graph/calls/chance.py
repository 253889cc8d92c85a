"""p-values as chance has it in this network: held against customers whose circle had no reason to shrink.

A p-value is only as good as the model of chance behind it: where ties end in bunches, or calls come in larger bursts
than the urn of `graph.calls.shrinking` has them, small values come out too often. How often, the network's own controls
tell (an empirical null): customers whose calls did not fall, as ties that end take their calls along. With s the share
of them with p <= 1/20, `PRIOR` customers as the model has them added, the standard deviation of chance is

    sigma = max(1, z(1/20) / z(s)),   z(p) the normal quantile with p above it

and p becomes the normal tail above z(p) / sigma: never smaller than it was, and in the same order.

Reference: B. Efron, "Large-scale simultaneous hypothesis testing: the choice of a null hypothesis", JASA 99 (2004).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

LEVEL = 0.05
PRIOR = 200
"""So many customers are added, so that a few dozen do not pass for a network."""


def widening(p: np.ndarray, control: np.ndarray) -> float:
    """sigma of the p-values (n,), from those of the controls, (n,) bool; nan counts nowhere.

    >>> widening(np.full(10, 0.5), np.ones(10, bool))
    1.0
    """
    held = p[control & np.isfinite(p)]
    share = ((held <= LEVEL).sum() + LEVEL * PRIOR) / (len(held) + PRIOR)
    return float(ndtri(LEVEL) / ndtri(share)) if LEVEL < share < 0.5 else 1.0


def calibrated(p: np.ndarray, control: np.ndarray) -> np.ndarray:
    """(n,) p-values, larger by what chance is wider in this network than the model has it; those above 1/2 stay."""
    wider = ndtr(ndtri(p) / widening(p, control))
    return np.where(p > 0.5, p, wider)
