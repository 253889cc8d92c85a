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
        "RETURN date.truncate('month', date()) AS day, point.distance(null, null) AS metres",
        "MATCH (u:User) WHERE u.use = 'USE apoc.x(' RETURN u.user /* EXPLAIN USE a.b( */ // PROFILE",
        "MATCH (profile:User) WITH profile AS explain RETURN explain.user",
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
        ("MATCH (u:User) CALL (u) { RETURN 1 AS x } IN TRANSACTIONS RETURN x", "read"),
        ("CALL { MATCH (u:User) RETURN u } IN TRANSACTIONS OF 10 ROWS RETURN u", "read"),
        ("FOREACH (x IN [1] | CREATE (:App {app: 'x'}))", "read"),
        ("MATCH (n) REMOVE n:User", "read"),
        ("CALL db.info()", "procedure db.info"),
        ("CALL db.info", "procedure db.info"),
        ("CALL tx.getMetaData()", "procedure tx.getMetaData"),
        ("CALL db.schema.visualization()", "procedure db.schema.visualization"),
        ("CALL db.labels() YIELD label CALL dbms.components() YIELD name RETURN name", "procedure dbms.components"),
        ("CALL db.createLabel('x')", "procedure db.createLabel"),
        ("CALL apoc.load.json('file:///etc/passwd')", "apoc.load.json"),
        ("RETURN apoc.text.join(['a'], 'b') AS x", "apoc.text.join"),
        ("RETURN `apoc`.text . `join` (['a'], 'b') AS x", "apoc.text.join"),
        ("RETURN db.nameFromElementId('x') AS x", "db.nameFromElementId"),
        ("SHOW FUNCTIONS", "read"),
        ("SHOW SETTINGS YIELD name RETURN name", "read"),
        ("SHOW INDEXES", "read"),
        ("SHOW DATABASES", "read"),
        ("SHOW USERS", "read"),
        ("TERMINATE TRANSACTION 'x'", "read"),
        ("ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'", "read"),
        ("DROP INDEX x IF EXISTS", "read"),
        ("USE neo4j MATCH (n) RETURN n", "USE"),
        ("CALL { USE neo4j MATCH (n) RETURN n } RETURN n", "USE"),
        ("USE system MATCH (n) RETURN n", "refuse"),
        ("PROFILE MATCH (n) RETURN n", "refuse"),
        ("EXPLAIN MATCH (n) RETURN n", "EXPLAIN"),
        ("// a comment\n explain MATCH (n) RETURN n", "EXPLAIN"),
        ("CYPHER runtime=interpreted MATCH (n) RETURN n", "CYPHER"),
        ("RETURN 1 AS n; MATCH (n) DETACH DELETE n", "statement"),
        ("RETURN '\\u0027 AS a, 1 AS b //'", "escape"),
        ("MATCH (n) S\\u0045T n.x = 1 RETURN n", "escape"),
    ],
)
def test_anything_else_is_refused(neo4j_store: Store, query: str, words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        check(neo4j_store.explain(query))
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
