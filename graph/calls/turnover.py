"""How likely a contact of a customer's habits is silent in a period, by chance or because ties end all the time.

Two reasons that everybody has, told apart from what happens to one customer:

**Few calls.** With a_j = w_j + 1/2 (w_j calls with contact j in the habits; half a call for what so short a past does
not show, the Krichevsky-Trofimov rule) and A their sum, n calls to the circle are drawn by Polya's urn, so that calls
come in bursts. None of them goes to j with probability

    q_j = Gamma(A) Gamma(A - a_j + n) / (Gamma(A + n) Gamma(A - a_j))

**Turnover.** A contact has ended with a probability e that depends on the earlier periods in which it was a contact
(one seen once, three periods ago, has gone more often than one seen in all three). It is read off the network in
the same period, where silent contacts outnumber what few calls explain:

    e = (silent - sum q) / (contacts - sum q + PRIOR)   within [0, 1]

so that a holiday, or greetings once a year, look like nobody's loss. Altogether s_j = e + (1 - e) q_j.

References: R. E. Krichevsky, V. K. Trofimov, "The performance of universal encoding" (1981); P. S. Fader, B. G. S.
Hardie, K. L. Lee, "Counting your customers the easy way" (2005), for lifetimes seen only through what is bought.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from graph.calls.habits import EARLIER, Habits

HALF_CALL = 0.5
PRIOR = 30
"""So many contacts that stayed are added, so that a handful of contacts does not pass for a network."""

PATTERNS = 1 << EARLIER


@dataclass(frozen=True)
class Turnover:
    """`weight` (m,) float64 a_j; `ended` (m,) float64 e; `silent` (m,) float64 s_j, rows as `Habits`."""

    weight: np.ndarray
    ended: np.ndarray
    silent: np.ndarray


def turnover(habits: Habits, draws: np.ndarray) -> Turnover:
    """`draws` (n,): calls and messages of this period with contacts of the habits. Without any nothing is learned."""
    weight = habits.calls + HALF_CALL
    chance = _uncalled(habits.starts, weight, draws)
    pattern = habits.seen + PATTERNS * np.repeat(habits.history, habits.sizes)
    shown = np.repeat(draws > 0, habits.sizes)
    kinds = PATTERNS * (EARLIER + 1)
    contacts = np.bincount(pattern[shown], minlength=kinds)
    silent = np.bincount(pattern[shown & (habits.now == 0)], minlength=kinds)
    uncalled = np.bincount(pattern[shown], chance[shown], minlength=kinds)
    ended = np.clip((silent - uncalled) / (contacts - uncalled + PRIOR), 0, 1)[pattern]
    return Turnover(weight, ended, ended + (1 - ended) * chance)


@numba.njit(cache=True, parallel=True)
def _uncalled(starts: np.ndarray, weight: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(m,) float64: q_j."""
    chance = np.ones(weight.shape[0])
    for u in numba.prange(draws.shape[0]):
        total = 0.0
        for row in range(starts[u], starts[u + 1]):
            total += weight[row]
        n = draws[u]
        if n == 0:
            continue
        for row in range(starts[u], starts[u + 1]):
            others = total - weight[row]
            if others < HALF_CALL:  # nobody else to call
                chance[row] = 0.0
            else:
                chance[row] = math.exp(
                    math.lgamma(total) - math.lgamma(total + n) + math.lgamma(others + n) - math.lgamma(others)
                )
    return chance
