"""Constraints and indexes of the graph."""

from __future__ import annotations

from graph.store import Store
from lake.errors import EngineError

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

INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "User": (
        ("churn_decile",),
        ("churn_probability",),
        ("churn_stage", "churn_probability"),
        ("churn_stage", "user"),
        ("circles_against_peers",),
        ("circles_shrinking",),
        ("city",),
        ("communities_community",),
        ("leaders_rank",),
    ),
    "Handset": (("brand",),),
}
"""What templates and lists start from, each the properties of one. Never CALLS.period: the planner takes it, and a
template of 0.3 s becomes one of 3 s."""

RESPONDED_RULES = (
    "CREATE CONSTRAINT responded_key IF NOT EXISTS FOR ()-[r:RESPONDED]-() REQUIRE r.key IS UNIQUE",
    "CREATE INDEX responded_recorded IF NOT EXISTS FOR ()-[r:RESPONDED]-() ON (r.recorded)",
)
"""What customers answer is told apart by the caller's key, and asked for by when it was recorded."""

WAIT_S = 300


def ensure(store: Store) -> None:
    """Make every constraint and index that is not there yet, and wait until they can be used.

    A server that died while it made a constraint may have left its index without it, under its name: that goes first.
    """
    try:
        _make(store)
    except EngineError:
        if not _drop_ownerless(store):
            raise
        _make(store)
    store.write("CALL db.awaitIndexes($seconds)", seconds=WAIT_S)


def _make(store: Store) -> None:
    for label, key in KEYS.items():
        store.write(f"CREATE CONSTRAINT {_name(label)} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
    for label, indexes in INDEXES.items():
        for names in indexes:
            name, properties = "_".join([label.lower(), *names]), ", ".join(f"n.{name}" for name in names)
            store.write(f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({properties})")
    for rule in RESPONDED_RULES:
        store.write(rule)


def _drop_ownerless(store: Store) -> int:
    """Drop indexes that have a constraint's name and belong to none; how many there were."""
    names = [*(_name(label) for label in KEYS), "responded_key"]
    found = store.write(
        "SHOW INDEXES YIELD name, owningConstraint WHERE owningConstraint IS NULL AND name IN $names RETURN name",
        names=names,
    )
    for row in found:
        store.write(f"DROP INDEX {row['name']} IF EXISTS")
    return len(found)


def _name(label: str) -> str:
    return f"{label.lower()}_key"
