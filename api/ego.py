"""The people around a customer, as the graph holds them: one or two hops, with the periods of every tie."""

from __future__ import annotations

import datetime as dt
from typing import Any

from graph.store import Store
from lake.errors import UnknownName

_CONTACTS = """sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
         + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0))"""

_SHOWN = """person.user AS user, $hops AS hops, contacts, coalesce(person.off_net, false) AS off_net,
  coalesce(coalesce(person.status, '') = 'left' OR person.left_on < $today, false) AS left,
  person.communities_community AS community, person.leaders_rank AS leaders_rank,
  person.circles_shrinking AS circles_shrinking"""

_EGO = f"""
MATCH (person:User {{user: $user}})
RETURN {_SHOWN.replace("contacts,", "0 AS contacts,")}, person.consent AS consent
"""

_NEAR = f"""
MATCH (:User {{user: $user}})-[ties:CALLS]-(person:User)
WHERE person.consent
WITH person, {_CONTACTS} AS contacts
RETURN {_SHOWN}
ORDER BY contacts DESC, user LIMIT $limit
"""

_FAR = f"""
MATCH (ego:User {{user: $user}})
MATCH (near:User)-[ties:CALLS]-(person:User)
WHERE near.user IN $near AND person <> ego AND person.consent
WITH ego, person, {_CONTACTS} AS contacts
WHERE NOT EXISTS {{ (ego)-[:CALLS]-(person) }}
RETURN {_SHOWN}
ORDER BY contacts DESC, user LIMIT $limit
"""

_EDGES = """
MATCH (a:User)-[ties:CALLS]->(b:User)
WHERE a.user IN $users AND b.user IN $users
RETURN a.user AS source, b.user AS target, properties(ties) AS period
ORDER BY source, target, ties.period
"""


def ego(store: Store, user: str, hops: int, limit: int, today: dt.date) -> dict[str, Any]:
    """The customer, at most `limit` others (the nearest first, then those in contact most), and every tie among them.

    `nodes`: user, hops (0 for the customer), contacts (calls and messages: with the customer, or over two hops with
    the contacts in between), off_net, left, community, leaders_rank, circles_shrinking. `edges`: source, target, and
    `periods`, each with calls, seconds and messages `_out` and `_in` as seen from `source`. `truncated` says that
    there are more. People who do not consent are left out, and so is everybody around a customer who does not.

    Raises UnknownName for a pseudonym that the graph does not hold.
    """
    given: dict[str, Any] = {"user": user, "today": today}
    found = store.read(_EGO, hops=0, **given)
    if not found:
        raise UnknownName("there is no such customer", "load the feeds that name this customer first")
    centre = found[0]
    if not centre.pop("consent"):
        return {"user": user, "hops": hops, "nodes": [centre], "edges": [], "truncated": False}
    others = store.read(_NEAR, hops=1, limit=limit + 1, **given)
    if hops == 2 and len(others) <= limit:
        near = [node["user"] for node in others]
        others += store.read(_FAR, hops=2, limit=limit + 1 - len(others), near=near, **given)
    nodes = [centre, *others[:limit]]
    edges: dict[tuple[str, str], list[Any]] = {}
    for row in store.read(_EDGES, users=[node["user"] for node in nodes]):
        edges.setdefault((row["source"], row["target"]), []).append(row["period"])
    return {
        "user": user,
        "hops": hops,
        "nodes": nodes,
        "edges": [{"source": a, "target": b, "periods": periods} for (a, b), periods in edges.items()],
        "truncated": len(others) > limit,
    }
