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


def features(history: History, place: int) -> Columns:
    """Columns of the bill of the last month that was over at the period's end; all nan without bills."""
    months = whole_months(history.day(place), EARLIER + 1)
    nothing = np.full(history.n, np.nan, np.float32)
    names = [*AMOUNTS, *COUNTS, *OTHERS]
    by_month: list[Columns] = [{} for _ in months]
    if history.lake.has("bills"):
        bills = history.lake.scan("bills")
        for i, month in enumerate(months):
            rows = bills.filter(bills.month == month).select("user", *names).to_pyarrow()
            at = history.customers.positions.of(rows["user"])
            rows, at = rows.filter(at >= 0), at[at >= 0]
            if len(at):
                by_month[i] = {name: history.spread(at, rows[name]) for name in names}
    last, earlier = by_month[0], by_month[1:]
    found = {name: last.get(name, nothing) for name in names}
    for name in (*AMOUNTS, *COUNTS):
        usual = mean([month[name] for month in earlier if month], history.n)
        found[f"{name}_usual"] = usual
        if name in AMOUNTS:
            found[f"{name}_change"] = against_network(ratio(found[name], usual))
    return found


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
