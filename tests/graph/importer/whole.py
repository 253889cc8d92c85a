"""A whole graph as text, to compare two of them: nodes, edges, properties with their types, constraints, indexes."""

from __future__ import annotations

import json
from typing import Any

from graph.store import Store

Whole = tuple[list[str], set[str]]


def whole_of(store: Store) -> Whole:
    """Everything in it, and its schema."""
    return everything(store), schema(store)


def require_same(one: Whole, other: Whole) -> None:
    """Neither has anything that the other has not."""
    for mine, theirs in zip(one, other, strict=True):
        assert (sorted(set(mine) - set(theirs)), sorted(set(theirs) - set(mine))) == ([], [])
        assert len(mine) == len(theirs)


def everything(store: Store) -> list[str]:
    """All nodes and edges with all properties and their types, as sorted text; of the state the names of the parts."""
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
