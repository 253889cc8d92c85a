"""From evidence to odds: what leavers have more of than customers who stayed.

A customer who stayed has no successor, so their pairs with new numbers show how much evidence there is by chance. With
o(x) the odds that a leaver's pair with evidence x is true,

    log o(x) = b + sum_k w_k x_k - log(candidates),   P(pair is a leaver's | x) = r (1 + o) / (1 + r (1 + o)),

where those who stayed count as many as the leavers (`alike`), and r is near 1: by how much leavers have more pairs of
whatever evidence. b, r and w >= 0 are those of the greatest posterior density, with normal priors around what
holds for independent contacts (w = 1) and one leaver in ten returning. It is the exponential tilt of J. Qin,
"Inferences for case-control and semiparametric two-sample density ratio models", Biometrika 85 (1998), with those who
stayed as controls; the same idea tells false from true matches of spectra by decoys (J. Elias, S. Gygi, Nature
Methods 4, 2007).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

RETURN = 0.1
"""Of leavers, before anything is known."""
SPREAD = 0.25
"""Standard deviation of the weights' prior."""
RATIO_SPREAD = 0.2
"""Of the prior of log r."""
STEPS = 300
"""Of the search, at most."""
BASE_SPREAD = 5.0
"""Standard deviation of the prior of b: networks differ."""


def prior(features: int) -> np.ndarray:
    """(1 + features,): b and the weights before any pair is seen."""
    return np.r_[np.log(RETURN / (1 - RETURN)), np.ones(features)]


def log_odds(parameters: np.ndarray, evidence: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """(m,) of `evidence` (features, m); `offset` (m,) is minus the logarithm of how many candidates there are."""
    total = parameters[0] + offset
    for weight, values in zip(parameters[1:], evidence, strict=True):
        total = total + weight * values
    return total


def fit(
    evidence: np.ndarray, offset: np.ndarray, leaver: np.ndarray, counts: np.ndarray, near: np.ndarray | None = None
) -> np.ndarray:
    """(1 + features,) b and weights, from pairs (`evidence`, `offset`) of leavers, where `leaver` (m,) bool, and of who
    stayed; `counts` (m,) what each pair counts. Without pairs of who stayed it is the prior. The search begins at two
    places, as the density may have two peaks, or `near` an earlier result.
    """
    start = prior(len(evidence))
    if leaver.all():
        return start
    centre = np.r_[0.0, start]
    spread = np.r_[RATIO_SPREAD, BASE_SPREAD, np.full(len(evidence), SPREAD)]

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        raw = log_odds(parameters[1:], evidence, offset)
        more = parameters[0] + np.logaddexp(0, raw)
        chance = expit(more)
        away = (parameters - centre) / spread
        value = (counts * (np.logaddexp(0, more) - leaver * more)).sum() + 0.5 * (away * away).sum()
        missed = counts * (chance - leaver)
        slope = missed * expit(raw)
        slopes = np.r_[missed.sum(), slope.sum(), [(slope * values).sum() for values in evidence]]
        return value, slopes + away / spread

    bounds = [(None, None)] * 2 + [(0, None)] * len(evidence)
    starts = (centre, np.r_[0.0, 0.0, start[1:] / 10]) if near is None else (np.r_[0.0, near],)
    # truncated Newton calls no BLAS, whose threads wait for each other at every step on a busy machine
    found = [minimize(cost, one, jac=True, method="TNC", bounds=bounds, options={"maxfun": STEPS}) for one in starts]
    return min(found, key=lambda one: float(one.fun)).x[1:]
