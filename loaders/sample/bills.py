"""The feed `bills`: money, use, and what a customer endured in a month."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from loaders.sample.calendar import Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.lifecycle import Life
from loaders.sample.people import MACHINE, People
from loaders.sample.products import EXTRA_MB, EXTRA_MINUTE, FEE, MB, MINUTES, product
from loaders.sample.records import Traffic
from loaders.sample.streams import Streams


def write_bills(
    streams: Streams,
    calendar: Calendar,
    folder: FeedFolder,
    month: int,
    people: People,
    life: Life,
    plan: np.ndarray,
    traffic: Traffic,
    mb: np.ndarray,
    travels: np.ndarray,
    number: pa.Array,
) -> None:
    """One month; only customers whose number was in use in it. `travels` (n,): interest in travel."""  # fmt: skip
    rng = streams("bills", month)
    n = people.n
    low, high = calendar.bounds[month], calendar.bounds[month + 1]
    span = np.minimum(high, people.until[:n]) - np.maximum(low, people.since[:n])
    minutes = np.round(traffic.seconds / 60, 1)
    extra = EXTRA_MINUTE[plan] * np.maximum(minutes - MINUTES[plan], 0)
    # beyond the plan data is slowed down, so that only a part of it is paid for
    extra += EXTRA_MB[plan] * 0.1 * np.maximum(mb - MB[plan], 0)
    prepaid = plan == product("plan-prepaid")
    fee = np.round(np.where(prepaid, np.minimum(extra, 40), FEE[plan] + np.minimum(extra, 60)), 2)
    bad = life.trouble[:, month]
    dropped = rng.poisson(0.012 * traffic.events * (1 + 6 * bad) + 0.5 * bad)
    slow = rng.poisson((0.6 + 7 * bad) * np.minimum(1 + mb / 4000, 3) * (mb > 0))
    complaints = rng.poisson(0.015 + 0.45 * bad)
    daily = np.clip(0.55 + 0.12 * np.log1p(traffic.events + (mb > 0) * 8), 0, 0.985)
    daily = np.where((traffic.events == 0) & (mb == 0), np.where(people.kind == MACHINE, 0.95, 0.0), daily)
    leaving = life.decides & ((life.leave_month == month + 1) | (life.leave_month == month))
    daily = np.where(leaving, 0.35 * daily, np.where(life.dip[:, month], 0.75 * daily, daily))
    days_on = rng.binomial(np.maximum(span, 0), daily)
    roaming = np.where(rng.random(n) < 0.6 * travels, rng.poisson(4, n), 0)
    recharged = np.where(prepaid, np.ceil(fee / 5) * 5, 0.0)
    balance = np.where(prepaid, recharged - fee, np.where(rng.random(n) < 0.03, -fee, 0.0))
    user = np.flatnonzero(span > 0)
    form = "csv" if month % 3 == 0 else "parquet"
    with folder.part("bills", calendar.names[month], form) as part:
        part.write(
            pa.table(
                {
                    "number": number.take(pa.array(user)),
                    "month": pa.array([calendar.names[month]]).take(pa.array(np.zeros(len(user), np.int8))),
                    "fee": fee[user],
                    "minutes": minutes[user],
                    "mb": np.round(mb[user], 2),
                    "messages": traffic.messages[user],
                    "complaints": complaints[user],
                    "dropped_calls": dropped[user],
                    "slow_sessions": slow[user],
                    "roaming_days": np.minimum(roaming, span)[user],
                    "days_on": days_on[user],
                    "recharged": recharged[user],
                    "balance": np.round(balance[user], 2),
                }
            )
        )
