"""A graph of eight customers, small enough to know every answer by hand. Seen from 2026-07-01.

city               Berlin; u6 Hamburg
handset            nova-1; u3 until January, then a rima-1
consent            not u4
left               u5 by status; u7 will leave next year
off-net            u8
apps               maps u1 u2 u4 u5; chat u1 u2 u3; music u2 u6
products           plan-a u1; data-x u2, formerly u6 and u7
segment s1         u1 u2 u3 u4
calls              u1-u2 (two periods, 6), u2-u3 (4), u2-u4 (9), u1-u6 (1), u3-u6 (2), u2-u8 (2), u1-u5 (5)
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cypher.catalogue import find
from cypher.parameters import parse_json
from cypher.run import run
from graph.engine.server import Endpoint
from graph.schema import ensure
from graph.store import Store

TODAY = dt.date(2026, 7, 1)


def user(n: int) -> str:
    return str(uuid.UUID(int=n))


def users(*numbers: int) -> list[str]:
    return [user(n) for n in numbers]


GIVEN: dict[str, dict[str, Any]] = {
    "target_group": {"city": "Berlin", "brand": "Nova", "product": "data-x"},
    "reverse_analysis": {"users": users(1, 2, 4), "minimum": 1},
    "friends_of_app_users": {"app": "music"},
    "friends_of_holders": {"product": "data-x"},
    "two_hop_ego": {"user": user(1)},
    "community_leaders": {"community": "c1"},
    "customer_channels": {"users": users(1, 2, 4, 5)},
    "segment_channels": {"segment": "s1"},
    "shrinking_circles": {},
    "apps_together": {"handset": "Nova 1", "minimum": 1},
}
"""Parameters for every template."""


def rows(store: Store, name: str, **given: Any) -> list[tuple[Any, ...]]:
    """The answer of a template, `given` in place of those of GIVEN."""
    template = find(name)
    with run(store, template, parse_json(template, GIVEN[name] | given, TODAY)) as result:
        return list(result.rows)


def _customer(n: int, **more: Any) -> dict[str, Any]:
    common = {"off_net": False, "consent": True, "kind": "person", "no_contact": False, "city": "Berlin"}
    return {"user": user(n), **common, **more}


CUSTOMERS = [
    _customer(
        1, arpu=30.0, circles_shrinking=False, circles_p_value=0.01, circles_strength_lost=0.5, circles_contacts=3,
        circles_lost=2, circles_against_self=0.6, circles_against_peers=0.5, communities_community="c1",
        leaders_rank=2, leaders_community_rank=1, leaders_score=0.8, leaders_reach=40, leaders_adoptions_led=3,
    ),
    _customer(
        2, arpu=20.0, circles_shrinking=True, circles_p_value=0.001, circles_strength_lost=0.4, circles_contacts=4,
        circles_lost=5, circles_against_peers=0.8, communities_community="c1",
        leaders_rank=3, leaders_community_rank=2, leaders_score=0.7,
        leaders_evidence=0.02,
    ),
    _customer(
        3, arpu=50.0, circles_shrinking=False, circles_p_value=0.06, communities_community="c2", leaders_rank=1,
        leaders_community_rank=1,
    ),
    _customer(
        4, arpu=40.0, consent=False, circles_shrinking=True, circles_p_value=0.0001, communities_community="c1",
        leaders_rank=4, leaders_community_rank=3,
    ),
    _customer(5, arpu=10.0, status="left", left_on=dt.date(2026, 5, 31), circles_shrinking=True, circles_p_value=0.02),
    _customer(6, arpu=60.0, city="Hamburg", circles_p_value=0.01, circles_against_peers=0.6),
    _customer(7, left_on=dt.date(2027, 1, 1)),
    _customer(8, off_net=True, city=None),
]  # fmt: skip

NOVA, RIMA = "35000001", "35000002"
D = dt.date
HANDSETS = [
    (1, NOVA, D(2025, 1, 1), None), (2, NOVA, D(2025, 1, 1), None), (3, NOVA, D(2025, 1, 1), D(2026, 1, 31)),
    (3, RIMA, D(2026, 1, 31), None), (4, NOVA, D(2025, 1, 1), None), (5, NOVA, D(2025, 1, 1), None),
    (6, NOVA, D(2025, 1, 1), None), (7, NOVA, D(2025, 1, 1), D(2027, 1, 1)), (7, RIMA, D(2024, 1, 1), None),
]  # fmt: skip
APPS = [
    (1, "maps"),
    (2, "maps"),
    (4, "maps"),
    (5, "maps"),
    (1, "chat"),
    (2, "chat"),
    (3, "chat"),
    (2, "music"),
    (6, "music"),
]
PRODUCTS = [(1, "plan-a", None), (2, "data-x", None), (6, "data-x", D(2026, 3, 1)), (7, "data-x", D(2026, 5, 1))]
CALLS = [
    (1, 2, "2026-05", 3, 1, 0, 0), (1, 2, "2026-06", 0, 0, 2, 0), (2, 3, "2026-06", 4, 0, 0, 0),
    (2, 4, "2026-06", 9, 0, 0, 0), (1, 6, "2026-06", 1, 0, 0, 0), (3, 6, "2026-06", 0, 2, 0, 0),
    (2, 8, "2026-06", 0, 2, 0, 0), (1, 5, "2026-05", 5, 0, 0, 0),
]  # fmt: skip
REACHED = [
    (1, "app", 10, 20), (1, "sms", 5, 10), (1, "hotline", 5, 15), (1, "store", 1, 1), (2, "app", 2, 1),
    (3, "sms", 1, 1), (4, "store", 99, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def graph(neo4j_endpoint: Endpoint) -> Iterator[Store]:
    """The graph above, in the real server, for a module that leaves it as it is (and wipes nothing)."""
    with Store(neo4j_endpoint) as store:
        store.wipe(schema=True)
        fill(store)
        yield store


def fill(store: Store) -> None:
    ensure(store)
    store.write_rows("MERGE (u:User {user: row.user}) SET u = row", CUSTOMERS)
    store.write_rows(
        "MERGE (h:Handset {handset: row.handset}) SET h = row",
        [{"handset": NOVA, "brand": "Nova", "model": "Nova 1"}, {"handset": RIMA, "brand": "Rima", "model": "Rima 1"}],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}), (h:Handset {handset: row.h}) "
        "CREATE (u)-[:USES_HANDSET {since: row.since, until: row.until}]->(h)",
        [{"u": user(n), "h": h, "since": since, "until": until} for n, h, since, until in HANDSETS],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (a:App {app: row.a}) CREATE (u)-[:USES_APP {sessions: 1}]->(a)",
        [{"u": user(n), "a": a} for n, a in APPS],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (p:Product {product: row.p}) "
        "CREATE (u)-[:SUBSCRIBES {since: date('2025-01-01'), until: row.until}]->(p)",
        [{"u": user(n), "p": p, "until": until} for n, p, until in PRODUCTS],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (s:Segment {segment: 's1'}) CREATE (u)-[:IN_SEGMENT]->(s)",
        [{"u": u} for u in users(1, 2, 3, 4)],
    )
    store.write_rows(
        "MATCH (a:User {user: row.a}), (b:User {user: row.b}) "
        "CREATE (a)-[:CALLS {period: row.period, "
        "calls_out: row.out, calls_in: row.in, messages_out: row.sent, messages_in: row.got}]->(b)",
        [
            {"a": user(a), "b": user(b), "period": period, "out": out, "in": back, "sent": sent, "got": got}
            for a, b, period, out, back, sent, got in CALLS
        ],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (c:Channel {channel: row.c}) SET c.name = row.name "
        "CREATE (u)-[:REACHED_BY {touches: row.touches, hours: [9, 18], last_at: row.at}]->(c)",
        [
            {"u": user(n), "c": c, "name": c.title(), "touches": touches, "at": dt.datetime(2026, 6, day)}
            for n, c, touches, day in REACHED
        ],
    )
