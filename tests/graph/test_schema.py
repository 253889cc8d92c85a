"""Constraints and indexes: one key a label, made once, none that misleads the planner."""

import pytest

from graph.schema import INDEXES, KEYS, ensure
from lake.errors import EngineError


@pytest.fixture
def ready(neo4j_store):
    ensure(neo4j_store)
    return neo4j_store


def test_every_label_has_one_key(ready):
    rows = ready.read("SHOW CONSTRAINTS YIELD labelsOrTypes, properties, type")
    found = {(row["labelsOrTypes"][0], row["properties"][0]) for row in rows}
    assert found == {*KEYS.items(), ("RESPONDED", "key")}
    assert all("UNIQUE" in row["type"] for row in rows)


def test_indexes_are_those_named_and_can_be_used(ready):
    rows = ready.read(
        "SHOW INDEXES YIELD labelsOrTypes, properties, state, owningConstraint, entityType, type "
        "WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN *"
    )
    of_nodes = {(label, names) for label, indexes in INDEXES.items() for names in indexes}
    found = {(row["labelsOrTypes"][0], tuple(row["properties"])) for row in rows}
    assert found == {*of_nodes, ("RESPONDED", ("recorded",))}  # none on CALLS.period
    assert {row["state"] for row in rows} == {"ONLINE"}


def test_a_second_time_changes_nothing(ready):
    before = ready.read("SHOW INDEXES YIELD id, name RETURN id, name ORDER BY id")
    ensure(ready)
    assert ready.read("SHOW INDEXES YIELD id, name RETURN id, name ORDER BY id") == before


def test_a_second_node_with_a_key_is_refused(ready):
    ready.write("CREATE (:App {app: $app})", app="maps")
    with pytest.raises(EngineError):
        ready.write("CREATE (:App {app: $app})", app="maps")


def test_the_index_of_a_constraint_that_was_never_made_gives_way(neo4j_store):
    """What is left where the server died while it made the constraint."""
    neo4j_store.write("CREATE INDEX user_key FOR (n:User) ON (n.user)")
    ensure(neo4j_store)
    rows = neo4j_store.read("SHOW INDEXES YIELD name, owningConstraint WHERE name = 'user_key' RETURN owningConstraint")
    assert rows == [{"owningConstraint": "user_key"}]
