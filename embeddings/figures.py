"""What a scorer's lists are like beside being right: how much of the catalogue they show, how new, how common.

Recall and NDCG reward showing everybody the same few favourites; these figures tell when that happens. Figures that
are means over users come with 95 % bootstrap intervals. Coverage and the Gini index belong to all lists together
and have none: a resample has fewer different users, so it always shows fewer apps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from embeddings.evaluate import SHORT, K, Lists, bootstrap, ends

SIMPLE_METHODS = ("popularity", "segment", "item_knn", "ease", "als")
"""What anybody could do; every other scorer is the product's."""
SEGMENTS = 12
"""Segments reported each on its own, by the number of measured users; the others are one row."""
REST, NONE = "other segments", "no segment"


def coverage(lists: Lists, m: int) -> float:
    """Share of the catalogue of m apps that is in anybody's list (Ge et al. 2010, "Beyond accuracy"); 0 without apps.

    >>> coverage(Lists(np.array([[0, 1], [1, -1]]), np.zeros((2, 2), bool), np.ones(2)), 4)
    0.5
    """
    return len(np.unique(lists.top[lists.top >= 0])) / max(1, m)


def novelty(lists: Lists, users: np.ndarray, everybody: int) -> np.ndarray:
    """Mean self-information (t,) of each list in bits: the mean of -log2 p(i), p(i) the share of users of app i.

    `users` (m,) of each app among `everybody` with any use. An app that nobody uses counts as used by one. Higher is
    newer. Source: Vargas and Castells 2011, "Rank and relevance in novelty and diversity metrics" (popularity
    complement in its logarithmic form, without rank discount); Zhou et al. 2010.

    >>> lists = Lists(np.array([[0, 1], [1, -1]]), np.zeros((2, 2), bool), np.ones(2))
    >>> novelty(lists, np.array([8, 2]), 8).tolist()
    [1.0, 2.0]
    """
    return _mean(lists, -np.log2(np.maximum(users, 1) / max(1, everybody, users.max(initial=1))))


def commonness(lists: Lists, users: np.ndarray) -> np.ndarray:
    """Mean popularity rank (t,) of each list, from 0 (used least) to 1 (used most); apps used alike share their mean
    rank, so a random list has about .5. Popularity bias as in Abdollahpouri et al. 2019.

    >>> commonness(Lists(np.array([[0, 1]]), np.zeros((1, 2), bool), np.ones(1)), np.array([9, 1, 1])).tolist()
    [0.625]
    """
    _, value, size = np.unique(users, return_inverse=True, return_counts=True)
    before = np.cumsum(size) - size
    middle = before + (size - 1) / 2
    return _mean(lists, middle[value] / max(1, len(users) - 1))


def _mean(lists: Lists, values: np.ndarray) -> np.ndarray:
    shown = lists.top >= 0
    if not len(values):
        return np.zeros(len(lists.top))
    return (values[lists.top] * shown).sum(axis=1) / np.maximum(1, shown.sum(axis=1))


def gini(counts: np.ndarray) -> float:
    """How unevenly `counts` (m,) are spread: 0 all alike, towards 1 all on one; 0 where nothing is counted.

    G = Σ (2 i - m - 1) x_i / (m Σ x) over counts in rising order, i from 1.

    >>> gini(np.array([1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    m, total = len(counts), counts.sum()
    if not total:
        return 0.0
    rank = 2 * np.arange(1, m + 1) - m - 1
    return float((rank * np.sort(counts)).sum() / (m * total))


def rows_of(found: dict[str, Lists], users: np.ndarray, everybody: int, seed: int) -> dict[str, dict[str, Any]]:
    """One row a scorer: Recall and NDCG at `SHORT` and `K`, novelty, popularity (rank), coverage, Gini at `K`, and
    `interval` with the bootstrap interval of each that is a mean over users.

    `users` (m,) who used each app before, of `everybody` with any use.
    """
    m = len(users)
    rows = {}
    for name, lists in found.items():
        each = each_user(lists, users, everybody)
        values = np.stack(list(each.values()), axis=1)
        means = bootstrap(values, seed)
        shown = np.bincount(lists.top[lists.top >= 0], minlength=m)
        rows[name] = {
            **{figure: round(float(part.mean()), 5) if len(part) else 0.0 for figure, part in each.items()},
            f"coverage@{K}": round(coverage(lists, m), 5),
            f"gini@{K}": round(gini(shown), 5),
            "interval": {figure: ends(means[:, i]) for i, figure in enumerate(each)},
        }
    return rows


def each_user(lists: Lists, users: np.ndarray, everybody: int) -> dict[str, np.ndarray]:
    """The figures (t,) that are told of every measured user, by name."""
    short, full = lists.quality(SHORT), lists.quality(K)
    return {
        f"recall@{SHORT}": short.recall,
        f"ndcg@{SHORT}": short.ndcg,
        f"recall@{K}": full.recall,
        f"ndcg@{K}": full.ndcg,
        f"novelty@{K}": novelty(lists, users, everybody),
        f"popularity@{K}": commonness(lists, users),
    }


def margin(found: dict[str, Lists], served: str, seed: int) -> dict[str, Any]:
    """NDCG@K of what is `served` less that of the best simple method for the same users: `over` which, the mean
    `difference` and its paired bootstrap `interval`. Popularity, where that is served, is served by segment: it is not
    held against itself."""
    quality = {name: lists.quality(K).ndcg for name, lists in found.items()}
    others = [n for n in SIMPLE_METHODS if n in quality and not (n == "segment" and served == "popularity")]
    over = max(others, key=lambda n: float(quality[n].sum()))
    difference = quality[served] - quality[over]
    mean = round(float(difference.mean()), 5) if len(difference) else 0.0
    return {"over": over, "difference": mean, "interval": ends(bootstrap(difference[:, None], seed)[:, 0])}


def by_segment(
    found: dict[str, Lists], names: Sequence[str], of: np.ndarray, served: str, seed: int
) -> list[dict[str, Any]]:
    """NDCG@K of each scorer by the measured users' segment `of` (t,), -1 for none: the largest `SEGMENTS` by name,
    the rest together, and `interval` of what is `served`."""
    sizes = np.bincount(of[of >= 0], minlength=len(names))
    large = [int(s) for s in np.lexsort((np.arange(len(names)), -sizes))[:SEGMENTS] if sizes[s]]
    masks = [(str(names[s]), of == s) for s in large]
    masks += [(REST, (of >= 0) & ~np.isin(of, large)), (NONE, of < 0)]
    quality = {name: lists.quality(K) for name, lists in found.items()}
    return [
        {
            "segment": segment,
            "users": int(mask.sum()),
            f"ndcg@{K}": {name: round(float(part.ndcg[mask].mean()), 5) for name, part in quality.items()},
            "interval": quality[served].take(np.flatnonzero(mask)).interval(seed),
        }
        for segment, mask in masks
        if mask.any()
    ]
