"""What customers answered through the API: recorded in the graph and nowhere else, so no load touches it."""

from __future__ import annotations

import pyarrow as pa

from graph.store import Store

ANSWERED = "EXISTS { (n)-[answer:RESPONDED]-() WHERE answer.feed_row IS NULL }"
"""Nodes that stay whatever the lake says."""
READ_S = 3600.0
NAMES = ["decision", "offer", "outcome"]


def answered_in(store: Store) -> pa.Table:
    """Which outcome of which decision the API has recorded for which offer, each once."""
    rows = store.read(
        "MATCH (:User)-[r:RESPONDED]->(o:Offer) WHERE r.feed_row IS NULL AND r.decision IS NOT NULL "
        "RETURN DISTINCT r.decision AS decision, o.offer AS offer, r.outcome AS outcome",
        timeout_s=READ_S,
    )
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in NAMES})


def without_answered(wanted: pa.Table, answered: pa.Table) -> pa.Table:
    """Answers of the feed without those that the API has recorded already."""
    if not answered.num_rows:
        return wanted
    order = [(name, "ascending") for name in ("user", "offer", "feed_row")]
    return wanted.join(answered, NAMES, join_type="left anti").select(wanted.column_names).sort_by(order)
