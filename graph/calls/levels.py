"""How many calls a customer makes beside the pace of earlier periods, in this network and period.

Ties that end take their calls along: of two reasons for few calls, that the customer calls less and that ties have
ended, the first is as likely as the network has it. With w calls in h earlier periods, n calls now to the same circle,
of which a share x is left, and a level v of calling,

    P(n | x, v) = negative binomial: a rate Gamma(w + 1/2) over h periods, times v x   (up to a constant in v x:
                  t^n / (1 + t)^(n + w + 1/2),  t = v x / h)

and the levels of all customers are a mixture over `LEVELS` that is read off the network (nonparametric maximum
likelihood, EM from even shares, stopped early so that it stays smooth). In a holiday month it lies below 1.

References: N. Laird, "Nonparametric maximum likelihood estimation of a mixing distribution", JASA 73 (1978); H.
Robbins, "The empirical Bayes approach to statistical decision problems", Ann. Math. Statist. 35 (1964).
"""

from __future__ import annotations

import math

import numba
import numpy as np

STEPS = 8
"""Levels and shares in an octave."""

LOWEST = -5 * STEPS
LEVELS = np.exp2(np.arange(LOWEST, 3 * STEPS + 1) / STEPS)
ROUNDS = 20
MOST = 50_000
"""Customers that the levels are read off, evenly drawn, at most."""


def levels(calls: np.ndarray, history: np.ndarray, now: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Share of each of `LEVELS`, from w, h, n and the share x that turnover usually leaves, (n,) each."""
    share = np.full(len(LEVELS), 1 / len(LEVELS))
    known = np.flatnonzero((calls > 0) & (history > 0) & (kept > 0))
    known = known[:: -(-len(known) // MOST) or 1]
    if not len(known):
        return share
    w, n = calls[known, None], now[known, None]
    t = LEVELS * (kept[known] / history[known])[:, None]
    likely = n * np.log(t) - (n + w + 0.5) * np.log1p(t)
    likely = np.exp(likely - likely.max(axis=1, keepdims=True))
    for _ in range(ROUNDS):
        after = likely * share
        share = (after / after.sum(axis=1, keepdims=True)).mean(axis=0)
    return share


@numba.njit(cache=True)
def likely(calls: int, history: int, now: int, share: np.ndarray) -> np.ndarray:
    """(STEPS + 1,) how likely n calls are where shares 1, 2^(-1/STEPS), … 1/2 of the circle are left, the most 1."""
    size = share.shape[0]
    log = np.empty(size + STEPS)
    for i in range(size + STEPS):
        t = (LOWEST - STEPS + i) * math.log(2.0) / STEPS - math.log(history)
        log[i] = now * t - (now + calls + 0.5) * math.log1p(math.exp(t))
    single = np.exp(log - log.max())
    found = np.empty(STEPS + 1)
    for k in range(STEPS + 1):
        found[k] = (share * single[STEPS - k : STEPS - k + size]).sum()
    most = found.max()
    return found / most if most > 0 else np.ones(STEPS + 1)


@numba.njit(cache=True)
def at(found: np.ndarray, left: float) -> float:
    """How likely n calls are with a share `left` of the circle; less than half counts as half, which is rare."""
    place = min(-math.log2(left) * STEPS, STEPS - 1e-9)
    k = int(place)
    return found[k] + (place - k) * (found[k + 1] - found[k])
