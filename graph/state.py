"""What the graph was last filled with: one `(:Lake {id: 'lake'})` node with a fingerprint a part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from graph.store import Store

ID = "lake"


def read_state(store: Store) -> dict[str, str]:
    """Fingerprint of each part in the graph, "" for one that may not be whole; {} for a graph that was never filled."""
    rows = store.read("MATCH (l:Lake {id: $id}) RETURN properties(l) AS facts", id=ID)
    return {name: value for row in rows for name, value in row["facts"].items() if name not in ("id", "fingerprint")}


def open_parts(store: Store, parts: list[str]) -> None:
    """Say that parts are about to be written: a load killed from now on is repeated for them."""
    _set(store, dict.fromkeys(parts, ""))


def forget_part(store: Store, part: str) -> None:
    """Say that nothing of a part is in the graph any more."""
    _set(store, {part: None})


def keep_part(store: Store, part: str, fingerprint: str) -> None:
    """Say that a part is whole again."""
    _set(store, {part: fingerprint})


def seal(store: Store) -> str:
    """Write the fingerprint of all parts together, and return it."""
    whole = whole_of(read_state(store))
    _set(store, {"fingerprint": whole})
    return whole


def whole_of(state: Mapping[str, str]) -> str:
    """The fingerprint of all parts together."""
    return hashlib.sha256(json.dumps(dict(state), sort_keys=True).encode()).hexdigest()[:16]


def _set(store: Store, facts: Mapping[str, str | None]) -> None:
    store.write("MERGE (l:Lake {id: $id}) SET l += $facts", id=ID, facts=facts)
