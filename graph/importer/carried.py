"""What a new store must take over from the old one: answers that the API recorded, and nodes that only they need."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import neo4j.time
import pyarrow as pa
import pyarrow.compute as pc

from graph.answered import READ_S, SCHEMA, answered_in
from graph.importer.columns import LIST_DELIMITER
from graph.schema import KEYS
from graph.store import Store
from lake.errors import EngineError
from lake.pseudonyms import from_text

ANSWERS = (
    "MATCH (u:User)-[r:RESPONDED]->(i) WHERE r.feed_row IS NULL "
    "RETURN u.user AS user, labels(i)[0] AS label, properties(i) AS item, properties(r) AS facts"
)
NODES = "MATCH (n:{label}) WHERE n.{key} IN $keys RETURN properties(n) AS facts"
BATCH = 10_000

Headers = tuple[str, ...]


@dataclass
class Carried:
    """Answers and nodes as text columns, by what they look like; `answered` as `graph.answered` has it."""

    answers: dict[tuple[str, Headers], list[tuple[str | None, ...]]] = field(default_factory=lambda: defaultdict(list))
    """By the item's label and the properties' headers; a row is the user, the item's key and the properties."""
    nodes: dict[tuple[str, Headers], list[tuple[str | None, ...]]] = field(default_factory=lambda: defaultdict(list))
    """By label and headers; the key's property is the first."""
    answered: pa.Table = field(default_factory=SCHEMA.empty_table)


def read_carried(store: Store, known: dict[str, pa.Array]) -> Carried:
    """Everything to carry over; `known` are the keys that the lake has nodes for, by label (users as bytes)."""
    carried = Carried(answered=answered_in(store))
    named: dict[str, set[str]] = defaultdict(set)
    for user, label, item, facts in store.stream(ANSWERS, timeout_s=READ_S):
        key = item[KEYS[label]]
        names, row = _columns(facts)
        carried.answers[label, names].append((user, key, *row))
        named["User"].add(user)
        named[label].add(key)
    for label, keys in named.items():
        missing = _missing(sorted(keys), known[label])
        for start in range(0, len(missing), BATCH):
            query = NODES.format(label=label, key=KEYS[label])
            for row in store.stream(query, {"keys": missing[start : start + BATCH]}, READ_S):
                facts = dict(row["facts"])
                first = {KEYS[label]: facts.pop(KEYS[label])}
                names, values = _columns(first | dict(sorted(facts.items())))
                carried.nodes[label, names].append(values)
    return carried


def _missing(keys: list[str], known: pa.Array) -> list[str]:
    given = pa.array([from_text(key) for key in keys]) if pa.types.is_binary(known.type) else pa.array(keys)
    there = pc.is_in(given.cast(known.type), value_set=known).to_pylist()
    return [key for key, is_there in zip(keys, there, strict=True) if not is_there]


def table_of(rows: Iterable[tuple[str | None, ...]], width: int) -> pa.Table:
    """Rows of text as a table of `width` columns."""
    columns = list(zip(*rows, strict=True)) or [()] * width
    return pa.table([pa.array(column, pa.string()) for column in columns], names=[str(i) for i in range(width)])


def _columns(facts: dict[str, Any]) -> tuple[Headers, tuple[str | None, ...]]:
    """Headers and texts of properties, as the importer reads them."""
    typed = [(name, *_typed(name, value)) for name, value in facts.items()]
    return tuple(f"{name}:{kind}" for name, kind, _ in typed), tuple(text for _, _, text in typed)


def _typed(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, str):
        return "string", value
    if isinstance(value, int):
        return "long", str(value)
    if isinstance(value, float):
        return "double", {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
    if isinstance(value, neo4j.time.DateTime | dt.datetime):
        kind = "localdatetime" if value.tzinfo is None else "datetime{timezone:Z}"
        return kind, _iso(value)
    if isinstance(value, neo4j.time.Date | dt.date):
        return "date", _iso(value)
    if isinstance(value, list):
        kinds = {kind for kind, _ in (_typed(name, item) for item in value)} or {"string"}
        if len(kinds) == 1:
            return f"{kinds.pop()}[]", LIST_DELIMITER.join(text for _, text in (_typed(name, v) for v in value))
    raise EngineError(
        f"property {name} of the graph is of a type ({type(value).__name__}) that cannot be carried over",
        "take it away, or name the server with DUMBBELL_NEO4J_URI so that it is loaded over Bolt",
    )


def _iso(value: Any) -> str:
    return value.iso_format() if hasattr(value, "iso_format") else value.isoformat()
