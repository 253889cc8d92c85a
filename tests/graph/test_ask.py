"""Tables and graphs of an analyst's own query, against the real server."""

from __future__ import annotations

import datetime as dt

import networkx as nx
import polars as pl
import pyarrow as pa
import pytest

from graph.ask import ask
from graph.store import Store
from lake.errors import BadValue, QueryRefused

WORLD = """
CREATE (ann:User {user: 'ann', activated_on: date('2025-01-02'), star: 3}),
       (ben:User {user: 'ben'}),
       (maps:App {app: 'travel', os: ['android', 'ios']}),
       (travel:Category {category: 'travel'}),
       (ann)-[:CALLS {period: '2026-05', calls_out: 2}]->(ben),
       (ann)-[:CALLS {period: '2026-06', calls_out: 1}]->(ben),
       (ben)-[:USES_APP {first_at: datetime('2026-05-01T12:00:00+02:00'), mb: 1.5}]->(maps),
       (maps)-[:IN_CATEGORY]->(travel)
"""


@pytest.fixture
def store(neo4j_store: Store) -> Store:
    neo4j_store.write(WORLD)
    return neo4j_store


def test_columns_have_the_types_of_their_values(store: Store) -> None:
    found = ask(
        store,
        "MATCH (u:User) OPTIONAL MATCH (u)-[r:USES_APP]->(a)"
        " RETURN u.user AS user, u.activated_on AS day, u.star AS star,"
        " r.first_at AS at, r.mb AS mb, a.os AS os, a, duration('P1D') AS span, null AS nothing ORDER BY user",
    )
    assert dict(zip(found.table.column_names, found.table.schema.types, strict=True)) == {
        "user": pa.string(),
        "day": pa.date32(),
        "star": pa.int64(),
        "at": pa.timestamp("us"),
        "mb": pa.float64(),
        "os": pa.list_(pa.string()),
        "a": pa.struct([("app", pa.string()), ("os", pa.list_(pa.string()))]),
        "span": pa.string(),
        "nothing": pa.null(),
    }
    assert found.frame().select("user", "day", "star", "at", "os").rows() == [
        ("ann", dt.date(2025, 1, 2), 3, None, None),
        ("ben", None, None, dt.datetime(2026, 5, 1, 10), ["android", "ios"]),
    ]
    frame = found.pandas()
    assert str(frame.dtypes["star"]) == "int64[pyarrow]"
    assert frame["star"].tolist()[0] == 3
    assert not found.truncated


def test_parameters_travel_beside_the_query(store: Store) -> None:
    query = "MATCH (u:User) WHERE u.user IN $some RETURN u.user AS user"
    assert ask(store, query, some=["ben", "x'}) DETACH DELETE u //"]).frame().rows() == [("ben",)]


def test_no_rows_is_an_empty_table(store: Store) -> None:
    found = ask(store, "MATCH (u:User {user: 'nobody'}) RETURN u.user AS user, u.star AS star")
    assert (len(found), found.table.column_names, found.frame().shape) == (0, ["user", "star"], (0, 2))
    assert found.graph().number_of_nodes() == 0


def test_what_is_beyond_the_cap_is_said_to_be_missing(store: Store) -> None:
    query = "UNWIND range(1, 5) AS n RETURN n"
    cut, whole = ask(store, query, max_rows=4), ask(store, query, max_rows=5)
    assert (len(cut), cut.truncated, cut.graph().graph) == (4, True, {"truncated": True})
    assert repr(cut) == "<4 rows, cut off: n>"
    assert (len(whole), whole.truncated) == (5, False)
    with pytest.raises(BadValue):
        ask(store, query, max_rows=0)


def test_a_graph_has_each_node_and_edge_once_under_its_key(store: Store) -> None:
    graph = ask(store, "MATCH p = (:User)-[*1..2]->() RETURN p, nodes(p) AS again").graph()
    assert set(graph) == {"ann", "ben", "App:travel", "Category:travel"}  # the app and the category share a key
    assert graph.nodes["ann"] == {"label": "User", "user": "ann", "activated_on": dt.date(2025, 1, 2), "star": 3}
    assert sorted(data["period"] for data in graph["ann"]["ben"].values()) == ["2026-05", "2026-06"]
    assert list(graph["ben"]["App:travel"].values()) == [
        {"type": "USES_APP", "first_at": dt.datetime(2026, 5, 1, 10), "mb": 1.5}
    ]
    assert graph.number_of_edges() == 4
    assert nx.Graph(graph).number_of_edges() == 3


def test_a_key_is_an_id_where_nothing_shares_it(store: Store) -> None:
    graph = ask(store, "MATCH (a:User)-[r:USES_APP]->(b) RETURN {ends: [a, b], edge: r} AS found").graph()
    assert list(graph.edges()) == [("ben", "travel")]


def test_an_edge_without_its_ends_is_no_graph(store: Store) -> None:
    found = ask(store, "MATCH (a:User)-[r:CALLS]->() RETURN a, r")
    with pytest.raises(QueryRefused, match="RETURN p"):
        found.graph()
    assert found.frame()["r"].struct.field("calls_out").sum() == 3


def test_values_of_several_types_are_refused_by_name(store: Store) -> None:
    with pytest.raises(QueryRefused, match="column odd"):
        ask(store, "UNWIND [1, 'a'] AS odd RETURN odd").frame()


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (u:User) SET u.star = 5 RETURN u",
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "CALL dbms.listConfig() YIELD name RETURN name",
        "MATSCH (u) RETURN u",
    ],
)
def test_what_does_more_than_read_is_refused_before_it_runs(store: Store, query: str) -> None:
    with pytest.raises(QueryRefused):
        ask(store, query)
    assert ask(store, "MATCH (u:User) RETURN max(u.star) AS star").frame().rows() == [(3,)]


def test_a_frame_joins_with_the_lake(store: Store) -> None:
    moments = pl.DataFrame({"at": [dt.datetime(2026, 5, 1, 10)]}, schema={"at": pl.Datetime("us")})
    found = ask(store, "MATCH ()-[r:USES_APP]->() RETURN r.first_at AS at").frame()
    assert found.join(moments, on="at").height == 1
