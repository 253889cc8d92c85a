"""Channels, and which of them each customer uses most."""

from __future__ import annotations

from dataclasses import dataclass

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
    best      int16 (n + 1, PREFERRED): each customer's channels of the last three months, best first, -1 after them
    """

    ids: pa.Array
    inbound: np.ndarray
    capacity: np.ndarray
    best: np.ndarray


def load_channels(lake: Lake, users: pa.ChunkedArray) -> Channels:
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
    return Channels(ids, inbound, capacity, best)
