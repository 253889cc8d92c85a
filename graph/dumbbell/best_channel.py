"""Through which channel a segment is best reached, and which ones an item's offers allow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.dumbbell.population import Population
from graph.dumbbell.segments import Segments
from lake.tables import Lake

PRIOR = 20.0
"""Answers of average acceptance that are added to each segment and channel."""


@dataclass(frozen=True)
class Ranked:
    """The channels of each segment, best first."""

    names: list[list[str]]

    def of(self, segment: int, allowed: frozenset[str] | None = None) -> str | None:
        """The best channel among the `allowed` (all when None); where none of these is known, the first by name."""
        for name in self.names[segment]:
            if allowed is None or name in allowed:
                return name
        return min(allowed) if allowed else None


def rank_channels(lake: Lake, population: Population, segments: Segments, channel_use: pa.Table) -> Ranked:
    """Rank the channels to reach each segment by.

    First those that it answered on, where it has accepted anything, by acceptance (accepted + 20 p) / (answers + 20), p
    the acceptance over all segments and channels; an answer is any row of the feed, shown ones too. Then those
    that the segment touched most, then those that all customers touched most; equal ones by name.
    """
    touches = ibis.memtable(channel_use.select(["user", "channel", "touches"]))
    sums = [_by_segment(lake, population, segments, touches, "touches")]
    if lake.has("responses"):
        answers = lake.scan("responses")
        told = answers.select(
            "user", "channel", accepted=(answers.outcome == "accepted").cast("int64"), answers=ibis.literal(1)
        )
        sums.append(_by_segment(lake, population, segments, told, "accepted", "answers"))
    names = sorted({name for table in sums for name in table["channel"].to_pylist()})
    touched, taken, asked = (np.zeros((len(segments.labels), len(names))) for _ in range(3))
    for table in sums:
        place = pc.index_in(table["channel"], value_set=pa.array(names, pa.string())).to_numpy()
        for name, into in (("touches", touched), ("accepted", taken), ("answers", asked)):
            if name in table.column_names:
                into[table["segment"].to_numpy(), place] = table[name].to_numpy()
    prior = taken.sum() / max(asked.sum(), 1.0)
    rate = np.where(asked > 0, (taken + PRIOR * prior) / (asked + PRIOR), -1.0)
    rate = np.where(taken.any(axis=1, keepdims=True), rate, -1.0)
    overall = np.broadcast_to(touched.sum(axis=0), touched.shape)
    order = np.lexsort((-overall, -touched, -rate.round(12)), axis=1)  # stable: equal ones stay in order of name
    known = (rate >= 0) | (overall > 0)
    return Ranked([[names[c] for c in row if known[s, c]] for s, row in enumerate(order)])


def allowed_channels(lake: Lake, categories: pa.Table, today: dt.date) -> dict[tuple[str, str], frozenset[str]]:
    """The channels of the offers that run today, by (`product`, its identifier) and (`category`, its name).

    A category has those of all its products. Without a running offer an item is not there: nothing is ruled out.
    """
    if not lake.has("offers"):
        return {}
    offers, day = lake.scan("offers"), today
    running = offers.filter(
        offers.starts_on.isnull() | (offers.starts_on <= day), offers.ends_on.isnull() | (offers.ends_on >= day)
    )
    of_products = categories.filter(pc.equal(categories["item_kind"], "product"))
    category = dict(zip(of_products["item"].to_pylist(), of_products["category"].to_pylist(), strict=True))
    found: dict[tuple[str, str], set[str]] = {}
    for offer in running.select("product", "channels").to_pyarrow().to_pylist():
        keys = [("product", offer["product"])]
        if offer["product"] in category:
            keys.append(("category", category[offer["product"]]))
        for key in keys if offer["channels"] else []:
            found.setdefault(key, set()).update(offer["channels"])
    of_apps = categories.filter(pc.equal(categories["item_kind"], "app"))["category"]
    shared = set(pc.unique(of_apps).to_pylist())  # apps need no offer, so a category with apps is bound by none
    return {key: frozenset(names) for key, names in found.items() if key[0] == "product" or key[1] not in shared}


def _by_segment(lake: Lake, population: Population, segments: Segments, rows: ibis.Table, *amounts: str) -> pa.Table:
    """The sums of `amounts` by `segment` (its place) and `channel`, of rows that name a channel."""
    codes = ibis.memtable(pa.table({"user": population.users, "segment": pa.array(segments.codes, pa.int32())}))
    coded = rows.filter(rows.channel.notnull()).inner_join(codes, "user")
    summed = coded.group_by("segment", "channel").agg(**{name: coded[name].sum().cast("float64") for name in amounts})
    return lake.connection.to_pyarrow(summed)
