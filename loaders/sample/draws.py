"""Small vectorised draws that several parts of the sample share."""

from __future__ import annotations

import numpy as np


def weighted(rng: np.random.Generator, weights: np.ndarray, size: int) -> np.ndarray:
    """Positions drawn in proportion to `weights`: int64, (size,)."""
    cumulative = np.cumsum(weights, dtype=np.float64)
    return np.minimum(np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right"), len(weights) - 1)


def weighted_rows(rng: np.random.Generator, weights: np.ndarray, row: np.ndarray) -> np.ndarray:
    """One column for each entry of `row`, in proportion to that row of `weights` (rows, columns)."""
    cumulative = np.cumsum(weights, axis=1, dtype=np.float64)
    cumulative /= cumulative[:, -1:]
    flat = (cumulative + np.arange(len(weights))[:, None]).ravel()
    found = np.searchsorted(flat, rng.random(len(row)) + row, side="right")
    return np.minimum(found - row * weights.shape[1], weights.shape[1] - 1)


def rank_within(group: np.ndarray) -> np.ndarray:
    """Place of each entry within its run of equal values; `group` is sorted.

    >>> rank_within(np.array([4, 4, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    place = np.arange(len(group))
    fresh = np.r_[True, group[1:] != group[:-1]] if len(group) else np.zeros(0, bool)
    return place - np.maximum.accumulate(np.where(fresh, place, 0))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def choose(rng: np.random.Generator, pool: np.ndarray, size: int, weights: np.ndarray | None = None) -> np.ndarray:
    """`size` different members of `pool` (fewer when it is smaller), in proportion to `weights`, sorted."""
    size = min(size, len(pool))
    if size == 0:
        return pool[:0]
    keys = rng.exponential(size=len(pool))
    if weights is not None:
        keys = keys / np.maximum(weights, 1e-12)
    return np.sort(pool[np.argpartition(keys, size - 1)[:size]])
