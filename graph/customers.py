"""Customers renamed or taken out in a server that is not the product's own, over Bolt.

The product's own store is made afresh instead: its files and transaction logs would keep what was there.
"""

from __future__ import annotations

import pyarrow as pa

from graph.store import Store

RENAME = "MATCH (n:{label} {{{key}: row.old}}) SET n.{key} = row.new"
REMOVE = "MATCH (n:User {user: row.user}) DETACH DELETE n"
LABELS = {"User": "user", "Person": "person"}


def rename(store: Store, old: pa.Array, new: pa.Array) -> None:
    """Give the nodes with the pseudonyms `old` those of `new` (same order). Safe to repeat: old ones are not found."""
    table = pa.table({"old": old, "new": new})
    for label, key in LABELS.items():
        store.write_rows(RENAME.format(label=label, key=key), table)


def remove(store: Store, users: pa.Array) -> None:
    """Take customers out with all their edges."""
    store.write_rows(REMOVE, pa.table({"user": users}))
