"""What is said of a customer nobody knows: the share of users of each item, overall and within segments."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.catalogue import Catalogue
from embeddings.graph import Edges
from lake.tables import Lake

WEIGHT = 50.0
"""Users that the overall share counts for when a segment's own is estimated."""
EVERYBODY = "all"


@dataclass(frozen=True)
class Segments:
    """`names` (s,) sorted, and each user's segment `of` (n,) int32, -1 for none."""

    names: pa.Array
    of: np.ndarray


def read_segments(lake: Lake, nodes: Catalogue) -> Segments:
    """The lake's segments; one segment, `all`, of everybody where the lake has none. Of several, the first by name."""
    n = len(nodes.users)
    if not lake.has("segments"):
        return Segments(pa.array([EVERYBODY]), np.zeros(n, np.int32))
    table = lake.scan("segments").inner_join(nodes.index("user"), "user")
    each = table.group_by("user_at").aggregate(segment=ibis._.segment.min()).order_by("user_at").to_pyarrow()
    if not each.num_rows:
        return Segments(pa.array([EVERYBODY]), np.zeros(n, np.int32))
    named = each["segment"].cast(pa.string())
    names = pc.unique(named)
    names = names.take(pc.sort_indices(names))
    of = np.full(n, -1, np.int32)
    of[each["user_at"].to_numpy()] = pc.index_in(named, value_set=names).to_numpy()
    return Segments(names, of)


def popularity(edges: Edges) -> np.ndarray:
    """Share of users (m,) float32 who use each item, of the users who use any; zeros where nobody does."""
    users, items = edges.degrees()
    return (items / max(1, int((users > 0).sum()))).astype(np.float32)


def segment_shares(edges: Edges, segments: Segments) -> np.ndarray:
    """Smoothed share (s, m) float32 of each segment's users who use each item.

    share(s, i) = (users of i in s + w · overall share of i) / (active users in s + w), w = `WEIGHT`.
    """
    s, m = len(segments.names), edges.shape[1]
    code = segments.of[edges.users]
    inside = code >= 0
    counts = np.bincount(code[inside].astype(np.int64) * m + edges.items[inside], minlength=s * m).reshape(s, m)
    active = segments.of[np.flatnonzero(edges.degrees()[0] > 0)]
    sizes = np.bincount(active[active >= 0], minlength=s)
    return ((counts + WEIGHT * popularity(edges)) / (sizes[:, None] + WEIGHT)).astype(np.float32)
