"""Apps, products and offers as arrays by position, sorted by identifier."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.offer_facts import read_facts
from lake.tables import Lake
from matching.arrays import Ragged, positions
from matching.customers import Handsets, networks, sorted_ids, whole
from matching.vectors import Vectors, acceptance

PRIOR = 0.05
"""Acceptance expected of an offer of which nothing is known: about what cold offers of the trade reach."""


@dataclass(frozen=True)
class Apps:
    """Apps that can be ranked: those of the snapshot, then those that came since.

    ids, names   text (m)
    category     int32 (m), place in `MatchState.categories`, -1 without
    runs_on      bool (systems + 1, m): whether the app runs on each of `Handsets.systems`, the last row: on one that
                 is not known
    """

    ids: pa.Array
    names: pa.Array
    category: np.ndarray
    runs_on: np.ndarray


@dataclass(frozen=True)
class Products:
    """Products by position: those of their own feed and those that offers, customers or `excludes` name.

    needs_network  int8 (p), place in NETWORKS, -1 for any
    runs_on        bool (systems + 1, p), as of apps
    excludes       Ragged (p): products that cannot be held beside each, in both directions
    vector         int32 (p): the snapshot's row, -1 without
    """

    ids: pa.Array
    names: pa.Array
    category: np.ndarray
    needs_network: np.ndarray
    runs_on: np.ndarray
    excludes: Ragged
    vector: np.ndarray


@dataclass(frozen=True)
class Offers:
    """Offers by position.

    product    int32 (o)
    starts_on, ends_on   date32 (o), both days included, null for open
    priority   float64 (o) 0 to 100, 50 where not given
    value      float64 (o) margin of one acceptance, nan where not given
    prior      float64 (segments + 1, o) acceptance expected of each segment of the snapshot; the last row: of anybody
    channels   int16 (o, most): places in `Channels`, in the offer's order, -1 after them
    through    bool (o, channels)
    runs       bool (o): whether today lies between the offer's dates
    audience   bool (o, n + 1), packed over the second axis; unknown numbers belong to offers without a condition
    """

    ids: pa.Array
    titles: pa.Array
    scripts: pa.Array
    reasons: pa.Array
    product: np.ndarray
    priority: np.ndarray
    value: np.ndarray
    prior: np.ndarray
    channels: np.ndarray
    through: np.ndarray
    runs: np.ndarray
    audience: np.ndarray


def load_apps(lake: Lake, ids: pa.Array, handsets: Handsets, category: np.ndarray) -> Apps:
    """Apps in the order of `ids`, with the systems each runs on."""
    needs = pa.nulls(len(ids), pa.list_(pa.string()))
    names: pa.Array = ids
    if lake.has("apps"):
        table = lake.read("apps")
        row = _taken(ids, table["app"])
        names = pc.coalesce(whole(pc.take(table["name"], row)), ids)
        needs = whole(pc.take(table["os"], row))
    return Apps(ids, names, category, handsets.runs(needs))


def load_products(lake: Lake, vectors: Vectors, handsets: Handsets) -> Products:
    """Products, with what each needs and what it cannot be held beside."""
    table = lake.read("products") if lake.has("products") else None
    none = pa.array([], pa.string())
    known = table["product"] if table is not None else none
    excluded = table["excludes"] if table is not None else pa.chunked_array([pa.array([], pa.list_(pa.string()))])
    offered = lake.read("offers", ["product"])["product"] if lake.has("offers") else none
    held = pc.unique(lake.read("subscriptions", ["product"])["product"]) if lake.has("subscriptions") else none
    beside = whole(pc.list_flatten(whole(excluded)))
    ids = sorted_ids(known, offered, held, beside, vectors.product_ids)
    p = len(ids)
    vector = positions(ids, vectors.product_ids).astype(np.int32)
    category = np.full(p, -1, np.int32)
    if table is None:
        empty = np.array([], np.int64)
        everywhere = np.ones((len(handsets.systems) + 1, p), bool)
        free = Ragged.of(empty, empty, rows=p)
        return Products(ids, ids, category, np.full(p, -1, np.int8), everywhere, free, vector)
    row = _taken(ids, known)
    this = positions(known, ids)[np.asarray(pc.list_parent_indices(whole(excluded)), np.int64)]
    other = positions(beside, ids)
    needs_os = pc.split_pattern(whole(pc.take(table["needs_os"], row)).cast(pa.string()), ";")  # one, or several
    return Products(
        ids=ids,
        names=pc.coalesce(whole(pc.take(table["name"], row)), ids),
        category=category,
        needs_network=networks(pc.take(table["needs_network"], row)),
        runs_on=handsets.runs(needs_os),
        excludes=Ragged.of(np.append(this, other), np.append(other, this), rows=p),
        vector=vector,
    )


def load_offers(
    lake: Lake, vectors: Vectors, products: Products, channel_ids: pa.Array, audience: np.ndarray, today: dt.date
) -> Offers:
    """Offers of the lake; `audience` (o, ceil((n + 1) / 8)) uint8 comes from `matching.audience`."""
    table = lake.read("offers") if lake.has("offers") else None
    if table is None:
        text, none = pa.array([], pa.string()), np.array([])
        prior = np.zeros((len(vectors.segment_ids) + 1, 0))
        return Offers(
            text, text, text, text, none.astype(np.int32), none, none, prior, np.zeros((0, 0), np.int16),
            np.zeros((0, len(channel_ids)), bool), none.astype(bool), audience,
        )  # fmt: skip
    o, ids = len(table), whole(table["offer"])
    lists = whole(table["channels"])
    owner = np.asarray(pc.list_parent_indices(lists), np.int64)
    place = positions(pc.list_flatten(lists), channel_ids)
    through = np.zeros((o, len(channel_ids)), bool)
    through[owner, place] = True
    within = np.arange(len(owner)) - np.searchsorted(owner, owner)
    channels = np.full((o, int(within.max(initial=-1)) + 1), -1, np.int16)
    channels[owner, within] = place
    day = pa.scalar(today)
    begun = pc.fill_null(pc.less_equal(table["starts_on"], day), True)
    open_ = pc.fill_null(pc.greater_equal(table["ends_on"], day), True)
    return Offers(
        ids=ids,
        titles=whole(table["title"]),
        scripts=whole(table["script"]),
        reasons=whole(table["reason"]),
        product=positions(table["product"], products.ids).astype(np.int32),
        priority=_numbers(table["priority"], 50.0),
        value=_numbers(table["value"], np.nan),
        prior=acceptance(vectors, ids, read_facts(lake, ids), PRIOR),
        channels=channels,
        through=through,
        runs=np.asarray(pc.and_(begun, open_).to_numpy(zero_copy_only=False), bool),
        audience=audience,
    )


def beside_of(products: Products, product: np.ndarray) -> Ragged:
    """Offers that cannot be taken up beside each (o): for the same of `product` (o), or one it excludes; itself."""
    o = np.arange(len(product))
    offered = Ragged.of(product.astype(np.int64), o, rows=max(1, len(products.ids)))
    row, excluded = products.excludes.pairs(product)
    row, other = np.append(o, row), np.append(product, excluded)
    place, beside = offered.pairs(other)
    return Ragged.of(row[place], beside, rows=len(o))


def load_categories(lake: Lake) -> pa.Array:
    """The names of all categories, sorted."""
    names = lake.read("categories", ["category"])["category"] if lake.has("categories") else pa.array([], pa.string())
    return sorted_ids(names)


def categories_of(lake: Lake, kind: str, items: pa.Array, names: pa.Array) -> np.ndarray:
    """Place in `names` of each item's category (the first, where it has several); -1 without one."""
    if not lake.has("categories"):
        return np.full(len(items), -1, np.int32)
    table = lake.read("categories")
    table = table.filter(pc.equal(table["item_kind"], kind)).sort_by([("item", "ascending"), ("category", "ascending")])
    row = positions(items, table["item"])
    category = np.append(positions(table["category"], names), -1)
    return category[row].astype(np.int32)


def audience_of(audience: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Unpack who belongs to which offer's audience: bool (users, offers)."""
    return ((audience[:, users >> 3] >> (7 - (users & 7)).astype(np.uint8)) & 1).T.astype(bool)


def _taken(ids: pa.Array, known: pa.ChunkedArray) -> pa.Array:
    row = positions(ids, known)
    return pa.array(row, mask=row < 0)


def _numbers(column: pa.ChunkedArray, default: float) -> np.ndarray:
    return np.asarray(pc.fill_null(whole(column).cast(pa.float64()), default))
