"""Kernels that compare circles: sorted contact lists of consecutive periods, merged customer by customer."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, parallel=True)
def measure(
    starts: np.ndarray,
    contact: np.ndarray,
    out: np.ndarray,
    in_: np.ndarray,
    old_starts: np.ndarray,
    old_contact: np.ndarray,
    old_weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each customer's circle, by itself and against the last period's.

    Returns, each (n,): `reciprocal` (contacts with calls or messages both ways), `kept` (contacts in both
    periods), `weight` (calls and messages), `entropy` of their shares over the contacts in nats (nan without
    any), `lost_weight` (the last period's calls and messages with contacts now gone).
    """
    n = starts.shape[0] - 1
    reciprocal = np.zeros(n, np.int64)
    kept = np.zeros(n, np.int64)
    weight = np.zeros(n, np.int64)
    entropy = np.full(n, np.nan)
    lost_weight = np.zeros(n, np.int64)
    for u in numba.prange(n):
        total = 0
        for i in range(starts[u], starts[u + 1]):
            total += out[i] + in_[i]
            if out[i] > 0 and in_[i] > 0:
                reciprocal[u] += 1
        weight[u] = total
        if total > 0:
            attention = 0.0
            for i in range(starts[u], starts[u + 1]):
                share = (out[i] + in_[i]) / total
                attention -= share * np.log(share)
            entropy[u] = max(attention, 0.0)
        i, end = starts[u], starts[u + 1]
        for j in range(old_starts[u], old_starts[u + 1]):
            while i < end and contact[i] < old_contact[j]:
                i += 1
            if i < end and contact[i] == old_contact[j]:
                kept[u] += 1
            else:
                lost_weight[u] += old_weight[j]
    return reciprocal, kept, weight, entropy, lost_weight
