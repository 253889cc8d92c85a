"""Features of the last whole month's bill, beside those of up to three months before it."""

from __future__ import annotations

import datetime as dt

import numpy as np

from graph.calls.forecasts.history import EARLIER, Columns, History, against_network, mean, ratio

AMOUNTS = ("fee", "minutes", "mb", "messages", "days_on")
"""What is compared with the usual as a ratio, against the network's that month."""
COUNTS = ("complaints", "dropped_calls", "slow_sessions")
"""Mostly 0: what is usual stands beside them."""
OTHERS = ("roaming_days", "recharged", "balance")


LATE = 2
"""Whole months that the last bill may lie back: in the first days of a month those of the last one are not made yet."""


def features(history: History, place: int) -> Columns:
    """Columns of the last bill, of the last whole month or the one before it; all nan without bills."""
    nothing = np.full(history.n, np.nan, np.float32)
    names = [*AMOUNTS, *COUNTS, *OTHERS]
    months = _months(history, place)
    by_month = [_bills(history, month, names) for month in months]
    last, earlier = (by_month[0], by_month[1:]) if by_month else ({}, [])
    found = {name: last.get(name, nothing) for name in names}
    for name in (*AMOUNTS, *COUNTS):
        usual = mean([month[name] for month in earlier], history.n)
        found[f"{name}_usual"] = usual
        if name in AMOUNTS:
            found[f"{name}_change"] = against_network(ratio(found[name], usual))
    return found


def _months(history: History, place: int) -> list[str]:
    """The months of the last bills, latest first; none where the latest is too old."""
    if not history.lake.has("bills"):
        return []
    whole = whole_months(history.day(place), LATE)
    bills = history.lake.scan("bills")
    there = bills.filter(bills.month <= whole[0]).select("month").distinct().to_pyarrow()["month"].to_pylist()
    months = sorted(there, reverse=True)[: EARLIER + 1]
    return months if months and months[0] >= whole[-1] else []


def _bills(history: History, month: str, names: list[str]) -> Columns:
    bills = history.lake.scan("bills")
    rows = bills.filter(bills.month == month).select("user", *names).to_pyarrow()
    at = history.customers.positions.of(rows["user"])
    rows, at = rows.filter(at >= 0), at[at >= 0]
    return {name: history.spread(at, rows[name]) for name in names}


def whole_months(day: dt.date, many: int) -> list[str]:
    """The last months that are over at the end of a day, latest first.

    >>> whole_months(dt.date(2026, 1, 31), 2), whole_months(dt.date(2026, 5, 17), 1)
    (['2026-01', '2025-12'], ['2026-04'])
    """
    found = []
    first = (day + dt.timedelta(days=1)).replace(day=1)
    for _ in range(many):
        first = (first - dt.timedelta(days=1)).replace(day=1)
        found.append(f"{first:%Y-%m}")
    return found
