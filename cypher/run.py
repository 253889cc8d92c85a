"""Run a template: plan checked, READ access, a time limit, a row cap, rows streamed and typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from cypher.catalogue import Template
from graph.guard import check
from graph.store import Store, Stream
from lake.errors import QueryRefused

MAX_ROWS = 1_000_000
TIMEOUT_S = 30.0

Row = tuple[Any, ...]

_checked: WeakKeyDictionary[Store, set[str]] = WeakKeyDictionary()


class Result:
    """Rows of a template, read as they are asked for; close it, or leave the block, when done.

    `columns` are the names of the template's; a row is a tuple in their order; `truncated` is true once the row
    cap cut the answer off, `taken` counts the rows read so far.
    """

    def __init__(self, template: Template, records: Stream, max_rows: int) -> None:
        self.template = template
        self.columns = tuple(column.name for column in template.columns)
        self.truncated = False
        self.taken = 0
        self._records = records
        self._max_rows = max_rows
        self.rows: Iterator[Row] = self._read()

    def _read(self) -> Iterator[Row]:
        plain = [_PLAIN.get(column.type, _same) for column in self.template.columns]
        for record in self._records:
            if self.taken == self._max_rows:
                self.truncated = True
                self.close()
                return
            self.taken += 1
            yield tuple(turn(value) for turn, value in zip(plain, record.values(), strict=True))

    def begin(self) -> Result:
        """Wait for the first row, so that what can go wrong by then is raised here; nothing is lost."""
        first = list(islice(self.rows, 1))
        self.rows = chain(first, self.rows)
        return self

    def close(self) -> None:
        """Let go of the query; rows not read yet are gone."""
        self._records.close()

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
    if template.cypher not in seen:
        check(store.explain(template.cypher))
        seen.add(template.cypher)
    records = store.stream(template.cypher, dict(parameters), timeout_s=timeout_s, max_rows=max_rows + 1)
    if records.columns != [column.name for column in template.columns]:
        records.close()
        raise QueryRefused(
            f"template {template.name} returns {', '.join(records.columns)}",
            f"it declares {', '.join(column.name for column in template.columns)}: mend its front matter",
        )
    return Result(template, records, max_rows)


def _same(value: Any) -> Any:
    return value


def _day(value: Any) -> dt.date | None:
    return value.to_native() if hasattr(value, "to_native") else value


def _moment(value: Any) -> dt.datetime | None:
    native = value.to_native() if hasattr(value, "to_native") else value
    return native.astimezone(dt.UTC).replace(tzinfo=None) if native is not None and native.tzinfo else native


_PLAIN: dict[str, Callable[[Any], Any]] = {"date": _day, "moment": _moment}
