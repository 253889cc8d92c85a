"""Why this item: one sentence to say, filled as columns for many customers; for one, `matching.telling` fills it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matching.evidence import CATEGORY, CONTACTS, HANDSET, NOTHING, SEGMENT, UNUSED, Found
from matching.state import Kind, MatchState

SENTENCES: dict[tuple[str, int], str] = {
    ("app", CONTACTS): "{x} of the {y} people you call most use {name}",
    ("app", CATEGORY): "you use {other} and other {category} apps {lift} times as much as most customers do",
    ("app", HANDSET): "{x} of {y} customers with your handset, {handset}, use {name}",
    ("app", SEGMENT): "customers like you use {fits} {lift} times as often as others do",
    ("app", NOTHING): "{share} % of all customers use {name}",
    ("app", UNUSED): "{name} is new: no customer uses it yet",
    ("offer", CONTACTS): "{x} of the {y} people you call most have {name}",
    ("offer", CATEGORY): "you have {other}, which goes with {name}",
    ("offer", HANDSET): "{x} of {y} customers with your handset, {handset}, have {name}",
    ("offer", SEGMENT): "customers like you have {fits} {lift} times as often as others do",
    ("offer", NOTHING): "{share} % of all customers have {name}",
    ("offer", UNUSED): "{name} is new: no customer has it yet",
}
"""One sentence for each kind of item and evidence; `fits` is the category, or the item where FITS leads to it."""
_FIELD = re.compile(r"\{(\w+)\}")


def sentences(state: MatchState, kind: Kind, users: np.ndarray, items: np.ndarray, found: Found) -> pa.Array:
    """The sentence of each (customer, item), both flat (r,) with `found` likewise; null for item -1.

    An offer's own reason comes first, followed by the evidence where there is any.
    """
    ties = state.app_ties if kind == "app" else state.product_ties
    thing = items if kind == "app" else np.append(state.offers.product, -1)[items]
    names = state.apps.names if kind == "app" else state.products.names
    tenths = np.rint(found.lift.astype(np.float64) * 10).astype(np.int64)
    share = np.rint(ties.share[thing].astype(np.float64) * 1000).astype(np.int64) if len(ties.share) else thing * 0

    def text(column: str, at: np.ndarray) -> pa.Array:
        match column:
            case "x" | "y":
                return pa.array(getattr(found, column)[at]).cast(pa.string())
            case "lift":
                return _tenths(tenths[at])
            case "share":
                return _tenths(share[at])
            case "name":
                return names.take(_some(thing[at]))
            case "other":
                return names.take(_some(found.other[at]))
            case "category":
                return pc.replace_substring(state.categories.take(_some(ties.category[thing[at]])), "_", " ")
            case "handset":
                return state.handsets.names.take(_some(ties.handset[users[at]]))
            case _:  # fits
                through = pa.array(ties.fit_category[ties.segment[users[at]], thing[at]])
                category = text("category", at)
                return pc.if_else(through, category, names.take(_some(thing[at])))

    where, parts = [], []
    for (of, evidence), template in SENTENCES.items():
        at = np.flatnonzero((found.kind == evidence) & (items >= 0)) if of == kind else np.array([], np.int64)
        if len(at):
            pieces: list[Any] = []
            for i, piece in enumerate(_FIELD.split(template)):
                pieces.append(text(piece, at) if i % 2 else pa.scalar(piece))
            where.append(at)
            parts.append(pc.binary_join_element_wise(*pieces, pa.scalar("")))
    out = _scattered(where, parts, len(items))
    if kind == "offer" and len(items):
        own = state.offers.reasons.take(_some(items))
        bare = pc.utf8_rtrim(own, " .;")
        evident = pa.array((found.kind != NOTHING) & (found.kind != UNUSED))
        both = pc.binary_join_element_wise(bare, out, "; ")
        out = pc.if_else(pc.is_null(own), out, pc.if_else(evident, both, own))
    return out


def flat(found: Found, places: tuple[np.ndarray, np.ndarray] | None = None) -> Found:
    """The same evidence as flat arrays: of all pairs, or of those at `places` (rows, columns)."""
    arrays = (found.kind, found.x, found.y, found.other, found.lift)
    return Found(*(each.ravel() if places is None else each[places] for each in arrays))


def _tenths(values: np.ndarray) -> pa.Array:
    """Whole tenths as text with one decimal: 25 is 2.5."""
    whole, tenth = pa.array(values // 10).cast(pa.string()), pa.array(values % 10).cast(pa.string())
    return pc.binary_join_element_wise(whole, tenth, ".")


def _some(row: np.ndarray) -> pa.Array:
    return pa.array(row, mask=row < 0)


def _scattered(where: list[np.ndarray], parts: list[pa.Array], length: int) -> pa.Array:
    """Texts put at their places, null elsewhere."""
    if not where:
        return pa.nulls(length, pa.string())
    place = np.full(length, -1, np.int64)
    place[np.concatenate(where)] = np.arange(sum(len(w) for w in where))
    return pa.concat_arrays([p.combine_chunks() if isinstance(p, pa.ChunkedArray) else p for p in parts]).take(
        _some(place)
    )
