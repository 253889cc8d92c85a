"""Rules that bind several columns of a row, and what a `calls` party may be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Broken = tuple[np.ndarray, str, str]
"""Which rows (n,) bool, the column to name, and the reason."""


def broken_rows(feed: str, values: dict[str, pa.Array]) -> list[Broken]:
    """Rows that break a rule of their feed; `values` are the lake's columns, (n,) each."""
    if feed == "users":
        missing = _null(values["activated_on"]) & ~_null(values["account"])
        return [(missing, "activated_on", "is empty, but an account needs it")]
    if feed == "url_rules":
        nothing = _null(values["app"]) & _null(values["tag"]) & _null(values["content"])
        return [(nothing, "app", "is empty, and so are tag and content")]
    return []


def fill_defaults(feed: str, values: dict[str, pa.Array]) -> None:
    """Values when absent that depend on other columns, in place."""
    if feed == "calls":
        seconds = values["seconds"].fill_null(0)
        values["seconds"] = pc.max_element_wise(seconds, pa.scalar(0, pa.int64()))
        message = pc.equal(values["kind"], "message")
        told = pc.or_(message, pc.greater(values["seconds"], 0))
        values["answered"] = pc.coalesce(values["answered"], told)


def _null(column: pa.Array) -> np.ndarray:
    return pc.is_null(column).to_numpy(zero_copy_only=False)
