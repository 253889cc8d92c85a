"""What is known of nodes beside their edges: attributes and words of titles as small integer codes.

Every attribute value ("city=Jena", "arpu in its third tenth") and every word that several titles share is one code of a
shared vocabulary, so a node is a short row of codes and needs no wide one-hot row. Code 0 stands for an unknown value.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.catalogue import Catalogue
from embeddings.text import encode_titles
from lake.tables import Lake

USER_VALUES = ("kind", "gender", "income_band", "city", "brand", "star", "sim")
USER_AMOUNTS = ("birth_year", "arpu")
ITEM_VALUES = {
    "app": ("category", "subcategory", "publisher", "own"),
    "product": ("kind", "needs_network"),
    "handset": ("brand", "os", "network"),
}
ITEM_AMOUNTS = {"app": ("price",), "product": ("monthly_fee", "mb", "minutes"), "handset": ("price", "screen_inches")}
TITLES = {"app": "name", "product": "name"}
BINS = 10
MOST_VALUES = 1000
"""Of a column with more distinct values than this, the rarer ones count as unknown."""


@dataclass(frozen=True)
class Features:
    """Codes of each kind of node, `codes["user"]` (n, f) int32 and so on, below `size` (0 is 'unknown')."""

    codes: dict[str, np.ndarray]
    size: int


def read_features(lake: Lake, nodes: Catalogue) -> Features:
    """Attributes of users, apps, products and handsets; columns that the lake does not have are left out."""
    next_code = 1
    codes: dict[str, np.ndarray] = {}
    for kind in ("user", "app", "product", "handset"):
        table = "customers" if kind == "user" else f"{kind}s"
        values = USER_VALUES if kind == "user" else ITEM_VALUES[kind]
        amounts = USER_AMOUNTS if kind == "user" else ITEM_AMOUNTS[kind]
        size = len(getattr(nodes, f"{kind}s"))
        columns = []
        if lake.has(table):
            known = lake.scan(table)
            present = [c for c in (*values, *amounts) if c in known.columns]
            titled = [c for c in known.columns if c == TITLES.get(kind)]
            rows = (
                known.select(kind, *present, *titled)
                .inner_join(nodes.index(kind), kind)
                .order_by(f"{kind}_at")
                .to_pyarrow()
            )
            at = rows[f"{kind}_at"].to_numpy()
            for name in present:
                column = encode_amount(rows[name]) if name in amounts else encode_value(rows[name])
                full = np.zeros(size, np.int32)
                full[at] = np.where(column >= 0, column + next_code, 0)
                next_code += int(column.max(initial=-1)) + 1
                columns.append(full)
            for name in titled:
                words, found = encode_titles(rows[name].to_pylist())
                for column in words.T[words.max(axis=0, initial=-1) >= 0]:
                    full = np.zeros(size, np.int32)
                    full[at] = np.where(column >= 0, column + next_code, 0)
                    columns.append(full)
                next_code += found
        codes[kind] = np.stack(columns, axis=1) if columns else np.zeros((size, 0), np.int32)
    return Features(codes, next_code)


def encode_value(column: pa.ChunkedArray) -> np.ndarray:
    """Codes (r,) of a column's values from 0 in order of the values; -1 for null and for values too rare to keep.

    >>> encode_value(pa.chunked_array([["b", None, "a", "b"]])).tolist()
    [1, -1, 0, 1]
    """
    text = column.cast(pa.string())
    counts = pc.value_counts(pc.drop_null(text)).flatten()
    order = pa.table({"value": counts[0], "count": counts[1]}).sort_by(
        [("count", "descending"), ("value", "ascending")]
    )
    kept = order["value"].slice(0, MOST_VALUES).combine_chunks()
    kept = kept.take(pc.sort_indices(kept))
    return pc.fill_null(pc.index_in(text, value_set=kept), -1).to_numpy().astype(np.int32)


def encode_amount(column: pa.ChunkedArray) -> np.ndarray:
    """Codes (r,) from 0 by tenths of a numeric column's distribution; -1 for null and for what is not a number.

    >>> encode_amount(pa.chunked_array([[10.0, None, 30.0, 20.0]])).tolist()
    [0, -1, 2, 1]
    """
    values = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
    good = np.isfinite(values)
    if not good.any():
        return np.full(len(values), -1, np.int32)
    edges = np.unique(np.quantile(values[good], np.arange(1, BINS) / BINS))
    codes = np.unique(np.searchsorted(edges, values[good], side="left"), return_inverse=True)[1]
    full = np.full(len(values), -1, np.int32)
    full[good] = codes
    return full


def current_handsets(lake: Lake, nodes: Catalogue) -> np.ndarray:
    """Position (n,) int32 of the handset that each user took last; -1 where none is known."""
    found = np.full(len(nodes.users), -1, np.int32)
    if lake.has("user_handsets"):
        held = lake.scan("user_handsets").inner_join(nodes.index("user"), "user")
        held = held.inner_join(nodes.index("handset"), "handset")
        last = ibis.struct({"since": held.since, "handset_at": held.handset_at}).max()
        each = held.group_by("user_at").aggregate(last=last)
        table = each.select("user_at", handset_at=each["last"]["handset_at"]).to_pyarrow()
        found[table["user_at"].to_numpy()] = table["handset_at"].to_numpy()
    return found
