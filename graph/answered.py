"""What customers answered through the API: recorded in the graph and nowhere else, so no load touches it."""

from __future__ import annotations

import pyarrow as pa

from graph.store import Store
from lake.pseudonyms import from_text

ANSWERED = "EXISTS { (n)-[answer:RESPONDED]-() WHERE answer.feed_row IS NULL }"
"""Nodes that stay whatever the lake says."""
READ_S = 3600.0
SCHEMA = pa.schema([("user", pa.binary()), ("offer", pa.string()), ("decision", pa.string()), ("outcome", pa.string())])
RECORDED = "MATCH (u:User)-[r:RESPONDED]->(o:Offer) WHERE r.feed_row IS NULL AND r.decision IS NOT NULL "
READ = RECORDED + "RETURN DISTINCT u.user AS user, o.offer AS offer, r.decision AS decision, r.outcome AS outcome"
DROP = (
    RECORDED + "MATCH (u)-[told:RESPONDED]->(o) WHERE told.feed_row IS NOT NULL AND told.decision = r.decision "
    "AND told.outcome = r.outcome WITH DISTINCT told DELETE told RETURN count(*) AS n"
)


def answered_in(store: Store) -> pa.Table:
    """Which outcome of which decision the API has recorded for which user and offer, each once."""
    rows = store.read(READ, timeout_s=READ_S)
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names}
    return pa.table({**columns, "user": list(map(from_text, columns["user"]))}, schema=SCHEMA)


def without_answered(wanted: pa.Table, answered: pa.Table) -> pa.Table:
    """Answers of the feed without those that the API has recorded already."""
    if not answered.num_rows:
        return wanted
    order = [(name, "ascending") for name in ("user", "offer", "feed_row")]
    return wanted.join(answered, SCHEMA.names, join_type="left anti").select(wanted.column_names).sort_by(order)


def drop_answered(store: Store) -> int:
    """Delete answers of the feed that the API has recorded since they were loaded; how many.

    So an answer is in the graph once, whichever way it came first.
    """
    return int(store.write(DROP)[0]["n"])
