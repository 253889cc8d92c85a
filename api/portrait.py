"""One view of a customer: what the graph holds of them, and what they would be shown now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from api.service import Service
from graph import lists
from lake.errors import NotReady, UnknownName
from lake.pseudonyms import from_text
from lake.tables import Lake
from matching.decision import MatchRequest

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
  COLLECT { MATCH (user)-[:RESTS_NEAR]->(cell:Cell) RETURN cell.cell } AS rest_cell,
  COLLECT {
    MATCH (user)<-[same:SAME_AS]-(former:User) WHERE former.consent
    RETURN {user: former.user, score: same.score, left_on: former.left_on} ORDER BY same.score DESC, former.user
  } AS formerly
"""

PARTS = {
    "circles": "circle",
    "communities": "community",
    "leaders": "leader",
    "churn": "churn",
    "scores": "scores",
    "places": "places",
}
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
    if parts["churn"]:
        parts["churn"]["reasons"] = _reasons(parts["churn"])
    parts["scores"] = _by_model(parts["scores"])
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
        "returning": _returning(service, user, today),
        "formerly": row["formerly"],
        "matches": _matches(service, user),
    }


def _reasons(churn: dict[str, Any]) -> list[dict[str, Any]]:
    """Records in place of a list a field, which are taken out of the part."""
    fields = ("feature", "contribution", "words")
    return lists.reasons_of({field: churn.pop(f"reasons_{field}", None) for field in fields})


def _by_model(scores: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Probability, decile and reasons of each model: `data_pack`, `data_pack_decile`, … taken apart."""
    models = [name.removesuffix("_decile") for name in scores if name.endswith("_decile")]
    return {
        model: {
            "probability": scores.get(model),
            "decile": scores[f"{model}_decile"],
            "reasons": scores.get(f"{model}_reasons", []),
        }
        for model in models
    }


def _returning(service: Service, user: str, today: dt.date) -> list[dict[str, Any]]:
    """The numbers that a customer who left may have now."""
    lake = Lake(service.home.lake)  # of its own: its connection is not shared between threads
    if not lake.has("returning"):
        return []
    found = lists.candidates_of(lake, service.store, today, pa.array([from_text(user)], pa.binary()))
    return found[0]["candidates"] if found else []


def _matches(service: Service, user: str) -> dict[str, Any] | None:
    """What the customer would be shown now; null before there is a snapshot. No decision is recorded."""
    try:
        return {
            kind: service.match(MatchRequest(user=from_text(user), kind=kind, k=K)).to_json()["items"]
            for kind in ("app", "offer")
        }
    except NotReady:
        return None
