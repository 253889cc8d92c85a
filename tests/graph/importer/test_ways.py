"""All ways give the same graph: import, Bolt into an empty one, the difference over Bolt, an import again."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pyarrow as pa
import pytest

from graph.dumbbell import build
from graph.fill import fill as fill_graph
from graph.importer.run import import_graph
from graph.load import load_graph, write_scores
from graph.store import Store, open_store
from lake.errors import HomeHeld
from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake

Fill = Any


def everything(store: Store) -> list[str]:
    """All nodes and edges with all properties and their types, as sorted text."""
    facts = "[key IN keys({0}) | [key, valueType({0}[key]), toStringOrNull({0}[key]), {0}[key]]]"
    node = "labels({0}), " + facts
    nodes = f"MATCH (n) WHERE NOT n:Lake RETURN [{node.format('n')}] AS it"
    edges = f"MATCH (a)-[r]->(b) RETURN [{node.format('a')}, type(r), {facts.format('r')}, {node.format('b')}] AS it"
    rows = [*store.read(nodes), *store.read(edges), *store.read("MATCH (l:Lake) RETURN keys(l) AS it")]
    return sorted(json.dumps(_sorted(row["it"]), default=str) for row in rows)


def _sorted(value: Any) -> Any:
    """Lists of properties in one order: Neo4j gives them in the order of writing."""
    if not isinstance(value, list):
        return value
    items = [_sorted(item) for item in value]
    are_properties = all(isinstance(item, list) and len(item) == 4 for item in items)
    return sorted(items, key=str) if are_properties or all(isinstance(item, str) for item in items) else items


def schema(store: Store) -> set[str]:
    """Constraints and indexes, but for the names of lookups."""
    found = store.read("SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties")
    found += store.read("SHOW INDEXES YIELD name, type, state, labelsOrTypes, properties")
    return {str(sorted(row.items(), key=str)) for row in found if row["type"] != "LOOKUP"}


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
    return operator


ANSWERS = (
    "UNWIND $rows AS row MERGE (u:User {user: row.user}) MERGE (o:Offer {offer: row.offer}) "
    "SET u += row.facts CREATE (u)-[r:RESPONDED]->(o) "
    "SET r = {key: row.key, outcome: row.outcome, decision: row.decision, at: datetime('2026-06-01T09:10:00.000123Z')}"
)
ROWS: list[dict[str, Any]] = [
    {"user": 1, "offer": "o1", "key": "k1", "outcome": "shown", "decision": "d7", "facts": {}},
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
    """What the API records; a customer and an offer that the lake does not know any more among them."""
    store.write(ANSWERS, rows=[{**row, "user": str(uuid.UUID(int=row["user"]))} for row in ROWS])


@pytest.fixture
def by_bolt(full: Lake, neo4j_store: Store, own: Settings) -> Any:
    """The graph as Bolt makes it in an empty store, without and with answers of the API."""

    def graph(*, answered: bool) -> tuple[list[str], set[str]]:
        neo4j_store.wipe(schema=True)
        if answered:
            answer(neo4j_store)
        load_graph(full, neo4j_store, own)
        write_scores(full, neo4j_store)
        return everything(neo4j_store), schema(neo4j_store)

    return graph


def of_home(home: Home, settings: Settings) -> tuple[list[str], set[str]]:
    with open_store(home, settings) as store:
        return everything(store), schema(store)


def require_same(one: tuple[list[str], set[str]], other: tuple[list[str], set[str]]) -> None:
    """Neither has anything that the other has not."""
    for mine, theirs in zip(one, other, strict=True):
        assert (sorted(set(mine) - set(theirs)), sorted(set(theirs) - set(mine))) == ([], [])
        assert len(mine) == len(theirs)


def test_every_way_gives_the_same_graph(home, full, own, by_bolt, fill, small_operator, neo4j_line):
    first = fill_graph(home, full, own, line=neo4j_line)
    assert first["way"] == "import"
    found = of_home(home, own)
    require_same(found, by_bolt(answered=False))
    assert fill_graph(home, full, own)["parts"] == []
    with open_store(home, own) as store:
        assert not write_scores(full, store)
        answer(store)

    changed = [{**row, "until": "2026-06-20"} for row in small_operator["user_handsets"]]
    fill(user_handsets=changed, subscriptions=small_operator["subscriptions"][:1])
    assert fill_graph(home, full, own)["way"] == "bolt"
    expected = by_bolt(answered=True)
    require_same(of_home(home, own), expected)
    assert expected[0] != found[0]

    import_graph(home, full, own)
    require_same(of_home(home, own), expected)
    assert not list((home.neo4j / "staged").glob("*"))

    with open_store(home, own), pytest.raises(HomeHeld, match="others use the graph"):
        import_graph(home, full, own)
