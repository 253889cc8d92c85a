"""Channels, and which of them each customer uses most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from matching.arrays import positions
from matching.customers import sorted_ids, whole

INBOUND = frozenset({"hotline", "store", "app", "web", "chat"})
"""Kinds where the customer comes to the operator: open to customers who must not be approached (`no_contact`)."""
PREFERRED = 8
"""How many of a customer's channels are kept, best first."""


@dataclass(frozen=True)
class Channels:
    """Channels by position.

    ids       text (c), sorted
    inbound   bool (c): a channel whose kind is not known counts as outbound
    capacity  int64 (c): contacts a day, -1 where not bounded
    contacts  int64 (c): contacts today that the feed `responses` names
    best      int16 (n + 1, PREFERRED): each customer's channels of the last three months, best first, -1 after them
    """

    ids: pa.Array
    inbound: np.ndarray
    capacity: np.ndarray
    contacts: np.ndarray
    best: np.ndarray

    @cached_property
    def bounded(self) -> list[tuple[int, str]]:
        """Place and id of each channel with a daily capacity."""
        return [(int(place), self.ids[int(place)].as_py()) for place in np.flatnonzero(self.capacity >= 0)]


def load_channels(lake: Lake, users: pa.ChunkedArray, today: dt.date) -> Channels:
    """Channels of their own feed, and those that offers and touches name."""
    feed = lake.read("channels") if lake.has("channels") else None
    use = lake.read("channel_use", ["user", "channel", "rank"]) if lake.has("channel_use") else None
    none = pa.array([], pa.string())
    through = whole(lake.read("offers", ["channels"])["channels"]) if lake.has("offers") else None
    ids = sorted_ids(
        feed["channel"] if feed is not None else none,
        pc.unique(use["channel"]) if use is not None else none,
        whole(pc.list_flatten(through)) if through is not None else none,
    )
    c = len(ids)
    inbound, capacity = np.zeros(c, bool), np.full(c, -1, np.int64)
    if feed is not None:
        place = positions(feed["channel"], ids)
        inbound[place] = np.isin(feed["kind"].to_pylist(), list(INBOUND))
        capacity[place] = np.asarray(pc.fill_null(whole(feed["daily_capacity"]).cast(pa.int64()), -1))
    best = np.full((len(users) + 1, PREFERRED), -1, np.int16)
    if use is not None:
        rank = np.asarray(whole(use["rank"]), np.int64)
        row, channel = positions(use["user"], users), positions(use["channel"], ids)
        kept = (row >= 0) & (rank >= 1) & (rank <= PREFERRED)
        best[row[kept], rank[kept] - 1] = channel[kept]
    return Channels(ids, inbound, capacity, _contacts(lake, ids, today), best)


def _contacts(lake: Lake, ids: pa.Array, today: dt.date) -> np.ndarray:
    """Contacts of a day by channel: each decision that a row names once, and each customer of rows that name none."""
    counts = np.zeros(len(ids), np.int64)
    if lake.has("responses"):
        day = dt.datetime.combine(today, dt.time())
        rows = lake.scan("responses")
        rows = rows.filter((rows["at"] >= day) & (rows["at"] < day + dt.timedelta(days=1)))
        decision = rows["decision"] if "decision" in rows.columns else ibis.null("string")
        table = rows.select("user", "channel", decision=decision).distinct().to_pyarrow()
        columns = (table[name].to_pylist() for name in ("user", "channel", "decision"))
        met = {(channel, decision or user) for user, channel, decision in zip(*columns, strict=True)}
        place = positions(pa.array([channel for channel, _ in met], pa.string()), ids)
        counts += np.bincount(place[place >= 0], minlength=len(ids))
    return counts
