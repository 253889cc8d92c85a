"""Rules that bind several columns of a row, and values when absent that other columns decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.urls.rules import is_pattern

Values = dict[str, pa.Array]
"""A batch in the lake's columns, (n,) each."""

Broken = tuple[np.ndarray, str, str]
"""Which rows (n,) bool, the column to name, and the reason."""


@dataclass(frozen=True)
class Rule:
    """One rule of a feed: the rows that break it are quarantined for `column`, with the reason."""

    feed: str
    column: str
    reason: str
    broken: Callable[[Values], np.ndarray]


RULES = (
    Rule(
        "users",
        "activated_on",
        "is empty, but an account needs it",
        lambda values: _null(values["activated_on"]) & ~_null(values["account"]),
    ),
    Rule(
        "url_rules",
        "pattern",
        "is no host, *.host, or host with a path",
        lambda values: ~_null(values["pattern"]) & ~is_pattern(values["pattern"]),
    ),
    Rule(
        "url_rules",
        "app",
        "is empty, and so are tag and content",
        lambda values: _null(values["app"]) & _null(values["tag"]) & _null(values["content"]),
    ),
)


def broken_rows(feed: str, values: Values) -> list[Broken]:
    """Rows that break a rule of their feed."""
    return [(rule.broken(values), rule.column, rule.reason) for rule in RULES if rule.feed == feed]


def fill_defaults(feed: str, values: Values) -> None:
    """Values when absent that depend on other columns, in place."""
    if feed == "calls":
        seconds = values["seconds"].fill_null(0)
        values["seconds"] = pc.max_element_wise(seconds, pa.scalar(0, pa.int64()))
        message = pc.equal(values["kind"], "message")
        told = pc.or_(message, pc.greater(values["seconds"], 0))
        values["answered"] = pc.coalesce(values["answered"], told)


def _null(column: pa.Array) -> np.ndarray:
    return pc.is_null(column).to_numpy(zero_copy_only=False)
