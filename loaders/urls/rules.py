"""`url_rules` compiled: hosts in a hash table, the paths of each host sorted, and what each rule stands for.

A pattern is a host, or `*.host` for the hosts below it (the host itself needs a rule of its own), with or without a
path prefix of whole segments: `shop.example/phones` holds for `/phones` and `/phones/new`, not for `/phonebook` (as
paths of cookies match, RFC 6265, 5.1.4). Of the rules that hold for an address, the exact host's come before those of
the longest wildcard, these before a shorter one's; then the longest path decides. Of patterns that mean the same, the
first in order of text counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from loaders.numbers import text_buffers
from loaders.urls.addresses import host_and_path, tidy

MEANING = ("app", "tag", "content")
SEED, PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)  # FNV-1a

Texts = tuple[np.ndarray, np.ndarray]
"""Bytes (uint8) and the n + 1 offsets of n texts in them."""


@dataclass(frozen=True)
class Rules:
    """Compiled rules.

    Group 2h holds the rules of host h itself, group 2h + 1 those of the hosts below it. Rules are sorted by group, then
    path.
    """

    hosts: Texts
    """(h,) distinct, sorted, without `*.`."""
    slots: np.ndarray
    """(a power of two,) int32: hosts by hash, -1 where free."""
    starts: np.ndarray
    """(2h + 1,) int64: the rules of each group."""
    paths: Texts
    """(r,) path of each rule, empty for a host alone."""
    longest: np.ndarray
    """(2h,) int64: bytes of each group's longest path."""
    meaning: np.ndarray
    """(r,) int32: the row of `meanings` that a rule stands for."""
    meanings: pa.Table
    """(m,) distinct `app, tag, content`, sorted."""
    same: int
    """How many patterns mean the same as another one, and do not count."""

    def __len__(self) -> int:
        return len(self.meaning)


def is_pattern(patterns: pa.Array) -> np.ndarray:
    """Which texts (n,) are patterns: a host without space or asterisk, below `*.` or not.

    >>> is_pattern(pa.array(["a.example", "*.a.example/x", "*.", "a.*.example", "*", "/x"])).tolist()
    [True, True, False, False, False, False]
    """
    host, _ = host_and_path(tidy(patterns))
    return pc.match_substring_regex(host, r"^(\*\.)?[^*\s.][^*\s]*$").fill_null(False).to_numpy(zero_copy_only=False)


def compile_rules(table: pa.Table) -> Rules:
    """Rules of the lake's `url_rules`; what is no pattern (of an older lake) is left out.

    >>> rules = compile_rules(pa.table({"pattern": ["*.a.example"], "app": ["a"], "tag": [None], "content": [None]}))
    >>> len(rules), rules.meanings["app"].to_pylist()
    (1, ['a'])
    """
    table = table.select(["pattern", *MEANING]).combine_chunks()
    table = table.filter(pa.array(is_pattern(_column(table, "pattern")), pa.bool_()))
    host, path = host_and_path(tidy(_column(table, "pattern")))
    frame = pl.DataFrame(
        {"host": pl.Series(host.to_pylist(), dtype=pl.String), "path": path.to_pylist()},
        schema_overrides={"path": pl.String},
    )
    frame = frame.with_columns(
        pl.Series("pattern", table["pattern"].to_pylist(), dtype=pl.String),
        *(pl.Series(name, table[name].to_pylist(), dtype=pl.String) for name in MEANING),
        below=pl.col("host").str.starts_with("*."),
    ).with_columns(host=pl.col("host").str.strip_prefix("*."))
    rules = frame.sort("host", "below", "path", "pattern").unique(
        ["host", "below", "path"], keep="first", maintain_order=True
    )
    meanings = rules.select(MEANING).unique().sort(MEANING).with_row_index("meaning")
    rules = rules.join(meanings, on=MEANING, how="left", nulls_equal=True, maintain_order="left")
    hosts = rules["host"].unique(maintain_order=True)
    place = rules["host"].rle_id().to_numpy().astype(np.int64) * 2 + rules["below"].to_numpy()
    starts = np.searchsorted(place, np.arange(2 * len(hosts) + 1))
    length = np.append(rules["path"].str.len_bytes().to_numpy().astype(np.int64), 0)
    longest = np.maximum.reduceat(length, np.minimum(starts[:-1], len(rules))) if len(rules) else length[:0]
    texts = text_buffers(hosts.to_arrow())
    return Rules(
        hosts=texts,
        slots=_slots(*texts, 1 << max(2 * len(hosts), 1).bit_length()),
        starts=starts,
        paths=text_buffers(rules["path"].to_arrow()),
        longest=np.where(np.diff(starts) > 0, longest, -1),
        meaning=rules["meaning"].to_numpy().astype(np.int32),
        meanings=meanings.select(MEANING).to_arrow().cast(pa.schema([(name, pa.string()) for name in MEANING])),
        same=len(frame) - len(rules),
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].cast(pa.string()).combine_chunks()


@numba.njit(cache=True)
def _slots(data: np.ndarray, offsets: np.ndarray, size: int) -> np.ndarray:
    """Texts (n,) in a table of open addressing, hashed from their last byte to the first."""
    slots = np.full(size, -1, np.int32)
    for text in range(len(offsets) - 1):
        hashed = SEED
        for at in range(offsets[text + 1] - 1, offsets[text] - 1, -1):
            hashed = (hashed ^ np.uint64(data[at])) * PRIME
        slot = np.int64(hashed & np.uint64(size - 1))
        while slots[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        slots[slot] = text
    return slots
