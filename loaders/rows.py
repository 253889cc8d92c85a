"""A batch of raw rows to the lake's columns: good rows, quarantined rows, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders import rules, typed, values
from loaders.batches import RawBatch
from loaders.feeds import CALL_PARTIES, Feed
from loaders.folder import FeedFile
from loaders.values import Rules

QUARANTINE = pa.schema(
    [
        ("feed", pa.string()),
        ("file", pa.string()),
        ("row_group", pa.int32()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("value_class", pa.string()),
        ("reason", pa.string()),
    ]
)
"""One row a quarantined row. `line` is the line it starts on; in Parquet the row in `row_group`, from 1."""


@dataclass
class Checked:
    """What a batch came to. `table` has the lake's schema; every read row is in one of the counts or in it."""

    table: pa.Table
    bad: pa.Table
    values_dropped: int = 0
    withheld: int = 0


@dataclass
class _Bad:
    """Bad rows of a batch while it is judged: the first complaint about a row is the one that is kept."""

    batch: RawBatch
    feed: str
    file: str
    rows: np.ndarray = field(init=False)
    parts: list[pa.Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = np.zeros(len(self.batch), bool)

    def add(self, mask: np.ndarray, column: str, reason: str, text: pa.Array | None) -> None:
        new = mask & ~self.rows
        if not new.any():
            return
        self.rows |= new
        where = np.flatnonzero(new)
        classes = value_class(text.take(pa.array(where))) if text is not None else None
        self.parts.append(self._table(self.batch.lines[where], column, classes, reason))

    def broken(self) -> None:
        for lines, reason in self.batch.broken:
            self.parts.append(self._table(lines, None, None, reason))

    def _table(self, lines: np.ndarray, column: str | None, classes: pa.Array | None, reason: str) -> pa.Table:
        rows = len(lines)
        group = self.batch.row_group
        columns = [
            pa.repeat(self.feed, rows),
            pa.repeat(self.file, rows),
            pa.nulls(rows, pa.int32()) if group is None else pa.repeat(pa.scalar(group, pa.int32()), rows),
            pa.array(lines, pa.int64()),
            pa.nulls(rows, pa.string()) if column is None else pa.repeat(column, rows),
            pa.nulls(rows, pa.string()) if classes is None else classes,
            pa.repeat(reason, rows),
        ]
        return pa.table(columns, schema=QUARANTINE)

    def table(self) -> pa.Table:
        """In the order of the lines: each row has one complaint."""
        return pa.concat_tables(self.parts).sort_by("line") if self.parts else QUARANTINE.empty_table()


def check(feed: Feed, file: FeedFile, batch: RawBatch, how: Rules) -> Checked:
    """Judge every value of a batch.

    A row with a missing or bad required value, or that breaks a rule of its feed, is quarantined;
    a bad optional value becomes null and is counted; a call with an alphanumeric or withheld party
    is counted as withheld and left out.
    """
    rows = len(batch)
    bad = _Bad(batch, feed.name, file.name)
    bad.broken()
    lake: dict[str, pa.Array] = {}
    withheld = np.zeros(rows, bool)
    dropped: list[np.ndarray] = []
    for column in feed.columns:
        name = column.lake_name
        if column.name not in batch.columns:
            lake[name] = pa.nulls(rows, column.arrow)
            if feed.event and column.default is not None:
                lake[name] = lake[name].fill_null(column.default)
            continue
        raw = typed.as_text(batch.columns[column.name], f"{file.name}, column {column.name}")
        text = raw if column.type == "number" else pc.utf8_trim_whitespace(raw)
        parsed = values.parse(column, text, how)
        code, empty = parsed.code, ~values.given(text)
        if feed.name == "calls" and column.name in CALL_PARTIES:
            nobody = empty | (code == 1) | (code == 3) | (parsed.code == 0) & _is_null(parsed.values)
            withheld |= nobody
            code = np.where(nobody, 0, code)
            empty = np.zeros(rows, bool)
        elif column.type == "number":
            empty = (parsed.code == 0) & _is_null(parsed.values)
        if column.required:
            bad.add(empty, column.name, "is empty", text)
        if column.required or column.type == "condition":
            for number, reason in enumerate(parsed.reasons, start=1):
                bad.add(code == number, column.name, reason, text)
        elif code.any():
            dropped.append(code > 0)
        lake[name] = parsed.values
        if feed.event and column.default is not None:
            lake[name] = lake[name].fill_null(column.default)
        lake.update(parsed.extra)
    rules.fill_defaults(feed.name, lake)
    for mask, name, reason in rules.broken_rows(feed.name, lake):
        bad.add(mask, name, reason, None)
    if file.month is not None:
        days = lake["day"].cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
        months = days.astype("datetime64[D]").astype("datetime64[M]")
        elsewhere = months != np.datetime64(file.month, "M")
        bad.add(elsewhere & ~withheld, "at", "is in another month than the file is named for", None)
    withheld &= ~bad.rows
    keep = ~(bad.rows | withheld)
    table = pa.table([lake[f.name] for f in feed.schema], schema=feed.schema)
    if not keep.all():
        table = table.filter(pa.array(keep))
    lost = sum(int((mask & keep).sum()) for mask in dropped)
    return Checked(table, bad.table(), lost, int(withheld.sum()))


_SIGNS = ("letters", "digits", "other signs")
_KINDS = pa.array([" and ".join(s for i, s in enumerate(_SIGNS) if kind >> i & 1) for kind in range(8)])


def value_class(text: pa.Array) -> pa.Array:
    """What a value is made of and how long it is, never the value.

    >>> value_class(pa.array(["49151x", "", "12345"])).to_pylist()
    ['letters and digits, length 6', 'empty', 'digits, length 5']
    """
    length = pc.utf8_length(text)
    made_of = sum(
        pc.match_substring_regex(text, sign).cast(pa.int8()).to_numpy(zero_copy_only=False) << place
        for place, sign in enumerate((r"\pL", r"[0-9]", r"[^0-9\pL]"))
    )
    kinds = _KINDS.take(pa.array(made_of))
    told = pc.binary_join_element_wise(kinds, ", length ", length.cast(pa.string()), "")
    return pc.if_else(pc.equal(length, 0), "empty", told)


def _is_null(column: pa.Array) -> np.ndarray:
    return pc.is_null(column).to_numpy(zero_copy_only=False)
