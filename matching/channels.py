"""Channels, and which of them each customer uses most."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import SettingError
from lake.tables import Lake
from matching.arrays import positions
from matching.customers import sorted_ids, whole
from matching.days import Days
from matching.identity import meeting

INBOUND = frozenset({"hotline", "store", "app", "web", "chat"})
"""Kinds where the customer comes to the operator: open to customers who must not be approached (`no_contact`)."""
PREFERRED = 3
"""How many of a customer's channels are kept, best first."""
HOURS = 3
"""How many of the hours are kept at which a customer uses a channel most."""


@dataclass(frozen=True)
class Channels:
    """Channels by position.

    ids       text (c), sorted
    inbound   bool (c): a channel whose kind is not known counts as outbound
    capacity  int64 (c): contacts a day, by capacity and budget, -1 where not bounded
    met       by id of a bounded channel, uint64: contacts of today that the feed `responses` names (`meeting`)
    best      int16 (n + 1, PREFERRED): each customer's channels of the last three months, best first, -1 after them
    hours     int8 (n + 1, PREFERRED, HOURS): at which hours each is used, busiest first, -1 after them
    """

    ids: pa.Array
    inbound: np.ndarray
    capacity: np.ndarray
    met: dict[str, np.ndarray]
    best: np.ndarray
    hours: np.ndarray

    @cached_property
    def room(self) -> list[tuple[int, str, int, frozenset[int]]]:
        """Each channel with a daily capacity: its place and id, what the lake's contacts of today leave, and these."""
        found = []
        for place in np.flatnonzero(self.capacity >= 0).tolist():
            name = self.ids[place].as_py()
            known = frozenset(self.met.get(name, np.zeros(0, np.uint64)).tolist())
            found.append((place, name, int(self.capacity[place]) - len(known), known))
        return found


def load_channels(
    lake: Lake, users: pa.ChunkedArray, today: dt.date, days: Days, budgets: Mapping[str, float] | None = None
) -> Channels:
    """Channels of their own feed, and those that offers and touches name.

    A channel's budget of a day bounds its capacity by as many contacts as it pays for; without a unit cost it bounds
    nothing. Raises SettingError for a budget of a channel that is not there.
    """
    feed = lake.read("channels") if lake.has("channels") else None
    use = lake.read("channel_use") if lake.has("channel_use") else None
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
        if budgets:
            cost = np.asarray(pc.fill_null(whole(feed["unit_cost"]).cast(pa.float64()), 0.0))
            _within(budgets, feed["channel"].to_pylist(), cost, place, capacity)
    best = np.full((len(users) + 1, PREFERRED), -1, np.int16)
    hours = np.full((len(users) + 1, PREFERRED, HOURS), -1, np.int8)
    if use is not None:
        rank = np.asarray(whole(use["rank"]), np.int64)
        row, channel = positions(use["user"], users), positions(use["channel"], ids)
        kept = (row >= 0) & (rank >= 1) & (rank <= PREFERRED)
        best[row[kept], rank[kept] - 1] = channel[kept]
        if "hours" in use.column_names:
            lists = whole(use["hours"])
            owner = np.asarray(pc.list_parent_indices(lists), np.int64)
            place = np.arange(len(owner)) - np.searchsorted(owner, owner)
            some = kept[owner] & (place < HOURS)
            at = owner[some]
            hours[row[at], rank[at] - 1, place[some]] = np.asarray(pc.list_flatten(lists))[some]
    bounded = ids.filter(pa.array(capacity >= 0)).to_pylist()
    return Channels(ids, inbound, capacity, _met(lake, bounded, today, days), best, hours)


def check_budgets(budgets: Mapping[str, float], names: list[str]) -> None:
    """Raise SettingError for a budget of a channel that is not there."""
    for name in budgets:
        if name not in names:
            raise SettingError(
                f"budgets has {name!r}, which is no channel", f"the channels are {', '.join(names) or '(none)'}"
            )


def _within(
    budgets: Mapping[str, float], names: list[str], cost: np.ndarray, place: np.ndarray, capacity: np.ndarray
) -> None:
    """Bound capacities (c) by what budgets pay for, in place; `cost` and `place` are of the feed's rows."""
    check_budgets(budgets, names)
    for name, money in budgets.items():
        row = names.index(name)
        if cost[row] > 0:
            paid, at = math.floor(money / cost[row] + 1e-9), place[row]
            capacity[at] = paid if capacity[at] < 0 else min(capacity[at], paid)


def _met(lake: Lake, channels: list[str], today: dt.date, days: Days) -> dict[str, np.ndarray]:
    """Contacts of a day by channel: each decision that a row names, and each customer of rows that name none."""
    if not channels or not lake.has("responses"):
        return {}
    rows = lake.scan("responses")
    ends = days.begins(today + dt.timedelta(days=1))
    rows = rows.filter((rows["at"] >= days.begins(today)) & (rows["at"] < ends), rows["channel"].isin(channels))
    decision = rows["decision"] if "decision" in rows.columns else ibis.null("string")
    table = rows.select("user", "channel", decision=decision).distinct().to_pyarrow()
    met: dict[str, set[int]] = {}
    for user, channel, told in zip(*(table[n].to_pylist() for n in ("user", "channel", "decision")), strict=True):
        met.setdefault(channel, set()).add(meeting(told, user))
    return {name: np.array(sorted(contacts), np.uint64) for name, contacts in sorted(met.items())}
