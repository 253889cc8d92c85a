"""A graph of nine customers, small enough to know every answer by hand. Seen from 2026-07-01.

city               Berlin; u6 Hamburg
handset            nova-1; u3 until January, then a rima-1
consent            not u4
left               u5 by status; u7 will leave next year
off-net            u8
a machine          u9
apps               maps u1 u2 u4 u5; chat u1 u2 u3; music u2 u6
products           plan-a u1 (and u4 u5 u9); data-x u2, formerly u6 and u7; nobody holds ghost
segments           s1: u1 u2 u3 u4 u9, s2: u6
calls              u1-u2 (two periods, 6), u2-u3 (4), u2-u4 (9), u1-u6 (1), u3-u6 (2), u2-u8 (2), u1-u5 (5), u2-u9 (1)

u4, u5, u8 and u9 are there to be left out: they have whatever a list asks for.
"""

import datetime as dt
import uuid
from typing import Any

from graph.schema import ensure
from graph.store import Store

TODAY = dt.date(2026, 7, 1)


def user(n: int) -> str:
    return str(uuid.UUID(int=n))


def users(*numbers: int) -> list[str]:
    return [user(n) for n in numbers]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _customer(n: int, **more: Any) -> dict[str, Any]:
    common = {"off_net": False, "consent": True, "kind": "person", "no_contact": False, "city": "Berlin"}
    return {"user": user(n), **common, **more}


TROUBLE: dict[str, Any] = {
    "contract_until": day("2026-07-02"), "bill_month": "2026-06", "bill_mb": 5000.0, "bill_complaints": 9,
}  # fmt: skip
MODELS = ("handset_change", "data_pack", "suppressed", "fake")
SCORED: dict[str, Any] = {
    "churn_stage": "decision", "churn_probability": 0.99, "churn_decile": 1,
    **{f"scores_{model}": 0.99 for model in MODELS}, **{f"scores_{model}_decile": 1 for model in MODELS},
}  # fmt: skip
TROUBLE |= SCORED
CUSTOMERS = [
    _customer(
        1, arpu=30.0, circles_shrinking=False, circles_p_value=0.01, circles_strength_lost=0.5, circles_contacts=3,
        circles_lost=2, circles_against_self=0.6, circles_against_peers=0.5, communities_community="c1",
        leaders_rank=2, leaders_community_rank=1, leaders_score=0.8, leaders_reach=40, leaders_adoptions_led=3,
        gender="f", contract_until=day("2026-07-15"), bill_month="2026-06", bill_mb=2000.0, bill_fee=20.0,
        bill_complaints=0, bill_dropped_calls=12,
        churn_stage="circle", churn_probability=0.4, churn_decile=1, churn_reasons_words=["the bill: 20"],
        scores_data_pack=0.6, scores_data_pack_decile=1, scores_data_pack_reasons=["hardly calls"],
        scores_handset_change=0.2, scores_handset_change_decile=2, scores_suppressed=0.7, scores_suppressed_decile=1,
    ),
    _customer(
        2, arpu=20.0, circles_shrinking=True, circles_p_value=0.001, circles_strength_lost=0.4, circles_contacts=4,
        circles_lost=5, circles_against_peers=0.8, communities_community="c1",
        leaders_rank=3, leaders_community_rank=2, leaders_score=0.7,
        leaders_evidence=0.02, gender="m", contract_until=day("2026-08-15"), bill_month="2026-06", bill_mb=100.0,
        bill_complaints=2, bill_dropped_calls=1, churn_stage="decision",
        scores_handset_change=0.3, scores_handset_change_decile=1, scores_fake=0.1, scores_fake_decile=1,
    ),
    _customer(
        3, arpu=50.0, circles_shrinking=False, circles_p_value=0.06, communities_community="c2", leaders_rank=1,
        leaders_community_rank=1, contract_until=day("2026-06-01"),
        churn_stage="stable", churn_probability=0.1, churn_decile=2,
    ),
    _customer(
        4, arpu=40.0, consent=False, circles_shrinking=True, circles_p_value=0.0001, communities_community="c1",
        leaders_rank=4, leaders_community_rank=3, **TROUBLE,
    ),
    _customer(
        5, arpu=10.0, status="left", left_on=day("2026-05-31"), circles_shrinking=True, circles_p_value=0.02, **TROUBLE,
    ),
    _customer(
        6, arpu=60.0, city="Hamburg", circles_p_value=0.01, circles_against_peers=0.6, contract_until=day("2027-01-01"),
    ),
    _customer(7, left_on=day("2027-01-01")),
    _customer(8, off_net=True, city=None),
    _customer(
        9, kind="machine", circles_shrinking=True, circles_strength_lost=1.0, communities_community="c1",
        leaders_rank=5, leaders_community_rank=4, **TROUBLE,
    ),
]  # fmt: skip

