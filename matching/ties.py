"""Reads the lake into `Ties`: use, contacts, owners of handsets, segments and what fits them."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from lake.settings import Settings
from lake.tables import Lake
from lake.use import app_use, has_app_use
from matching.arrays import Ragged, positions
from matching.evidence import Ties

TOP_CONTACTS = 12
"""How many of the people a customer calls most are looked at."""
CONTACT_PERIODS = 3
"""Over how many of the last periods."""


def load_used(lake: Lake, app_ids: pa.Array, n: int) -> Ragged:
    """Apps each customer has used, by position; weight = minutes + sessions."""
    if not has_app_use(lake):
        empty = np.array([], np.int64)
        return Ragged.of(empty, empty, rows=n + 1)
    usage = app_use(lake).join(_dense(lake), "user")
    weight = usage.seconds.fill_null(0).sum() / 60 + usage.sessions.fill_null(0).sum()
    totals = usage.group_by("row", "app").aggregate(weight=weight).to_pyarrow()
    rows = np.asarray(totals["row"].combine_chunks(), np.int64)
    return Ragged.of(rows, positions(totals["app"], app_ids), rows=n + 1, weights=totals["weight"].to_numpy())


def load_contacts(lake: Lake, settings: Settings, consent: np.ndarray, off_net: np.ndarray) -> Ragged:
    """Whom each customer calls and writes most, most first: consenting customers of the own network only.

    Calls and messages of both directions, over the last CONTACT_PERIODS periods that the graph keeps, ties by
    pseudonym.
    """
    rows = len(consent)
    empty = np.array([], np.int64)
    periods = lake.partitions("contacts")[-min(CONTACT_PERIODS, settings.keep_periods) :]
    if not periods:
        return Ragged.of(empty, empty, rows=rows)
    both = ibis.union(*[_pairs(lake, p) for p in periods]) if len(periods) > 1 else _pairs(lake, periods[0])
    dense = _dense(lake)
    named = both.join(dense.rename(row_of="row"), "user").join(dense.select(contact="user", whom="row"), "contact")
    totals = named.group_by("row_of", "whom").aggregate(times=named.times.sum()).to_pyarrow()
    user = np.asarray(totals["row_of"].combine_chunks(), np.int64)
    contact = np.asarray(totals["whom"].combine_chunks(), np.int64)
    times = np.asarray(totals["times"].combine_chunks(), np.float64)
    shown = consent[contact] & ~off_net[contact] & (times > 0)
    lists = Ragged.in_order(user[shown], contact[shown], -times[shown], rows=rows, weights=times[shown])
    within = np.arange(len(lists.values)) - np.repeat(lists.starts[:-1], np.diff(lists.starts))
    kept = within < TOP_CONTACTS
    starts = np.zeros(rows + 1, np.int64)
    np.cumsum(np.minimum(np.diff(lists.starts), TOP_CONTACTS), out=starts[1:])
    return Ragged(starts, lists.values[kept], lists.weights[kept])


@dataclass(frozen=True)
class Around:
    """What `Ties` of one kind of item hold beside who uses what and who calls whom."""

    share: np.ndarray
    category: np.ndarray
    category_share: np.ndarray
    owners: Ragged
    owner_count: np.ndarray
    fit_lift: np.ndarray
    fit_category: np.ndarray

    def ties(self, used: Ragged, contacts: Ragged, handset: np.ndarray, segment: np.ndarray) -> Ties:
        return Ties(used=used, contacts=contacts, handset=handset, segment=segment, **vars(self))


def load_around(
    lake: Lake, kind: str, items: pa.Array, used: Ragged, handset: np.ndarray, handsets: int, counted: np.ndarray,
    category: np.ndarray, categories: pa.Array, segments: pa.Array,
) -> Around:  # fmt: skip
    """What is around customers, for one kind of item (`app` or `product`).

    `counted` bool (n + 1): customers that shares and owners are counted over.
    """
    m = len(items)
    matrix = sparse.csr_array((np.ones(len(used.values), np.float32), used.values, used.starts), shape=(used.rows, m))
    share = np.asarray(matrix.T @ counted.astype(np.float32)) / max(int(counted.sum()), 1)
    owns = counted & (handset >= 0)
    owner = sparse.csr_array(
        (np.ones(int(owns.sum()), np.float32), (handset[owns], np.flatnonzero(owns))), shape=(handsets, used.rows)
    )
    by_handset = (owner @ matrix).tocsr()
    by_handset.sort_indices()
    uses = np.bincount(used.values, minlength=m).astype(np.float64)
    per_category = np.bincount(category[category >= 0], uses[category >= 0], minlength=len(categories))
    fit_lift, fit_category = _fits(lake, kind, items, category, categories, segments)
    return Around(
        share=share.astype(np.float32),
        category=category,
        category_share=(per_category / max(uses.sum(), 1)).astype(np.float32),
        owners=Ragged(
            by_handset.indptr.astype(np.int64), by_handset.indices.astype(np.int32), by_handset.data.astype(np.float32)
        ),
        owner_count=np.asarray(owner.sum(axis=1), np.float32).ravel(),
        fit_lift=np.ascontiguousarray(fit_lift),
        fit_category=np.ascontiguousarray(fit_category),
    )


def load_segments(lake: Lake, users: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """Segment names (sorted) and each customer's place among them, -1 without; the last entry is an unknown number."""
    if not lake.has("segments"):
        return pa.array([], pa.string()), np.full(len(users) + 1, -1, np.int32)
    table = lake.read("segments", ["user", "segment"])
    names = pc.drop_null(pc.unique(table["segment"]))
    names = pc.take(names, pc.array_sort_indices(names))
    segment = np.full(len(users) + 1, -1, np.int32)
    row, place = positions(table["user"], users), positions(table["segment"], names)
    segment[row[row >= 0]] = place[row >= 0]
    return names, segment


def _fits(
    lake: Lake, kind: str, items: pa.Array, category: np.ndarray, categories: pa.Array, segments: pa.Array
) -> tuple[np.ndarray, np.ndarray]:
    """Lift of FITS per (segment, item), through the category unless the item's own edge is stronger."""
    lift = np.zeros((len(segments), len(items)), np.float32)
    through = np.zeros(lift.shape, bool)
    if not lake.has("fits") or not lift.size:
        return lift, through
    table = lake.read("fits")
    for item_kind in ("category", kind):
        part = table.filter(pc.equal(table["item_kind"], item_kind))
        row = positions(part["segment"], segments)
        place = positions(part["item"], categories if item_kind == "category" else items)
        value = np.asarray(pc.fill_null(part["lift"].combine_chunks().cast(pa.float32()), 0))
        ok = (row >= 0) & (place >= 0)
        if item_kind == "category":
            bars = np.zeros((len(segments), len(categories) + 1), np.float32)
            bars[row[ok], place[ok]] = value[ok]
            lift = bars[:, category]  # items without a category read the last column, which is empty
            through = lift > 0
        else:
            direct = np.zeros_like(lift)
            direct[row[ok], place[ok]] = value[ok]
            through &= direct < lift
            lift = np.maximum(lift, direct)
    return lift, through


def _dense(lake: Lake) -> ibis.Table:
    """Customers with their position: row 0 is the smallest pseudonym."""
    customers = lake.scan("customers")
    return customers.select("user", row=ibis.row_number().over(ibis.window(order_by=customers.user)))


def _pairs(lake: Lake, period: str) -> ibis.Table:
    table = lake.scan("contacts", period)
    times = table.calls_out + table.calls_in + table.messages_out + table.messages_in
    return table.select("user", "contact", times=times.cast("int64"))
