"""Who belongs to an offer's audience: the FEEDS.md condition over customers, current handset, plan and latest bill."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from loaders.conditions import Condition
from matching.arrays import positions
from matching.customers import Customers, Handsets


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
    frame = _frame(lake, fields, customers, handsets, today)
    everybody = np.packbits(np.ones(n + 1, bool))
    bits = {text: np.packbits(np.append(c.mask(frame, today), False)) for text, c in conditions.items()}
    return np.stack([bits.get(text, everybody) for text in texts]) if texts else np.zeros((0, len(everybody)), np.uint8)


def _frame(lake: Lake, fields: list[str], customers: Customers, handsets: Handsets, today: dt.date) -> pa.Table:
    """The columns that conditions name, one row a customer."""
    table = lake.read("customers")
    users = table["user"]
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    plan = bill = None
    for field in fields:
        source, _, name = field.rpartition(".")
        if source == "handset":
            phones = lake.read("handsets", ["handset", name]) if lake.has("handsets") else None
            if phones is None:
                columns[field] = pa.nulls(len(users), pa.string())
                continue
            used = pc.take(handsets.ids, _some(customers.handset[:-1]))
            columns[field] = pc.take(phones[name], _some(positions(used, phones["handset"])))
        elif source == "plan":
            plan = _plan(lake, users, today) if plan is None else plan
            columns[field] = plan[name]
        elif source == "bill":
            bill = _bill(lake, users) if bill is None else bill
            columns[field] = bill[name]
        else:
            columns[field] = table[name]
    return pa.table(columns) if columns else pa.table({"user": users})


def _plan(lake: Lake, users: pa.ChunkedArray, today: dt.date) -> pa.Table:
    """Each customer's row of `products` for the open plan with the latest `since`; nulls without one."""
    products = lake.read("products")
    plans = products.filter(pc.equal(products["kind"], "plan"))
    held = lake.read("subscriptions", ["user", "product", "since", "until"])
    held = held.filter(pc.fill_null(pc.greater(held["until"], pa.scalar(today)), True))
    held = held.sort_by([("since", "ascending"), ("product", "ascending")])
    row, place = positions(held["user"], users), positions(held["product"], plans["product"])
    kept = (row >= 0) & (place >= 0)
    last = np.full(len(users), -1, np.int64)
    last[row[kept]] = place[kept]
    return plans.take(_some(last))


def _bill(lake: Lake, users: pa.ChunkedArray) -> pa.Table:
    """Each customer's latest bill; nulls without one."""
    bills = lake.read("bills").sort_by([("month", "ascending")])
    row = positions(bills["user"], users)
    last = np.full(len(users), -1, np.int64)
    last[row[row >= 0]] = np.flatnonzero(row >= 0)
    return bills.take(_some(last))


def _some(row: np.ndarray) -> pa.Array:
    return pa.array(row, mask=row < 0)