NOVA, RIMA = "35000001", "35000002"
D = dt.date
HANDSETS = [
    (1, NOVA, D(2025, 1, 1), None), (2, NOVA, D(2025, 1, 1), None), (3, NOVA, D(2025, 1, 1), D(2026, 1, 31)),
    (3, RIMA, D(2026, 1, 31), None), (4, NOVA, D(2025, 1, 1), None), (5, NOVA, D(2025, 1, 1), None),
    (6, NOVA, D(2025, 1, 1), None), (7, NOVA, D(2025, 1, 1), D(2027, 1, 1)), (7, RIMA, D(2024, 1, 1), None),
    (9, NOVA, D(2025, 1, 1), None),
]  # fmt: skip
APPS = [
    (1, "maps", 12, "2026-06-20"), (2, "maps", 1, "2026-01-01"), (4, "maps", 99, "2026-06-20"),
    (5, "maps", 99, "2026-06-20"), (1, "chat", 1, "2026-06-25"), (2, "chat", 1, "2026-06-10"),
    (3, "chat", 1, "2025-01-01"), (2, "music", 1, "2026-01-01"), (6, "music", 1, "2026-06-15"),
]  # fmt: skip
CATEGORIES = {"maps": "travel", "chat": "social", "music": "media"}
PRODUCTS = [
    (1, "plan-a", None), (4, "plan-a", None), (5, "plan-a", None), (9, "plan-a", None),
    (2, "data-x", None), (6, "data-x", D(2026, 3, 1)), (7, "data-x", D(2026, 5, 1)),
]  # fmt: skip
CALLS = [
    (1, 2, "2026-05", 3, 1, 0, 0), (1, 2, "2026-06", 0, 0, 2, 0), (2, 3, "2026-06", 4, 0, 0, 0),
    (2, 4, "2026-06", 9, 0, 0, 0), (1, 6, "2026-06", 1, 0, 0, 0), (3, 6, "2026-06", 0, 2, 0, 0),
    (2, 8, "2026-06", 0, 2, 0, 0), (1, 5, "2026-05", 5, 0, 0, 0), (2, 9, "2026-06", 1, 0, 0, 0),
]  # fmt: skip
REACHED = [
    (1, "app", 10, 20), (1, "sms", 5, 10), (1, "hotline", 5, 15), (1, "store", 1, 1), (2, "app", 2, 1),
    (3, "sms", 1, 1), (4, "store", 99, 1),
]  # fmt: skip


ANSWERS = [
    (1, "sms", "accepted", "2026-06-10"), (2, "sms", "refused", "2026-06-11"), (3, "app", "ignored", "2026-06-11"),
    (3, "app", "shown", "2026-06-12"), (4, "sms", "accepted", "2026-06-12"), (5, "sms", "accepted", "2026-06-12"),
    (6, "app", "refused", "2025-01-01"), (9, "sms", "accepted", "2026-06-12"),
]  # fmt: skip
TAGS = [
    (1, "football", 5, 2.0, "2026-06-10"), (1, "cooking", 1, 0.5, "2026-06-20"), (3, "cooking", 2, 1.0, "2026-06-05"),
    (4, "football", 99, 1.0, "2026-06-30"), (9, "football", 99, 1.0, "2026-06-30"),
]  # fmt: skip
FITS = [
    ("s1", "Category", "travel", 0.6, 1.5, "app"), ("s1", "Category", "social", 0.8, 1.1, "app"),
    ("s2", "Category", "travel", 0.2, 0.5, "sms"), ("s1", "Product", "data-x", 0.5, 1.3, "app"),
]  # fmt: skip
PLACES = [(1, "RESTS_NEAR", "c-1"), (2, "WORKS_NEAR", "c-1"), (3, "RESTS_NEAR", "c-2"), (4, "RESTS_NEAR", "c-1"),
          (9, "RESTS_NEAR", "c-1")]  # fmt: skip
PERSONS = [(1, 101), (2, 101), (4, 101), (9, 101), (3, 102)]
SAME = [(5, 1, 0.9), (7, 1, 0.8), (4, 1, 0.95), (5, 8, 0.85)]


