"""How many distinct contacts so many calls would reach, if the customer kept to earlier habits (rarefaction).

Fewer contacts may only mean fewer calls. With earlier weights w_j (calls and messages with contact j, sum W),
n calls drawn by these habits reach D distinct contacts, with

    E D = sum_j (1 - (1 - w_j / W)^n)

Drawn with replacement (the multinomial form), because n may exceed W, and because habits, not a fixed stock
of calls, are what continues. Ties that end, new ones and bursts of calls lie outside: `graph.calls.shrinking` tests.

References: H. L. Sanders, "Marine benthic diversity", American Naturalist 102 (1968); K. L. Heck, G. van
Belle, D. Simberloff, "Explicit calculation of the rarefaction diversity measurement", Ecology 56 (1975).
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def distinct_contacts(weights: np.ndarray, draws: int) -> float:
    """Expected number of distinct contacts in `draws` calls; `weights` (s,) positive whole numbers.

    >>> float(distinct_contacts(np.array([1, 1]), 2))
    1.5
    """
    total = 0
    for weight in weights:
        total += weight
    mean = 0.0
    for weight in weights:
        mean += 1.0 - (1.0 - weight / total) ** draws
    return mean


@numba.njit(cache=True, parallel=True)
def expected_sizes(draws: np.ndarray, starts: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """(n,) expected circle of every customer by `graph.calls.habits`; nan without earlier calls.

    `draws` (n,) calls and messages this period; `starts` (n + 1,) and `calls` as in `Habits`.
    """
    n = draws.shape[0]
    mean = np.full(n, np.nan)
    for u in numba.prange(n):
        if starts[u] < starts[u + 1]:
            mean[u] = distinct_contacts(calls[starts[u] : starts[u + 1]], draws[u])
    return mean
