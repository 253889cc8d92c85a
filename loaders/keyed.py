"""Keyed feeds: later rows replace earlier ones with the same key."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from loaders import accounts
from loaders.feeds import Feed


@dataclass
class Keyed:
    """A keyed feed's table while its files are laid over it, in order (load, path, line).

    In a row that replaces, a column that its file lacks keeps the old value, and an empty cell
    clears it. Rows of `users` are kept by number and account (`loaders.accounts`).
    """

    feed: Feed
    before: pa.Table | None
    _state: pl.DataFrame = field(init=False)
    _rows: list[pa.Table] = field(default_factory=list)
    _columns: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._key = accounts.KEY if self.feed.name == "users" else self.feed.key
        self._state = _frame(self.before if self.before is not None else self.feed.schema.empty_table())

    def add(self, rows: pa.Table, columns: frozenset[str]) -> None:
        """Rows of one file (lake schema), and the lake names of the columns that the file has."""
        if columns != self._columns:
            self._fold()
            self._columns = columns
        self._rows.append(rows)

    def _fold(self) -> None:
        if not self._rows:
            return
        rows = _frame(pa.concat_tables(self._rows))
        self._rows = []
        if self.feed.name != "users":
            self._lay(_last(rows, self._key))
            return
        for part in accounts.rounds(rows):
            part, self._state = accounts.known(part, self._state)
            self._lay(part)

    def _lay(self, rows: pl.DataFrame) -> None:
        absent = [name for name in self.feed.schema.names if name not in {*self._columns, *self._key}]
        if absent and self._state.height:
            kept = self._state.select(self._key + absent)
            rows = rows.drop(absent).join(kept, on=self._key, how="left", nulls_equal=True, maintain_order="left")
        both = pl.concat([self._state, rows.select(self._state.columns)])
        self._state = accounts.standing(both) if self.feed.name == "users" else _last(both, self._key)

    def result(self) -> tuple[pa.Table, int, int]:
        """The table sorted by key, how many of its rows changed, and how many of those replaced a row."""
        self._fold()
        table = self._state.sort(self._key)
        before = _frame(self.before) if self.before is not None else self._state.clear()
        unchanged = _equal_rows(before, table, self._key) if before.height else 0
        taken = table.height - unchanged
        arrow = table.to_arrow().cast(self.feed.schema).combine_chunks()
        return arrow, taken, taken - (table.height - before.height)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table was expected")
    return frame


def _last(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return rows.unique(subset=key, keep="last", maintain_order=True)


def _equal_rows(before: pl.DataFrame, after: pl.DataFrame, key: list[str]) -> int:
    others = [name for name in before.columns if name not in key]
    both = before.join(after, on=key, how="inner", suffix="_after", nulls_equal=True)
    if not others:
        return both.height
    same = [pl.col(name).eq_missing(pl.col(f"{name}_after")) for name in others]
    return int(both.select(pl.all_horizontal(same).sum()).item() or 0)
