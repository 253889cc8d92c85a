"""Answers that a number's former customer gave through the API, moved to that customer.

The graph alone has them, recorded at the number's pseudonym. That the number was given on becomes known with a later
load: what was answered before the new activation is the former customer's from then on.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from graph.store import Store
from lake import successions
from lake.settings import Settings
from lake.tables import Lake

MOVE = (
    "MATCH (u:User {user: row.user})-[r:RESPONDED]->(i) "
    "WHERE r.key IS NOT NULL AND datetime(row.since) <= r.at AND r.at < datetime(row.until) "
    "MATCH (f:User {user: row.former}) WITH r, f, i, properties(r) AS facts DELETE r "
    "WITH f, i, facts CREATE (f)-[moved:RESPONDED]->(i) SET moved = facts"
)


def hand_over(lake: Lake, store: Store, settings: Settings) -> None:
    """Move the answers of former customers to their nodes, which the graph must have; a second time, nothing moves.

    Days begin at local midnight, as those of events do.
    """
    if not lake.has(successions.NAME):
        return
    spans = successions.spans(lake.read(successions.NAME))
    for name in ("since", "until"):
        moments = [_midnight(day, settings) for day in spans[name].to_pylist()]
        place = spans.schema.get_field_index(name)
        spans = spans.set_column(place, name, pa.array(moments, pa.timestamp("us")))
    store.write_rows(MOVE, spans)


def _midnight(day: dt.date, settings: Settings) -> dt.datetime:
    """The moment, in UTC without saying so, at which a local day begins."""
    if day == successions.ALWAYS:
        return dt.datetime.combine(day, dt.time())
    return dt.datetime.combine(day, dt.time(), settings.zone).astimezone(dt.UTC).replace(tzinfo=None)
