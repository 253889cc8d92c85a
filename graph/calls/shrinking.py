"""Which circles shrink: more of a customer's ties have fallen silent than fewer calls and the usual turnover explain.

**Statistic.** Contact j of the habits is silent with probability s_j where nothing has happened
(`graph.calls.turnover`), and with 1/2 + s_j / 2 where half of the ties have ended, the loss that a plain rule looks
for. The likelihood ratio of the two, contact by contact,

    T = sum over silent contacts of log(1 + 1 / s_j)      (up to a constant)

counts a strong tie lost for much, a weak one for little.

**p-value.** The probability of T or more when this period's n calls are made by the customer's habits: each contact has
ended with probability e_j, and the calls are drawn from the others by Polya's urn. n tells of turnover too, as ties
that end take their calls along: what has ended is drawn given n (`graph.calls.levels`, by rejection). As n is given,
fewer calls are no sign; as turnover and levels are the network's own of this period, a holiday is none. Simulated until
`ENOUGH` draws have come out so, or `MOST` were made or `TRIED`, which keeps p valid (Besag and Clifford); each customer
and period has random numbers of their own. Where chance is wider than this, the network tells (`graph.calls.chance`).

**False discovery rate.** Ties that end take their calls along, so there is more to find where calls fell. Customers
are tested in groups by how far their calls fell below their own pace and the network's, each group with the share to
whom nothing happened as its large p-values tell (Storey; Sun et al. for the groups). As p is given n, it is
even within a group for those to whom nothing happened.

References: J. Besag, P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991); J. D. Storey, J. E. Taylor,
D. Siegmund, "Strong control, conservative point estimation and simultaneous conservative consistency of false discovery
rates", JRSS B 66 (2004); L. Sun, R. V. Craiu, A. D. Paterson, S. B. Bull, "Stratified false discovery control for
large-scale hypothesis testing", Genetic Epidemiology 30 (2006).
"""

from __future__ import annotations

import numba
import numpy as np

from graph.calls.habits import Habits
from graph.calls.influence.random import step, stream, unit
from graph.calls.levels import at, levels, likely
from graph.calls.turnover import turnover

FALSE_DISCOVERY_RATE = 0.05
NOTHING_ABOVE = 0.5
"""p-values above are taken to be of customers to whom nothing happened."""

ENOUGH = 10
MOST = 20_000
TRIED = 100_000
FALLS = np.array([1.0, 2.0, 3.0, 4.0])
"""Borders of the groups: standard deviations by which calls fell."""

_QUARTILES = 1.3489795003921634
"""Distance of the normal distribution's quartiles in standard deviations."""


def p_values(habits: Habits, seeds: np.ndarray) -> np.ndarray:
    """(n,) probability of as many ties silent where nothing happened; nan without habits, 1 without calls to them.

    `seeds` (n,) uint64, one a customer.
    """
    draws = habits.sums(habits.now)
    usual = turnover(habits, draws)
    evidence = np.log1p(1 / np.maximum(usual.silent, 1e-12))
    calls, weight = habits.sums(habits.calls), habits.sums(usual.weight)
    kept = habits.sums(usual.weight * (1 - usual.ended)) / np.maximum(weight, 1e-12)
    share = levels(calls, habits.history, draws, kept)
    past = calls, habits.history.astype(np.int64), share
    return _simulated(habits.starts, habits.now, draws, usual.weight, usual.ended, evidence, seeds, *past)


def fall(habits: Habits, calls: np.ndarray) -> np.ndarray:
    """(n,) how far each customer's calls (n,) fell below their own pace and the network's; nan without a pace.

    With x = calls a period of the habits and rho the network's median of calls / x, the fall is (rho x - calls) over
    sqrt(rho x (1 + rho / periods)), as of two Poisson counts, in units of the network's own quartiles.
    """
    pace = habits.sums(habits.calls) / np.maximum(habits.history, 1)
    known = pace > 0
    far = np.full(len(calls), np.nan)
    if not known.any():
        return far
    rho = max(float(np.median(calls[known] / pace[known])), 1e-9)
    mean = rho * pace[known]
    far[known] = (mean - calls[known]) / np.sqrt(mean * (1 + rho / habits.history[known]))
    low, high = np.quantile(far[known], [0.25, 0.75])
    return far / max((high - low) / _QUARTILES, 1.0)


def groups(far: np.ndarray) -> np.ndarray:
    """(n,) group of each customer by `fall`: 0 where calls are about as many as ever, up to 4 where they fell far."""
    return np.digitize(np.nan_to_num(far), FALLS)


def discoveries(p: np.ndarray, group: np.ndarray, rate: float = FALSE_DISCOVERY_RATE) -> np.ndarray:
    """(n,) bool, of which at most `rate` are expected to be chance; nan is never one.

    In each group, of m p-values, with pi = (1 + those above 1/2) / (m / 2), at most 1: the smallest k for the
    largest k of which the k-th is at most `rate` k / (m pi).

    >>> discoveries(np.array([0.01, 0.02, 0.03, 0.5, np.nan]), np.zeros(5, int))
    array([ True,  True,  True, False, False])
    """
    found = np.zeros(len(p), bool)
    for one in np.unique(group):
        inside = np.flatnonzero((group == one) & np.isfinite(p))
        rising = np.sort(p[inside])
        m = len(rising)
        nothing = min(1.0, (1 + (rising > NOTHING_ABOVE).sum()) / max(m * (1 - NOTHING_ABOVE), 1))
        below = np.flatnonzero(nothing * rising <= rate * np.arange(1, m + 1) / max(m, 1))
        if len(below):
            found[inside] = p[inside] <= min(rising[below[-1]], NOTHING_ABOVE)
    return found


@numba.njit(cache=True, parallel=True)
def _simulated(
    starts: np.ndarray,
    now: np.ndarray,
    draws: np.ndarray,
    weight: np.ndarray,
    ended: np.ndarray,
    evidence: np.ndarray,
    seeds: np.ndarray,
    calls: np.ndarray,
    history: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    n = draws.shape[0]
    p = np.full(n, np.nan)
    for u in numba.prange(n):
        first, size = starts[u], starts[u + 1] - starts[u]
        if size == 0:
            continue
        every = found = whole = 0.0
        for j in range(size):
            every += evidence[first + j]
            whole += weight[first + j]
            if now[first + j] == 0:
                found += evidence[first + j]
        if found == 0.0 or draws[u] == 0:
            p[u] = 1.0
            continue
        state = stream(seeds[u], 0)
        below = np.empty(size)
        called = np.zeros(size, np.int64)
        chance = likely(calls[u], history[u], draws[u], share)
        as_many = done = tried = 0
        while as_many < ENOUGH and done < MOST and tried < TRIED:
            tried += 1
            total = 0.0
            for j in range(size):
                state = step(state)
                if unit(state) >= ended[first + j]:
                    total += weight[first + j]
                below[j] = total
            if total == 0.0:  # calls were made, so not all have ended
                continue
            state = step(state)
            if unit(state) >= at(chance, total / whole):
                continue
            done += 1
            silent = every
            for drawn in range(draws[u]):
                state = step(state)
                ball = unit(state) * (total + drawn)
                if ball >= total:  # one more call to a contact already called
                    continue
                who = np.searchsorted(below, ball, side="right")
                if called[who] != done:
                    called[who] = done
                    silent -= evidence[first + who]
            if silent >= found - 1e-9:
                as_many += 1
        p[u] = as_many / done if as_many == ENOUGH else (as_many + 1) / (done + 1)
    return p
