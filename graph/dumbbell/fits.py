"""The bar of the dumbbell: which categories, apps and products fit a segment, and through which channel."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.attributes import category_members
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.population import Population
from graph.dumbbell.segments import Segments
from lake.tables import Lake

PRIOR = 20.0
"""Customers of the base that are added to each segment, so that a share of few is no certainty."""
KEEP = {"app": 20, "product": 10, "category": None}
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
) -> pa.Table:
    """One row a segment and item that someone in it has: all categories, the best 20 apps and 10 products.

    With n_s customers in segment s, n_si of them having item i, and b_i the share of all customers that have it:
    score = (n_si + 20 b_i) / (n_s + 20), lift = score / b_i; the best have the highest score · ln lift. `channel`
    is the segment's best (`best_channels`), null where nothing is known of channels. Sorted by segment, kind, item.
    """
    app_members, labels = category_members(apps.items, "app", categories)
    product_members, _ = category_members(products.items, "product", categories)
    in_category = sparse.csr_array(apps.held @ app_members + products.held @ product_members)
    in_category.data[:] = 1
    channels = pa.array(best_channels(lake, population, segments, channel_use), pa.string())
    parts = []
    for kind, items, held in (
        ("app", apps.items, apps.held),
        ("category", np.array(labels, object), in_category),
        ("product", products.items, products.held),
    ):
        segment, item, score, lift = shares(segments, held, KEEP[kind])
        parts.append(
            pa.table(
                [
                    pa.array(segments.labels, pa.string()).take(pa.array(segment)),
                    pa.array([kind] * len(item), pa.string()),
                    pa.array(items[item], pa.string()),
                    pa.array(score),
                    pa.array(lift),
                    channels.take(pa.array(segment)),
                ],
                schema=SCHEMA,
            )
        )
    order = [(name, "ascending") for name in ("segment", "item_kind", "item")]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def shares(
    segments: Segments, held: sparse.csr_array, keep: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segment, item, score and lift of the pairs that occur, the best `keep` of each segment (all when None).

    `held` is (n, m) of ones, customers × items; segment and item are places.
    """
    n = len(segments.codes)
    counted = count_by_segment(segments, held)
    base = np.bincount(held.indices, minlength=held.shape[1]) / max(n, 1)
    size = np.bincount(segments.codes, minlength=len(segments.labels))
    segment = np.repeat(np.arange(counted.shape[0]), np.diff(counted.indptr))
    item = counted.indices
    score = (counted.data + PRIOR * base[item]) / (size[segment] + PRIOR)
    lift = score / base[item]
    worth = (score * np.log(lift)).round(9)
    order = np.lexsort((item, -score, -worth, segment))
    segment, item, score, lift = segment[order], item[order], score[order], lift[order]
    if keep is not None:
        top = np.arange(len(segment)) - np.searchsorted(segment, segment) < keep
        segment, item, score, lift = segment[top], item[top], score[top], lift[top]
    return segment, item, score, lift


def count_by_segment(segments: Segments, matrix: sparse.csr_array) -> sparse.csr_array:
    """Sum of the customers' rows (n, m) by segment: (s, m) float64, columns sorted."""
    n = len(segments.codes)
    gather = sparse.csr_array((np.ones(n), (segments.codes, np.arange(n))), shape=(len(segments.labels), n))
    counted = sparse.csr_array(gather @ matrix)
    counted.sort_indices()
    return counted


def best_channels(lake: Lake, population: Population, segments: Segments, channel_use: pa.Table) -> list[str | None]:
    """The channel to reach each segment by, (s,).

    The one with the highest acceptance (accepted + 20 p) / (answers + 20), p the acceptance over all segments and
    channels; an answer is any row of the feed, shown ones too. A segment that accepted nothing has the channel it
    touched most, one without touches the channel that all customers touched most; null where nothing is known.
    """
    n_segments = len(segments.labels)
    touched, touched_names = _by_channel(
        population, segments, channel_use["user"], channel_use["channel"], channel_use["touches"].to_numpy()
    )
    overall = touched.sum(axis=0)
    best: list[str | None] = [None] * n_segments
    for s in range(n_segments):
        row = touched[s] if len(touched_names) and touched[s].any() else overall
        if row.any():
            best[s] = touched_names[int(row.argmax())]  # equal ones: the name that sorts first
    if not lake.has("responses"):
        return best
    answers = lake.scan("responses")
    table = (
        answers.group_by("user", "channel")
        .agg(accepted=(answers.outcome == "accepted").sum(), shown=answers.count())
        .order_by("user", "channel")
        .to_pyarrow()
    )
    accepted, names = _by_channel(
        population, segments, table["user"], table["channel"], table["accepted"].cast(pa.float64()).to_numpy()
    )
    shown, _ = _by_channel(
        population, segments, table["user"], table["channel"], table["shown"].cast(pa.float64()).to_numpy()
    )
    prior = accepted.sum() / max(shown.sum(), 1.0)
    for s in range(n_segments):
        if accepted[s].any():
            rate = np.where(shown[s] > 0, (accepted[s] + PRIOR * prior) / (shown[s] + PRIOR), -1.0)
            best[s] = names[int(rate.argmax())]
    return best


def _by_channel(
    population: Population, segments: Segments, users: pa.ChunkedArray, channels: pa.ChunkedArray, amount: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Sum of `amount` by segment and channel, dense (s, c), and the c names, sorted."""
    names = pc.unique(channels.cast(pa.string())).drop_null().sort()
    column = pc.index_in(channels.cast(pa.string()), value_set=names)
    rows = population.positions(users)
    good = (rows >= 0) & column.is_valid().to_numpy()
    total = np.zeros((len(segments.labels), len(names)))
    places = pc.fill_null(column, -1).to_numpy()
    np.add.at(total, (segments.codes[rows[good]], places[good]), amount[good])
    return total, names.to_pylist()
