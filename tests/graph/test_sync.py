"""The difference between a table and the graph: any table after any other gives what the table says."""

import datetime as dt
import uuid

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.schema import ensure
from graph.sync import Change, edge_kind, node_kind, ranges, sync
from lake.errors import EngineError

NODES = pa.schema(
    {
        "app": pa.string(),
        "n": pa.int64(),
        "x": pa.float64(),
        "on": pa.date32(),
        "at": pa.timestamp("us"),
        "tags": pa.list_(pa.string()),
        "own": pa.bool_(),
    }
)
EDGES = pa.schema([("a", pa.string()), ("b", pa.string()), ("since", pa.date32()), ("hours", pa.list_(pa.int64()))])

# what Neo4j can keep and give back: its moments know the years 1 to 9999, as Python's
days = st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
moments = st.none() | st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1))
facts = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "x": st.none() | st.floats(allow_nan=False),
        "on": days,
        "at": moments,
        "tags": st.none() | st.lists(st.text(max_size=3), max_size=3),
        "own": st.none() | st.booleans(),
    }
)
APPS = ["a", "b", "Ω 'quoted'", "{}"]
node_tables = st.dictionaries(st.sampled_from(APPS), facts).map(
    lambda rows: pa.Table.from_pylist([{"app": app, **row} for app, row in sorted(rows.items())], schema=NODES)
)
pairs = st.tuples(st.sampled_from(APPS), st.sampled_from(APPS), st.sampled_from([dt.date(2026, 1, d) for d in (1, 2)]))
edge_tables = st.dictionaries(pairs, st.none() | st.lists(st.integers(0, 23), max_size=3)).map(
    lambda rows: pa.Table.from_pylist(
        [{"a": a, "b": b, "since": since, "hours": hours} for (a, b, since), hours in sorted(rows.items())],
        schema=EDGES,
    )
)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored_nodes(store):
    rows = store.read("MATCH (n:App) RETURN properties(n) AS p ORDER BY n.app")
    return [row["p"] for row in rows]


def without_nulls(table):
    """Rows as Neo4j keeps them: no nulls, no empty lists, moments in UTC."""
    rows = [{k: v for k, v in row.items() if v is not None and v != []} for row in table.to_pylist()]
    return [{k: v.replace(tzinfo=dt.UTC) if isinstance(v, dt.datetime) else v for k, v in row.items()} for row in rows]


@few
@given(st.lists(node_tables, min_size=1, max_size=3))
def test_nodes_become_what_the_last_table_says(neo4j_store, tables):
    neo4j_store.wipe()
    kind = node_kind("App", "app", NODES)
    for table in tables:
        sync(neo4j_store, kind, table)
        assert sorted(stored_nodes(neo4j_store), key=lambda p: p["app"]) == without_nulls(table)
        assert sync(neo4j_store, kind, table) == Change()


@few
@given(st.lists(edge_tables, min_size=1, max_size=3))
def test_edges_become_what_the_last_table_says(neo4j_store, tables):
    neo4j_store.wipe()
    neo4j_store.write("UNWIND $apps AS app CREATE (:App {app: app})", apps=APPS)
    kind = edge_kind("NEAR", ("App", "app"), ("App", "app"), EDGES, identity=("since",))
    for table in tables:
        sync(neo4j_store, kind, table)
        rows = neo4j_store.read("MATCH (a:App)-[r:NEAR]->(b:App) RETURN a.app AS a, b.app AS b, properties(r) AS r")
        found = [{"a": row["a"], "b": row["b"], **row["r"]} for row in rows]
        assert sorted(found, key=lambda e: (e["a"], e["b"], e["since"])) == without_nulls(table)
        assert sync(neo4j_store, kind, table) == Change()


def test_only_the_difference_is_written(neo4j_store):
    ensure(neo4j_store)
    columns = pa.schema([("app", pa.string()), ("n", pa.int64())])
    kind = node_kind("App", "app", columns)
    before = pa.Table.from_pylist([{"app": "a", "n": 1}, {"app": "b", "n": 1}, {"app": "c"}], schema=columns)
    after = pa.Table.from_pylist([{"app": "a", "n": 1}, {"app": "b", "n": 2}, {"app": "d"}], schema=columns)
    assert sync(neo4j_store, kind, before) == Change(created=3)
    assert sync(neo4j_store, kind, after) == Change(created=1, changed=1, removed=1)


def test_edges_of_others_are_left_alone(neo4j_store):
    neo4j_store.write("CREATE (a:App {app: 'a'})-[:NEAR {mine: false}]->(a)")
    columns = pa.schema([("a", pa.string()), ("b", pa.string()), ("mine", pa.bool_())])
    kind = edge_kind("NEAR", ("App", "app"), ("App", "app"), columns, only="r.mine = $mine", parameters={"mine": True})
    sync(neo4j_store, kind, pa.Table.from_pylist([{"a": "a", "b": "a", "mine": True}], schema=columns))
    sync(neo4j_store, kind, columns.empty_table())
    assert neo4j_store.read("MATCH ()-[r:NEAR]->() RETURN r.mine AS mine") == [{"mine": False}]


def test_an_edge_without_an_end_is_an_error_that_says_so(neo4j_store):
    kind = edge_kind("NEAR", ("App", "app"), ("App", "app"), EDGES, identity=("since",))
    table = pa.Table.from_pylist([{"a": "a", "b": "b", "since": dt.date(2026, 1, 1)}], schema=EDGES)
    with pytest.raises(EngineError, match="1 of 1 NEAR could not be made"):
        sync(neo4j_store, kind, table)


@given(st.sets(st.binary(min_size=16, max_size=16), max_size=60), st.integers(0, 40))
def test_ranges_cover_every_pseudonym_once(users, there):
    table = pa.table({"user": pa.array(sorted(users), pa.binary())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graph.sync.RANGE_ROWS", 7)
        parts = list(ranges(table, there))
    assert len(parts) == max(1, -(-max(len(users), there) // 7))
    assert [user for _, _, part in parts for user in part["user"].to_pylist()] == sorted(users)
    assert parts[0][0] == ""
    assert [high for _, high, _ in parts[:-1]] == [low for low, _, _ in parts[1:]]
    for low, high, part in parts:
        assert all(low <= str(uuid.UUID(bytes=user)) < high for user in part["user"].to_pylist())


def test_a_large_kind_is_compared_range_by_range(neo4j_store, monkeypatch):
    monkeypatch.setattr("graph.sync.RANGE_ROWS", 7)
    monkeypatch.setattr("graph.sync.BATCH", 3)
    columns = pa.schema([("user", pa.binary()), ("n", pa.int64())])
    users = sorted(uuid.uuid5(uuid.NAMESPACE_OID, str(i)).bytes for i in range(40))
    first = pa.table([pa.array(users, pa.binary()), pa.array(range(40), pa.int64())], schema=columns)
    kind = node_kind("User", "user", columns)
    assert sync(neo4j_store, kind, first) == Change(created=40)
    second = pa.table([pa.array(users[5:], pa.binary()), pa.array(range(6, 41), pa.int64())], schema=columns)
    assert sync(neo4j_store, kind, second) == Change(changed=35, removed=5)
    assert sync(neo4j_store, kind, columns.empty_table()) == Change(removed=35)
