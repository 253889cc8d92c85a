"""All ways give the same graph: import, Bolt into an empty one, the difference over Bolt, an import again."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa
import pytest

from graph.dumbbell import build
from graph.fill import filled
from graph.load import load_graph, write_scores
from graph.store import Store
from lake.settings import Settings
from lake.tables import Lake
from tests.graph.importer.whole import Whole, require_same, whole_of

Fill = Any
ODD = " lead, \"quoted\"; 'n'\nnext\ttab\\ 100% \u001e"


@pytest.fixture
def full(operator: Lake, fill: Fill, small_operator: dict[str, list[Any]], own: Settings) -> Lake:
    """The small operator with every trap of CSV, and scores."""
    apps = [
        *small_operator["apps"],
        {"app": "odd", "name": ODD, "category": "", "os": ["a;b", 'c"d'], "own": True},
        {"app": "é", "name": "12", "category": "NaN"},
    ]
    cells = [*small_operator["cells"], {"cell": "c0", "lat": -1e-7, "lon": 0.1 + 0.2}]
    fill(apps=apps, cells=cells)
    build(operator, own)
    users = [n.to_bytes(16, "big") for n in (1, 2)]
    score = {"user": users, "rank": [2, 1], "score": [0.1, float("inf")], "core": [None, 3]}
    operator.write("leaders", pa.table(score))
    reasons = [[{"feature": ODD, "contribution": 1e-7, "words": "é; 12"}] * 2, []]
    churn = {"user": users, "period": ["2026-06"] * 2, "probability": [0.1, None], "stage": ["circle", "left"]}
    operator.write("churn", pa.table({**churn, "reasons": reasons}))
    scored = {"user": users, "model": ["fake", "data_pack"], "period": ["2026-06"] * 2, "probability": [0.5, 1.0]}
    operator.write("scores", pa.table({**scored, "decile": [1, 2], "reasons": reasons}))
    same = {"user": users[1:], "candidate": users[:1], "score": [0.9], "rank": [1]}
    operator.write("returning", pa.table(same))
    return operator


ANSWERS = (
    "UNWIND $rows AS row MERGE (u:User {user: row.user}) MERGE (o:Offer {offer: row.offer}) "
    "SET u += row.facts CREATE (u)-[r:RESPONDED]->(o) "
    "SET r = {key: row.key, outcome: row.outcome, decision: row.decision, at: datetime('2026-06-01T09:10:00.000123Z')}"
)
ROWS: list[dict[str, Any]] = [
    {"user": 1, "offer": "o1", "key": "k1", "outcome": "shown", "decision": "d1", "facts": {}},
    {"user": 2, "offer": "o9", "key": "k2", "outcome": "accepted", "decision": None, "facts": {}},
    {
        "user": 99,
        "offer": "gone",
        "key": "k3",
        "outcome": ODD,
        "decision": "d9",
        "facts": {"off_net": True, "x": [1, 2]},
    },
]


def answer(store: Store) -> None:
    """What the API records: an answer that the feed has too; a customer and an offer that the lake does not know."""
    store.write(ANSWERS, rows=[{**row, "user": str(uuid.UUID(int=row["user"]))} for row in ROWS])


@pytest.fixture
def by_bolt(full: Lake, neo4j_store: Store, own: Settings) -> Any:
    """The graph as Bolt makes it in an empty store, without and with answers of the API."""

    def graph(*, answered: bool) -> Whole:
        neo4j_store.wipe(schema=True)
        if answered:
            answer(neo4j_store)
        load_graph(full, neo4j_store, own)
        write_scores(full, neo4j_store)
        return whole_of(neo4j_store)

    return graph


def test_every_way_gives_the_same_graph(home, full, own, by_bolt, fill, small_operator, neo4j_line, monkeypatch):
    with filled(home, full, own, line=neo4j_line) as (store, facts):
        assert facts["way"] == "import"
        found = whole_of(store)
        require_same(found, by_bolt(answered=False))
        assert not write_scores(full, store)

        answer(store)
        again = load_graph(full, store, own)
        assert (again["parts"], again["removed"]) == ([], 1)  # the feed's, of the answer that the API has too
        assert load_graph(full, store, own)["removed"] == 0

        changed = [{**row, "until": "2026-06-20"} for row in small_operator["user_handsets"]]
        fill(user_handsets=changed, subscriptions=small_operator["subscriptions"][:1])
        with filled(home, full, own) as (_, facts):
            assert facts["way"] == "bolt"
        expected = by_bolt(answered=True)
        require_same(whole_of(store), expected)
        assert expected[0] != found[0]

    monkeypatch.setattr("graph.fill.IMPORT_S", float("-inf"))
    with filled(home, full, own) as (store, facts):
        assert facts["way"] == "import"
        require_same(whole_of(store), expected)
        assert load_graph(full, store, own)["parts"] == []
    assert not list((home.neo4j / "staged").glob("*"))
