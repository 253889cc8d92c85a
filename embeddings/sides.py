"""What else the lake's graph holds beside use, holdings, handsets and calls: categories, offers, segments, answers.

The trained scorer does not listen to these: a category is one of an item's attributes already, segments are made
from the use that is to be predicted, and answers have a model of their own. They complete the `HeteroData`, for whoever
wants to learn from the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.catalogue import Catalogue
from embeddings.graph import Edges
from embeddings.offers import read_answers
from lake.tables import Lake


@dataclass(frozen=True)
class Sides:
    """`nodes`: identifiers by kind (category, offer, segment), sorted; `edges` by (from, called, to), positions of
    `from` as users, of `to` as items."""

    nodes: dict[str, pa.Array]
    edges: dict[tuple[str, str, str], Edges]


def read_sides(lake: Lake, nodes: Catalogue) -> Sides:
    """Categories of apps and products, products of offers, segments of users, and offers shown to users.

    An edge of an offer shown is as strong as it was shown often, one of an offer accepted as it was accepted often.
    """
    kinds = {kind: _names(lake, kind) for kind in ("category", "offer", "segment")}
    index = {kind: _index(kind, names) for kind, names in kinds.items()}
    index |= {kind: nodes.index(kind) for kind in ("user", "app", "product")}
    size = {kind: len(names) for kind, names in kinds.items()}
    size |= {kind: len(getattr(nodes, f"{kind}s")) for kind in ("user", "app", "product")}
    found: dict[tuple[str, str, str], ibis.Table] = {}
    if lake.has("categories"):
        known = lake.scan("categories")
        for kind in ("app", "product"):
            chosen = known.filter(known.item_kind == kind)
            found[kind, "in_category", "category"] = chosen.select("category", **{kind: chosen.item})
    if lake.has("offers"):
        found["offer", "of", "product"] = lake.scan("offers").select("offer", "product")
    if lake.has("segments"):
        found["user", "in_segment", "segment"] = lake.scan("segments").select("user", "segment")
    answers = read_answers(lake)
    if answers is not None:
        found["user", "was_shown", "offer"] = answers.select("user", "offer")
        found["user", "accepted", "offer"] = answers.filter(answers.accepted).select("user", "offer")
    edges = {}
    for (one, name, other), pairs in found.items():
        pairs = pairs.inner_join(index[one], one).inner_join(index[other], other)
        counted = pairs.group_by([f"{one}_at", f"{other}_at"]).aggregate(strength=ibis._.count())
        table = counted.order_by([f"{one}_at", f"{other}_at"]).to_pyarrow()
        left, right = (table[f"{kind}_at"].to_numpy().astype(np.int32) for kind in (one, other))
        none = np.full(len(left), -1, np.int32)
        strength = table["strength"].to_numpy().astype(np.float32)
        edges[one, name, other] = Edges(left, right, strength, none, none, (size[one], size[other]))
    return Sides(kinds, edges)


def _names(lake: Lake, kind: str) -> pa.Array:
    table = "categories" if kind == "category" else f"{kind}s"
    if not lake.has(table):
        return pa.array([], pa.string())
    names = pc.unique(pc.drop_null(lake.scan(table).select(kind).distinct().to_pyarrow()[kind].cast(pa.string())))
    return names.take(pc.sort_indices(names))


def _index(kind: str, names: pa.Array) -> ibis.Table:
    return ibis.memtable(pa.table({kind: names, f"{kind}_at": np.arange(len(names), dtype=np.int32)}))
