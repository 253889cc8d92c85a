"""Run a template: plan checked, READ access, a time limit, a row cap, rows streamed and typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from cypher.catalogue import Template
from cypher.guard import check
from cypher.header import Column
from graph.store import Store
from lake.errors import QueryRefused

MAX_ROWS = 1_000_000
TIMEOUT_S = 30.0

Row = tuple[Any, ...]

_checked: WeakKeyDictionary[Store, set[str]] = WeakKeyDictionary()


class Result:
    """Rows of a template, read as they are asked for; close it, or leave the block, when done.

    `columns` are the template's; a row is a tuple in their order; `truncated` is true once the row
    cap cut the answer off.
    """

    def __init__(self, template: Template, records: Iterator[Mapping[str, Any]], max_rows: int) -> None:
        self.template = template
        self.columns: tuple[Column, ...] = template.columns
        self.truncated = False
        self._records = records
        self._max_rows = max_rows
        self.rows: Iterator[Row] = self._read()

    def _read(self) -> Iterator[Row]:
        names = [column.name for column in self.columns]
        plain = [_PLAIN.get(column.type, _same) for column in self.columns]
        for taken, record in enumerate(self._records):
            if taken == 0 and list(record.keys()) != names:
                raise QueryRefused(
                    f"template {self.template.name} returns other columns than it declares",
                    f"it should return {', '.join(names)}",
                )
            if taken == self._max_rows:
                self.truncated = True
                self.close()
                return
            yield tuple(turn(value) for turn, value in zip(plain, record.values(), strict=True))

    def close(self) -> None:
        """Let go of the query; rows not read yet are gone."""
        close = getattr(self._records, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Result:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def run(
    store: Store,
    template: Template,
    parameters: Mapping[str, Any],
    *,
    max_rows: int = MAX_ROWS,
    timeout_s: float = TIMEOUT_S,
) -> Result:
    """Start the template's query with typed parameters (`cypher.parameters`) and stream its rows.

    Raises QueryRefused where its plan does more than read, EngineUnavailable where the server is
    away, QueryTooHeavy where it runs past `timeout_s` (also while rows are read).
    """
    seen = _checked.setdefault(store, set())
    if template.query not in seen:
        check(store.explain(template.query))
        seen.add(template.query)
    records = store.stream(template.query, dict(parameters), timeout_s=timeout_s, max_rows=max_rows + 1)
    return Result(template, records, max_rows)


def _same(value: Any) -> Any:
    return value


def _day(value: Any) -> dt.date | None:
    return value.to_native() if hasattr(value, "to_native") else value


def _moment(value: Any) -> dt.datetime | None:
    native = value.to_native() if hasattr(value, "to_native") else value
    return native.astimezone(dt.UTC).replace(tzinfo=None) if native is not None and native.tzinfo else native


_PLAIN: dict[str, Callable[[Any], Any]] = {"date": _day, "moment": _moment}
