"""Which circles shrink: smaller than the customer's habits and the whole network's period explain.

The rarefied size E (`graph.calls.rarefaction`) leaves out what every circle has: new contacts, and calls that
come in bursts. How much these usually change a circle is read off the network in the same period, so that a holiday
month, or habits that the model describes badly, flag nobody:

    rho   sum of sizes / sum of E over customers with history and calls
    mean  rho E
    var   phi (rho^2 Var + rho (1 - rho) E)   for rho <= 1 (each contact stays with probability rho)
          phi (Var + (rho - 1) E)             for rho > 1  (further contacts, Poisson)
    phi   how much wider the network's residuals are than the model says, by their median; at least 1

p is the normal probability of a circle as small or smaller, with continuity correction. With fewer than
`PEERS` customers to learn from, rho = phi = 1.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

PEERS = 30
FALSE_DISCOVERY_RATE = 0.05
_NORMAL_MEDIAN = 0.6744897501960817


def p_values(size: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """(n,) probability of a circle as small or smaller; nan where `mean` is nan, 1 where nothing can vary."""
    known = np.isfinite(mean) & (mean > 0)
    rho = phi = 1.0
    enough = known.sum() >= PEERS
    if enough:
        rho = max(size[known].sum() / mean[known].sum(), 1e-9)
    centre, spread = rho * mean, _variance(mean, variance, rho)
    varies = known & (spread > 1e-9)
    if enough and varies.any():
        residual = np.abs(size[varies] - centre[varies]) / np.sqrt(spread[varies])
        phi = max(1.0, float(np.median(residual) / _NORMAL_MEDIAN) ** 2)
    p = np.where(np.isfinite(mean), 1.0, np.nan)
    p[varies] = ndtr((size[varies] + 0.5 - centre[varies]) / np.sqrt(phi * spread[varies]))
    return p


def _variance(mean: np.ndarray, variance: np.ndarray, rho: float) -> np.ndarray:
    if rho <= 1:
        return rho * rho * variance + rho * (1 - rho) * mean
    return variance + (rho - 1) * mean


def discoveries(p: np.ndarray, rate: float = FALSE_DISCOVERY_RATE) -> np.ndarray:
    """Benjamini-Hochberg: (n,) bool, of which at most `rate` are expected to be chance; nan is never one.

    >>> discoveries(np.array([0.01, 0.02, 0.03, 0.5, np.nan]))
    array([ True,  True,  True, False, False])
    """
    tested = np.isfinite(p)
    rising = np.sort(p[tested])
    below = np.flatnonzero(rising <= rate * np.arange(1, len(rising) + 1) / max(len(rising), 1))
    if not len(below):
        return np.zeros(len(p), bool)
    return tested & (np.nan_to_num(p, nan=2.0) <= rising[below[-1]])
