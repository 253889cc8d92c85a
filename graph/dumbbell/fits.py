"""The bar of the dumbbell: which categories, apps and products fit a segment, and through which channel."""

from __future__ import annotations

import datetime as dt

import numba
import numpy as np
import pyarrow as pa
from scipy import sparse

from graph.dumbbell.attributes import category_members
from graph.dumbbell.best_channel import allowed_channels, rank_channels
from graph.dumbbell.holdings import Holdings, blocks
from graph.dumbbell.population import Population
from graph.dumbbell.segments import Segments
from lake.tables import Lake

PRIOR = 20.0
"""Customers of the base that are added to each segment, so that a share of few is no certainty."""
KEEP = {"app": 20, "product": 10}
"""The most edges of a segment to items of a kind; categories are few, and all stay."""
SUPPORT = 3
"""An app or product that fewer customers of a segment have fits it by chance."""
LIFT = 1.1
"""An app or product that a segment has hardly more often than everybody says nothing about it."""
SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("item_kind", pa.string()),
        ("item", pa.string()),
        ("score", pa.float64()),
        ("lift", pa.float64()),
        ("channel", pa.string()),
    ]
)


def measure_fits(
    lake: Lake,
    population: Population,
    apps: Holdings,
    products: Holdings,
    categories: pa.Table,
    segments: Segments,
    channel_use: pa.Table,
    today: dt.date,
) -> pa.Table:
    """One row a segment and item: all categories that someone in it uses, the best 20 apps and 10 products.

    With n_s customers in segment s, n_si of them having item i, and b_i the share of all customers that have it:
    score = (n_si + 20 b_i) / (n_s + 20), lift = score / b_i. The score is the m-estimate of a share (Cestnik,
    "Estimating probabilities: a crucial task in machine learning", ECAI 1990): a segment of few is drawn to the base,
    so its lift to 1. Apps and products need 3 customers and a lift of 1.1; the best have the highest score · ln lift,
    which is their part of what the segment's use differs by. `channel` is the segment's best among those that the
    item's running offers allow (`best_channel`), null where nothing is known of any. Sorted by segment, kind, item.
    """
    labels, in_category = count_categories(apps, products, categories, segments)
    best = rank_channels(lake, population, segments, channel_use)
    allowed = allowed_channels(lake, categories, today)
    size = np.bincount(segments.codes, minlength=len(segments.labels))
    parts = []
    for kind, items, counted in (
        ("app", apps.items, count_by_segment(segments, apps.held)),
        ("category", np.array(labels, object), in_category),
        ("product", products.items, count_by_segment(segments, products.held)),
    ):
        limits = (KEEP[kind], SUPPORT, LIFT) if kind in KEEP else (None, 1, 0.0)
        segment, item, score, lift = shares(counted, size, *limits)
        names = items[item].tolist()
        channels = [best.of(s, allowed.get((kind, name))) for s, name in zip(segment.tolist(), names, strict=True)]
        columns = [
            pa.array(segments.labels, pa.string()).take(pa.array(segment)),
            pa.array([kind] * len(item), pa.string()),
            pa.array(names, pa.string()),
            pa.array(score),
            pa.array(lift),
            pa.array(channels, pa.string()),
        ]
        parts.append(pa.table(columns, schema=SCHEMA))
    order = [(name, "ascending") for name in ("segment", "item_kind", "item")]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def shares(
    counted: np.ndarray, size: np.ndarray, keep: int | None = None, support: int = 1, least_lift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segment, item, score and lift of the pairs with enough support and lift, the best `keep` of each segment.

    `counted` is (s, m), customers of each segment that have each item, `size` (s,) the customers of each segment.

    >>> segment, item, score, lift = shares(np.array([[5, 1], [0, 1]]), np.array([5, 5]))
    >>> [(int(s), int(i), round(float(x), 2)) for s, i, x in zip(segment, item, lift)]
    [(0, 0, 1.2), (0, 1, 1.0), (1, 1, 1.0)]
    """
    base = counted.sum(axis=0) / max(size.sum(), 1)
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
    for s, row in enumerate(counted):  # a segment at a time: all pairs at once need not fit in memory
        item = np.flatnonzero(row >= support)
        score = (row[item] + PRIOR * base[item]) / (size[s] + PRIOR)
        lift = score / base[item]
        fine = lift >= least_lift
        item, score, lift = item[fine], score[fine], lift[fine]
        best = np.lexsort((item, -score, -(score * np.log(lift)).round(9)))[:keep]
        found.append((np.full(len(best), s), item[best], score[best], lift[best]))
    segment, item, score, lift = (np.concatenate([part[k] for part in found]) for k in range(4))
    return segment, item, score, lift


def count_by_segment(segments: Segments, held: sparse.csr_array) -> np.ndarray:
    """Customers of each segment that have each item: (s, m) int32; of `held` (n, m) only the places count."""
    counted = np.zeros((len(segments.labels), held.shape[1]), np.int32)
    _count(segments.codes, held.indptr, held.indices, counted)
    return counted


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _count(codes: np.ndarray, indptr: np.ndarray, indices: np.ndarray, counted: np.ndarray) -> None:
    for user in range(len(codes)):
        for place in range(indptr[user], indptr[user + 1]):
            counted[codes[user], indices[place]] += 1


def count_categories(
    apps: Holdings, products: Holdings, categories: pa.Table, segments: Segments
) -> tuple[list[str], np.ndarray]:
    """The categories, sorted, and customers of each segment with an app or product of each: (s, c) int32."""
    of_apps, labels = category_members(apps.items, "app", categories)
    of_products, _ = category_members(products.items, "product", categories)
    counted = np.zeros((len(segments.labels), len(labels)), np.int32)
    for rows in blocks(len(segments.codes)):
        inside = sparse.csr_array(apps.held[rows] @ of_apps + products.held[rows] @ of_products)
        _count(segments.codes[rows], inside.indptr, inside.indices, counted)
    return labels, counted
