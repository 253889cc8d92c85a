"""One view of a customer: what the graph holds of them, and what they would be shown now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from api.service import Service
from lake.errors import NotReady, UnknownName
from lake.pseudonyms import from_text
from matching.match import MatchRequest, match

QUERY = """
MATCH (user:User {user: $user})
RETURN properties(user) AS properties,
  COLLECT {
    MATCH (user)-[uses:USES_HANDSET]->(handset:Handset)
    WHERE uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
    RETURN {handset: handset.handset, brand: handset.brand, model: handset.model, since: uses.since}
    ORDER BY uses.since DESC, handset.handset LIMIT 1
  } AS handset,
  COLLECT {
    MATCH (user)-[uses:USES_APP]->(app:App)
    RETURN {app: app.app, name: app.name, sessions: uses.sessions, last_at: uses.last_at}
    ORDER BY uses.sessions DESC, app.app LIMIT 10
  } AS apps,
  COLLECT {
    MATCH (user)-[holds:SUBSCRIBES]->(product:Product)
    WHERE holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
    RETURN {product: product.product, name: product.name, kind: product.kind, since: holds.since, until: holds.until}
    ORDER BY holds.since DESC, product.product
  } AS products,
  COLLECT {
    MATCH (user)-[reached:REACHED_BY]->(channel:Channel)
    RETURN {channel: channel.channel, name: channel.name, touches: reached.touches, hours: reached.hours}
    ORDER BY reached.touches DESC, reached.last_at DESC, channel.channel LIMIT 3
  } AS channels,
  COLLECT { MATCH (user)-[:IN_SEGMENT]->(segment:Segment) RETURN segment.segment } AS segments,
  COLLECT { MATCH (user)-[:WORKS_NEAR]->(cell:Cell) RETURN cell.cell } AS work_cell,
  COLLECT { MATCH (user)-[:RESTS_NEAR]->(cell:Cell) RETURN cell.cell } AS rest_cell
"""

PARTS = {"circles": "circle", "communities": "community", "leaders": "leader", "churn": "churn", "places": "places"}
"""Prefixes of the properties that `analyse` puts onto users, and the part of the view each makes."""

K = 3


def portrait(service: Service, user: str, today: dt.date) -> dict[str, Any]:
    """The view, JSON-ready but for dates. Raises UnknownName for a pseudonym the graph does not hold."""
    rows = service.store.read(QUERY, user=user, today=today)
    if not rows:
        raise UnknownName("there is no such customer", "load the feeds that name this customer first")
    row = rows[0]
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS.values()}
    own: dict[str, Any] = {}
    for name, value in sorted(row.pop("properties").items()):
        prefix, _, rest = name.partition("_")
        if prefix in PARTS and rest:
            parts[PARTS[prefix]][rest] = value
        elif name != "user":
            own[name] = value
    parts["places"] |= {cell: row[cell][0] for cell in ("work_cell", "rest_cell") if row[cell]}
    return {
        "user": user,
        "portrait": own,
        "handset": row["handset"][0] if row["handset"] else None,
        "apps": row["apps"],
        "products": row["products"],
        "channels": row["channels"],
        "segment": row["segments"][0] if row["segments"] else None,
        **{name: part or None for name, part in parts.items()},
        "matches": _matches(service, user),
    }


def _matches(service: Service, user: str) -> dict[str, Any] | None:
    """What the customer would be shown now; null before there is a snapshot. No decision is recorded."""
    try:
        state = service.state
    except NotReady:
        return None
    found = {}
    for kind in ("app", "offer"):
        asked = MatchRequest(user=from_text(user), kind=kind, k=K)
        found[kind] = match(state, asked, service.answered).to_json()["items"]
    return found
