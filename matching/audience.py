"""Who belongs to an offer's audience: the FEEDS.md condition over customers, current handset, plan and latest bill."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from loaders.conditions import Condition
from loaders.feeds import FEEDS
from matching.arrays import positions
from matching.customers import Customers, Handsets

FEED_OF = {"": "users", "handset": "handsets", "plan": "products", "bill": "bills"}
"""The feed whose columns a condition's field names, by what stands before its dot."""


def load_audience(lake: Lake, customers: Customers, handsets: Handsets, today: dt.date) -> np.ndarray:
    """Bits (offers, ceil((n + 1) / 8)) uint8: customer u belongs to offer i where bit u of row i is set.

    An offer without a condition is for everybody; unknown numbers belong to no condition. Raises BadValue, naming
    the field, where a condition cannot be read.
    """
    n = customers.n
    if not lake.has("offers"):
        return np.zeros((0, (n + 8) // 8), np.uint8)
    texts = lake.read("offers", ["audience"])["audience"].to_pylist()
    conditions = {text: Condition.parse(text) for text in sorted({t for t in texts if t and t.strip()})}
    fields = sorted({field for condition in conditions.values() for field in condition.fields})
    frame = frame_of(lake, fields, customers, handsets, today)
    everybody = np.packbits(np.ones(n + 1, bool))
    bits = {text: np.packbits(np.append(c.mask(frame, today), False)) for text, c in conditions.items()}
    return np.stack([bits.get(text, everybody) for text in texts]) if texts else np.zeros((0, len(everybody)), np.uint8)


def frame_of(lake: Lake, fields: list[str], customers: Customers, handsets: Handsets, today: dt.date) -> pa.Table:
    """The columns that conditions name, one row a customer; empty where the feed, or the column, is not there."""
    groups = {field.rpartition(".")[0] for field in fields}
    users = lake.read("customers", ["user"])["user"]
    sources: dict[str, pa.Table | None] = {"": lake.read("customers")}
    if "handset" in groups:
        sources["handset"] = _handset(lake, customers, handsets)
    if "plan" in groups:
        sources["plan"] = _plan(lake, users, today)
    if "bill" in groups:
        sources["bill"] = _bill(lake, users)

    def column(field: str) -> pa.ChunkedArray | pa.Array:
        group, _, name = field.rpartition(".")
        source = sources[group]
        if source is None or name not in source.column_names:
            return pa.nulls(len(users), FEEDS[FEED_OF[group]].column(name).arrow)
        return source[name]

    return pa.table({"user": users, **{field: column(field) for field in fields}})


def _handset(lake: Lake, customers: Customers, handsets: Handsets) -> pa.Table | None:
    """Each customer's row of `handsets` for the current handset."""
    if not lake.has("handsets"):
        return None
    phones = lake.read("handsets")
    used = handsets.ids.take(_some(customers.handset[:-1]))
    return phones.take(_some(positions(used, phones["handset"])))


def _plan(lake: Lake, users: pa.ChunkedArray, today: dt.date) -> pa.Table | None:
    """Each customer's row of `products` for the open plan with the latest `since`."""
    if not (lake.has("products") and lake.has("subscriptions")):
        return None
    products = lake.read("products")
    plans = products.filter(pc.equal(products["kind"], "plan"))
    held = lake.read("subscriptions", ["user", "product", "since", "until"])
    held = held.filter(pc.fill_null(pc.greater(held["until"], pa.scalar(today)), True))
    held = held.sort_by([("since", "ascending"), ("product", "ascending")])
    row, place = positions(held["user"], users), positions(held["product"], plans["product"])
    kept = (row >= 0) & (place >= 0)
    last = np.full(len(users), -1, np.int64)
    last[row[kept]] = place[kept]  # of several, the last assignment stands
    return plans.take(_some(last))


def _bill(lake: Lake, users: pa.ChunkedArray) -> pa.Table | None:
    """Each customer's latest bill."""
    if not lake.has("bills"):
        return None
    bills = lake.read("bills").sort_by([("month", "ascending")])
    row = positions(bills["user"], users)
    last = np.full(len(users), -1, np.int64)
    last[row[row >= 0]] = np.flatnonzero(row >= 0)
    return bills.take(_some(last))


def _some(row: np.ndarray) -> pa.Array:
    return pa.array(row, mask=row < 0)
