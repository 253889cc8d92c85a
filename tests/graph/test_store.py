"""The store against a real server: rows, access, limits, errors."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from graph.store import Store
from lake.errors import EngineError, QueryRefused, QueryTooHeavy


def test_a_write_is_read_back_as_plain_values(neo4j_store: Store) -> None:
    at = dt.datetime(2026, 5, 1, 12, 30)
    neo4j_store.write("MERGE (u:User {user: $user}) SET u += $facts", user="u1", facts={"at": at, "day": at.date()})
    assert neo4j_store.read("MATCH (u:User) RETURN u.user AS user, u.at AS at, u.day AS day, u AS node") == [
        {"user": "u1", "at": at, "day": at.date(), "node": {"user": "u1", "at": at, "day": at.date()}}
    ]


def test_a_path_is_read_as_its_steps(neo4j_store: Store) -> None:
    neo4j_store.write("MERGE (:A {n: 1})-[:R {w: 2}]->(:B {n: 3})")
    assert neo4j_store.read("MATCH p = (:A)-->(:B) RETURN p") == [{"p": [{"n": 1}, {"w": 2}, {"n": 3}]}]


def test_table_rows_arrive_with_pseudonyms_as_text(neo4j_store: Store) -> None:
    users = pa.array([bytes(15) + bytes([i]) for i in range(25)] + [None], pa.binary())
    table = pa.table({"user": users, "age": pa.array(range(26), pa.int64())})
    query = "MERGE (u:User {n: row.age}) SET u.user = row.user"
    assert neo4j_store.write_rows(query, table, batch=10, progress="users") == 26
    assert neo4j_store.write_rows(query, table, batch=7) == 26  # again: nothing new
    rows = neo4j_store.read("MATCH (u:User) RETURN u.n AS n, u.user AS user ORDER BY n")
    assert [row["n"] for row in rows] == list(range(26))
    assert rows[17]["user"] == "00000000-0000-0000-0000-000000000011"
    assert rows[25]["user"] is None


def test_rows_may_come_from_a_generator(neo4j_store: Store) -> None:
    rows = ({"app": f"a{i}"} for i in range(5))
    query = "UNWIND $rows AS row MERGE (:App {app: row.app, of: $of})"
    assert neo4j_store.write_rows(query, rows, batch=2, of="x") == 5
    assert neo4j_store.read("MATCH (a:App {of: 'x'}) RETURN count(a) AS n") == [{"n": 5}]


@pytest.mark.parametrize(
    "query", ["CREATE (:X)", "MATCH (n) DELETE n", "CREATE CONSTRAINT FOR (x:X) REQUIRE x.x IS UNIQUE"]
)
def test_reading_refuses_to_write(neo4j_store: Store, query: str) -> None:
    with pytest.raises(QueryRefused):
        neo4j_store.read(query)
    with pytest.raises(QueryRefused):
        list(neo4j_store.stream(query))
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_what_is_no_cypher_is_refused(neo4j_store: Store) -> None:
    with pytest.raises(QueryRefused, match="Invalid input"):
        neo4j_store.read("MATSCH (n) RETURN n")
    with pytest.raises(QueryRefused):
        neo4j_store.explain("MATCH (n) RETURN m")


def test_a_query_ends_at_its_time_limit(neo4j_store: Store) -> None:
    slow = "UNWIND range(1, 100000000) AS a UNWIND range(1, 100000) AS b WITH a * b AS c WHERE c < 0 RETURN count(c)"
    with pytest.raises(QueryTooHeavy, match="time"):
        neo4j_store.read(slow, timeout_s=0.3)


def test_a_query_ends_at_its_memory_limit(neo4j_store: Store) -> None:
    with pytest.raises(QueryTooHeavy, match="memory"):
        neo4j_store.read("UNWIND range(1, 100000000) AS a RETURN collect(toString(a)) AS all", timeout_s=60)


def test_a_stream_has_columns_and_a_row_limit(neo4j_store: Store) -> None:
    stream = neo4j_store.stream("UNWIND range(1, $n) AS i RETURN i, i * 2 AS twice", {"n": 3}, max_rows=3)
    assert stream.columns == ["i", "twice"]
    assert [tuple(record) for record in stream] == [(1, 2), (2, 4), (3, 6)]
    seen = []
    with pytest.raises(QueryTooHeavy, match="more than 2 rows"):
        seen.extend(record["i"] for record in neo4j_store.stream("UNWIND range(1, 9) AS i RETURN i", max_rows=2))


def test_a_stream_given_up_half_way_leaves_the_store_usable(neo4j_store: Store) -> None:
    with neo4j_store.stream("UNWIND range(1, 1000000) AS i RETURN i") as stream:
        assert next(iter(stream))["i"] == 1
    assert neo4j_store.read("RETURN 1 AS one") == [{"one": 1}]


def test_a_plan_tells_type_and_operators(neo4j_store: Store) -> None:
    plan = neo4j_store.explain("MATCH (n:User {user: $user}) RETURN n.user")
    assert plan.query_type == "r"
    assert plan.operators[0]["operatorType"].startswith("ProduceResults")
    assert neo4j_store.explain("MERGE (n:User {user: 1})").query_type == "w"
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_a_broken_constraint_is_an_engine_error(neo4j_store: Store) -> None:
    neo4j_store.write("CREATE CONSTRAINT app FOR (a:App) REQUIRE a.app IS UNIQUE")
    neo4j_store.write("CREATE (:App {app: 'a'})")
    with pytest.raises(EngineError, match="ConstraintValidationFailed"):
        neo4j_store.write("CREATE (:App {app: 'a'})")


@pytest.mark.parametrize(
    "query",
    [
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "LOAD CSV FROM 'http://127.0.0.1:9/x.csv' AS line RETURN line",
        "LOAD CSV FROM 'ftp://127.0.0.1:9/x.csv' AS line RETURN line",
    ],
)
def test_no_query_reads_files_or_addresses(neo4j_store: Store, query: str) -> None:
    with pytest.raises((QueryRefused, EngineError), match=r"(?i)blocked|is false"):
        neo4j_store.read(query)


def test_wiping_leaves_no_schema(neo4j_store: Store) -> None:
    neo4j_store.write("CREATE CONSTRAINT app FOR (a:App) REQUIRE a.app IS UNIQUE")
    neo4j_store.write("CREATE INDEX city FOR (u:User) ON (u.city)")
    neo4j_store.write("CREATE (:App {app: 'a'})-[:R]->(:User)")
    neo4j_store.wipe()
    assert neo4j_store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
    assert len(neo4j_store.write("SHOW CONSTRAINTS YIELD name")) == 1
    neo4j_store.wipe(schema=True)
    assert neo4j_store.write("SHOW CONSTRAINTS YIELD name") == []
    assert neo4j_store.write("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name") == []
