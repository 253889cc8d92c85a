"""The k best apps of one customer, as `matching.rank.top_k` finds them, without reading every vector whole.

A copy of the apps' vectors in 8 bits, a quarter of their size, gives each score to within a known error:
|v · r - v · q| <= |v| |r - q|. An app whose score cannot reach what k others surely reach is left out; the few that are
left are scored in double precision from the vectors themselves, in one fixed order, and sorted. Only apps that may be
shown are looked at. What comes out is what `top_k` gives, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from matching.arrays import Ragged
from matching.fold import with_use
from matching.rank import ROUNDING, _dot, _sift
from matching.vectors import Vectors

BLOCK = 4096


@dataclass(frozen=True)
class Coarse:
    """Vectors (m, d) of apps as `scale` (m) times `whole` int8 (m, d), and `error` (m), no less than |r - q| is.

    `error` has what single precision adds when `whole` is multiplied with a customer's vector.
    """

    whole: np.ndarray
    scale: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> Coarse:
        m, d = vectors.shape
        whole, scale, error = np.zeros((m, d), np.int8), np.zeros(m, np.float32), np.zeros(m)
        for at in range(0, m, BLOCK):
            part = slice(at, at + BLOCK)
            block = vectors[part].astype(np.float64)
            scale[part] = np.abs(block).max(axis=1, initial=0) / 127
            step = scale[part, None].astype(np.float64)
            whole[part] = np.rint(np.divide(block, step, out=np.zeros_like(block), where=step > 0))
            near = whole[part] * step
            rounding = 2 * (d + 2) * ROUNDING * np.linalg.norm(near, axis=1)
            error[part] = np.linalg.norm(block - near, axis=1) * (1 + 1e-9) + rounding
        return cls(whole, scale, error)


def best_apps(
    coarse: Coarse, vectors: Vectors, used: Ragged, user: int, allowed: np.ndarray, k: int, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Items int32 (k) and scores float64 (k), as `app_scores` and `top_k` give them for one customer at `user`.

    `used`: apps used by customer; `allowed` bool (m): apps that may be shown; `fold` as in `app_scores`. None for a
    customer without a vector, whose scores are shares. -1 and nan where there are fewer than k.
    """
    left, added = with_use(vectors, used, np.array([user]), fold)
    if not left.any():
        return None
    k = min(k, len(allowed))
    items, scores = np.full(k, -1, np.int32), np.full(k, np.nan)
    length = float(np.sqrt(np.einsum("d,d->", left[0], left[0], dtype=np.float64)))
    _best(left[0], vectors.apps, coarse.whole, coarse.scale, coarse.error, length, added[0], allowed, k, items, scores)
    return items, scores


@numba.njit(cache=True, nogil=True)
def _best(vector, right, whole, scale, error, length, added, allowed, k, items, scores):  # type: ignore[no-untyped-def]
    m = len(allowed)
    places, rough = np.empty(m, np.int32), np.empty(m, np.float64)
    slack = np.empty(m, np.float64)
    surely = np.full(k, -np.inf)  # the k largest of what scores are at least, the smallest first
    count = 0
    for i in range(m):
        if allowed[i]:
            near = np.float64(_product(vector, whole[i])) * np.float64(scale[i])
            more = np.float64(added[i]) if len(added) else 0.0
            places[count], rough[count] = i, near + more
            slack[count] = length * error[i] + 1e-12 * (abs(near) + abs(more))
            low = rough[count] - slack[count]
            if low > surely[0]:
                _sift(surely, low)
            count += 1
    left = 0
    for c in range(count):
        if rough[c] + slack[c] >= surely[0]:
            i = places[c]
            places[left] = i
            rough[left] = _dot(vector, right[i]) + (added[i] if len(added) else 0.0)
            left += 1
    order = np.argsort(-rough[:left], kind="mergesort")  # stable: equal scores stay in the order of position
    for j in range(min(k, left)):
        items[j] = places[order[j]]
        scores[j] = rough[order[j]]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _product(vector: np.ndarray, whole: np.ndarray) -> float:
    total = np.float32(0)
    for j in range(len(vector)):
        total += np.float32(whole[j]) * vector[j]
    return float(total)
