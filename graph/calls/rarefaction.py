"""How many distinct contacts so many calls would reach, if the customer kept to earlier habits (rarefaction).

Fewer contacts may only mean fewer calls. With earlier weights w_j (calls and messages with contact j, sum W)
and p_j = w_j / W, n calls drawn by these habits reach D distinct contacts, with

    E D   = sum_j (1 - q_j),                q_j = (1 - p_j)^n
    Var D = sum_j q_j (1 - q_j) + sum_{i != j} ((1 - p_i - p_j)^n - q_i q_j)

Drawn with replacement (the multinomial form), because n may exceed W, and because habits, not a fixed stock
of calls, are what continues. New contacts and bursts of calls lie outside these habits; `graph.calls.shrinking`
takes from the network how much they usually add or take away.

References: H. L. Sanders, "Marine benthic diversity", American Naturalist 102 (1968); K. L. Heck, G. van
Belle, D. Simberloff, "Explicit calculation of the rarefaction diversity measurement", Ecology 56 (1975).
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def distinct_contacts(weights: np.ndarray, draws: int) -> tuple[float, float]:
    """Expected number of distinct contacts in `draws` calls, and its variance.

    `weights` (s,) positive whole numbers, in any order. Contacts of equal weight are counted together, so the
    cost grows with the square of the number of different weights.

    >>> mean, variance = distinct_contacts(np.array([1, 1]), 2)
    >>> float(mean), float(variance)
    (1.5, 0.25)
    """
    if weights.shape[0] == 0 or draws <= 0:
        return 0.0, 0.0
    rising = np.sort(weights)
    total = float(rising.sum())
    share = np.empty(rising.shape[0])
    many = np.empty(rising.shape[0])
    unseen = np.empty(rising.shape[0])
    kinds = 0
    for i in range(rising.shape[0]):
        if i > 0 and rising[i] == rising[i - 1]:
            many[kinds - 1] += 1.0
        else:
            share[kinds] = rising[i] / total
            many[kinds] = 1.0
            unseen[kinds] = max(1.0 - share[kinds], 0.0) ** draws
            kinds += 1
    mean = variance = 0.0
    for i in range(kinds):
        mean += many[i] * (1.0 - unseen[i])
        variance += many[i] * unseen[i] * (1.0 - unseen[i])
        for j in range(i + 1):
            both = max(1.0 - share[i] - share[j], 0.0) ** draws - unseen[i] * unseen[j]
            pairs = many[i] * (many[i] - 1.0) if i == j else 2.0 * many[i] * many[j]
            variance += pairs * both
    return mean, max(variance, 0.0)


@numba.njit(cache=True, parallel=True)
def expected_sizes(
    draws: np.ndarray,
    history: np.ndarray,
    starts: np.ndarray,
    contact: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected circle and its variance for every customer, from up to k earlier periods taken together.

    Parameters: `draws` (n,) calls and messages this period; `history` (n,) how many of the earlier periods count
    for the customer; `starts` (k, n + 1), `contact` and `weight` (all k periods one after the other, rows as
    `Ties`; `starts` already point into them), the latest period first. Returns two arrays (n,); nan where there
    were no earlier calls.
    """
    n = draws.shape[0]
    mean = np.full(n, np.nan)
    variance = np.full(n, np.nan)
    for u in numba.prange(n):
        size = 0
        for k in range(history[u]):
            size += starts[k, u + 1] - starts[k, u]
        if size == 0:
            continue
        who = np.empty(size, np.int64)
        much = np.empty(size, np.int64)
        place = 0
        for k in range(history[u]):
            for i in range(starts[k, u], starts[k, u + 1]):
                who[place] = contact[i]
                much[place] = weight[i]
                place += 1
        order = np.argsort(who)
        pooled = np.empty(size, np.int64)
        different = 0
        for i in range(size):
            if i > 0 and who[order[i]] == who[order[i - 1]]:
                pooled[different - 1] += much[order[i]]
            else:
                pooled[different] = much[order[i]]
                different += 1
        mean[u], variance[u] = distinct_contacts(pooled[:different], draws[u])
    return mean, variance
