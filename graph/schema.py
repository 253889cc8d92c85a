"""Constraints and indexes of the graph."""

from __future__ import annotations

from graph.store import Store

KEYS = {
    "User": "user",
    "Handset": "handset",
    "App": "app",
    "Product": "product",
    "Offer": "offer",
    "Channel": "channel",
    "Segment": "segment",
    "Category": "category",
    "Tag": "tag",
    "Question": "question",
    "Answer": "answer",
    "Cell": "cell",
    "Store": "store",
    "Person": "person",
}
"""Each label's key: unique, indexed text."""

INDEXES = {
    "User": ("city", "circles_against_peers", "circles_shrinking", "communities_community", "leaders_rank"),
    "Handset": ("brand",),
}
"""What templates start from. Never CALLS.period: the planner takes it, and a template of 0.3 s becomes one of 3 s."""

WAIT_S = 300


def ensure(store: Store) -> None:
    """Make every constraint and index that is not there yet, and wait until they can be used."""
    for label, key in KEYS.items():
        store.write(f"CREATE CONSTRAINT {label.lower()}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
    for label, names in INDEXES.items():
        for name in names:
            store.write(f"CREATE INDEX {label.lower()}_{name} IF NOT EXISTS FOR (n:{label}) ON (n.{name})")
    store.write("CALL db.awaitIndexes($seconds)", seconds=WAIT_S)