def fill(store: Store) -> None:
    ensure(store)
    store.write_rows("MERGE (u:User {user: row.user}) SET u = row", CUSTOMERS)
    store.write_rows(
        "MERGE (h:Handset {handset: row.handset}) SET h = row",
        [
            {"handset": NOVA, "brand": "Nova", "model": "Nova 1", "os": "NovaOS", "network": "4g"},
            {"handset": RIMA, "brand": "Rima", "model": "Rima 1", "os": "RimaOS", "network": "5g"},
        ],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}), (h:Handset {handset: row.h}) "
        "CREATE (u)-[:USES_HANDSET {since: row.since, until: row.until}]->(h)",
        [{"u": user(n), "h": h, "since": since, "until": until} for n, h, since, until in HANDSETS],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (a:App {app: row.a}) SET a.name = row.name "
        "MERGE (c:Category {category: row.c}) MERGE (a)-[:IN_CATEGORY]->(c) "
        "CREATE (u)-[:USES_APP {sessions: row.sessions, first_at: row.at, last_at: row.at}]->(a)",
        [
            {"u": user(n), "a": a, "name": a.title(), "c": CATEGORIES[a], "sessions": sessions, "at": moment(at)}
            for n, a, sessions, at in APPS
        ],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (p:Product {product: row.p}) "
        "CREATE (u)-[:SUBSCRIBES {since: date('2025-01-01'), until: row.until}]->(p)",
        [{"u": user(n), "p": p, "until": until} for n, p, until in PRODUCTS],
    )
    store.write("MATCH (p:Product {product: 'plan-a'}) SET p.name = 'Plan A', p.kind = 'plan', p.mb = 1000.0 "
                "MERGE (ghost:Product {product: 'ghost'}) CREATE (p)-[:EXCLUDES]->(ghost)")  # fmt: skip
    store.write("MATCH (p:Product {product: 'data-x'}) SET p.name = 'Data X', p.kind = 'data_pack' "
                "MERGE (o:Offer {offer: 'o1'}) SET o.title = 'More data' CREATE (o)-[:OF]->(p)")  # fmt: skip
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (s:Segment {segment: row.s}) CREATE (u)-[:IN_SEGMENT]->(s)",
        [{"u": user(n), "s": "s2" if n == 6 else "s1"} for n in (1, 2, 3, 4, 6, 9)],
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
    store.write("MATCH (c:Channel {channel: 'sms'}) SET c.daily_capacity = 2")
    store.write("MATCH (c:Channel {channel: 'app'}) SET c.daily_capacity = 10")
    store.write_rows(
        "MATCH (u:User {user: row.u}), (o:Offer {offer: 'o1'}) CREATE (u)-[r:RESPONDED]->(o) "
        "SET r.channel = row.channel, r.outcome = row.outcome, r.at = row.at, r.decision = row.decision",
        [
            {"u": user(n), "channel": channel, "outcome": outcome, "at": moment(at), "decision": f"d{n}"}
            for n, channel, outcome, at in ANSWERS
        ],
    )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (t:Tag {tag: row.t}) "
        "CREATE (u)-[:TAGGED {visits: row.visits, mb: row.mb, first_at: row.at, last_at: row.at}]->(t)",
        [{"u": user(n), "t": t, "visits": visits, "mb": mb, "at": moment(at)} for n, t, visits, mb, at in TAGS],
    )
    for label in ("Category", "Product"):
        store.write_rows(
            f"MATCH (s:Segment {{segment: row.s}}), (i:{label} {{{label.lower()}: row.i}}) "
            "CREATE (s)-[:FITS {score: row.score, lift: row.lift, channel: row.channel}]->(i)",
            [
                {"s": s, "i": i, "score": score, "lift": lift, "channel": channel}
                for s, kind, i, score, lift, channel in FITS
                if kind == label
            ],
        )
    store.write("MERGE (:Cell {cell: 'c-3'}) MERGE (s:Store {store: 'st1'}) WITH s "
                "UNWIND [['c-1', 500], ['c-2', 5000]] AS row "
                "MERGE (c:Cell {cell: row[0]}) SET c.lat = 52.5 "
                "CREATE (c)-[:NEAREST {metres: row[1]}]->(s)")  # fmt: skip
    for kind in ("RESTS_NEAR", "WORKS_NEAR"):
        store.write_rows(
            f"MATCH (u:User {{user: row.u}}), (c:Cell {{cell: row.c}}) CREATE (u)-[:{kind}]->(c)",
            [{"u": user(n), "c": cell} for n, where, cell in PLACES if where == kind],
        )
    store.write_rows(
        "MATCH (u:User {user: row.u}) MERGE (p:Person {person: row.p}) CREATE (u)-[:HELD_BY]->(p)",
        [{"u": user(n), "p": user(person)} for n, person in PERSONS],
    )
    store.write_rows(
        "MATCH (a:User {user: row.a}), (b:User {user: row.b}) CREATE (a)-[:SAME_AS {score: row.score}]->(b)",
        [{"a": user(a), "b": user(b), "score": score} for a, b, score in SAME],
    )
