"""Which answers a lake does not hold yet: only those are asked of the graph, which holds all that were ever given."""

from __future__ import annotations

import datetime as dt

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
