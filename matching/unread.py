"""Which answers a state does not know: those that its lake does not hold yet, which are asked of the graph, where all
are that were ever given, and those of people who are no customers."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from lake.tables import Lake
from matching.room import DAYS

SETTLED = dt.timedelta(minutes=10)
"""Answers recorded so long before the last one that the lake holds had arrived when they were copied."""


def unread_since(lake: Lake, today: dt.date) -> dt.datetime | None:
    """The moment (UTC) since which the lake's table `answers` may lack some that were recorded; None where it has none.

    Never after the days of which today's contacts are counted: those are counted from the graph's answers alone. To be
    asked before a state is loaded, as the table may be written anew meanwhile.
    """
    if not lake.has("answers"):
        return None
    last = lake.scan("answers").recorded.max().to_pyarrow().as_py()
    if last is None:
        return None
    return min(last - SETTLED, dt.datetime.combine(today - dt.timedelta(days=DAYS), dt.time()))


def of_strangers(lake: Lake) -> pa.Table | None:
    """Answers that the lake holds of numbers that its customers lack: a prospect's refusals count too. None without."""
    if not lake.has("answers") or not lake.has("customers"):
        return None
    return lake.scan("answers").anti_join(lake.scan("customers"), "user").to_pyarrow()
