"""What a plan may hold, asked of the real planner."""

import pytest

from graph.guard import check
from graph.store import Store
from lake.errors import QueryRefused


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (u:User {user: $user})-[:CALLS]-(v) RETURN v.user ORDER BY v.user LIMIT 3",
        "CALL db.labels() YIELD label RETURN label",
    ],
)
def test_reading_passes(neo4j_store: Store, query: str) -> None:
    check(neo4j_store.explain(query))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("CREATE (n:User {user: 'x'}) RETURN n", "read"),
        ("MATCH (n) SET n.x = 1 RETURN n", "read"),
        ("MATCH (n) DETACH DELETE n", "read"),
        ("MERGE (n:App {app: 'x'}) RETURN n", "read"),
        ("CREATE INDEX some_index FOR (n:User) ON (n.x)", "read"),
        ("SHOW TRANSACTIONS", "read"),
        ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", "LOAD CSV"),
        ("CALL dbms.listConfig() YIELD name RETURN name", "procedure dbms.listConfig"),
        ("MATCH (u:User) CALL (u) { SET u.x = 1 } IN TRANSACTIONS RETURN count(u)", "read"),
    ],
)
def test_anything_else_is_refused(neo4j_store: Store, query: str, words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        check(neo4j_store.explain(query))
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
