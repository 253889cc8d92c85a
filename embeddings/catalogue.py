"""Who and what is matched: on-net customers, apps, products and handsets as sorted columns.

Everywhere in `embeddings` a user, app, product or handset is its position in these columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.tables import Lake
from lake.use import APP_USE


@dataclass(frozen=True)
class Catalogue:
    """The nodes of the matching graph.

    `users` (n,) binary pseudonyms of on-net customers, in the order of the lake's `customers`;
    `apps` (m,), `products` (p,), `handsets` (h,) identifiers. Each is sorted and without duplicates.
    An app or product that only its use names is a node like any other.
    """

    users: pa.Array
    apps: pa.Array
    products: pa.Array
    handsets: pa.Array

    def index(self, kind: str) -> ibis.Table:
        """Ibis table `(<kind>, at)` from identifier to position; kind is user, app, product or handset."""
        ids = getattr(self, f"{kind}s")
        table = pa.table({kind: ids, f"{kind}_at": np.arange(len(ids), dtype=np.int32)})
        return ibis.memtable(table)


def read_catalogue(lake: Lake) -> Catalogue:
    """The nodes that the lake names. Raises NotReady where nothing was loaded."""
    customers = lake.read("customers", columns=["user", "off_net"])
    on_net = customers.filter(pc.invert(pc.fill_null(customers["off_net"], False)))
    return Catalogue(
        users=_sorted(on_net["user"], pa.binary()),
        apps=_named(lake, "app", ["apps", *APP_USE]),
        products=_named(lake, "product", ["products", "subscriptions", "offers"]),
        handsets=_named(lake, "handset", ["handsets", "user_handsets"]),
    )


def _named(lake: Lake, column: str, tables: list[str]) -> pa.Array:
    found = [
        lake.scan(t).select(column).distinct().to_pyarrow()[column].cast(pa.string()) for t in tables if lake.has(t)
    ]
    chunks = [chunk for column_ in found for chunk in column_.chunks]
    return _sorted(pa.chunked_array(chunks, pa.string()), pa.string())


def _sorted(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    unique = pc.unique(pc.drop_null(column.cast(kind)))
    return unique.take(pc.sort_indices(unique))


def user_bytes(users: pa.Array) -> np.ndarray:
    """Binary pseudonyms as an array (n, 16) of uint8."""
    if not len(users):
        return np.zeros((0, 16), np.uint8)
    fixed = users.cast(pa.binary(16))
    packed = fixed.buffers()[1]
    return np.frombuffer(packed, np.uint8).reshape(-1, 16)[fixed.offset : fixed.offset + len(fixed)]
