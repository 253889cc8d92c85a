"""The graph store: one driver, queries in, plain rows out, errors of the product's own tree."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import neo4j
import pyarrow as pa
from neo4j.exceptions import AuthError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from graph.engine.server import Endpoint, running
from graph.rows import plain, rows_of
from lake.errors import DumbbellError, EngineError, EnginePassword, EngineUnavailable, QueryRefused, QueryTooHeavy
from lake.home import Home
from lake.progress import track
from lake.settings import Settings

T = TypeVar("T")
Row = dict[str, Any]
RETRIES = 6
"""After 0.05 s, then twice as long each time: 1.6 s in all."""
READ_TIMEOUT_S = 30.0
BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Plan:
    """What `query` would do: `query_type` is r, rw, w or s (schema); `root` the tree of operators as Neo4j gives it."""

    query: str
    query_type: str
    root: Mapping[str, Any]

    @property
    def operators(self) -> list[Mapping[str, Any]]:
        """All operators, the root first."""
        found = [self.root]
        for operator in found:
            found.extend(operator.get("children", ()))
        return found


class Store:
    """Queries against one server; safe to share between threads.

    A query that the server gave up for a passing reason (a deadlock, a restart) runs again, so what
    writes should be repeatable: MERGE, not CREATE. When the home's own server has died, it is brought back.
    """

    def __init__(self, endpoint: Endpoint, *, retries: int = RETRIES) -> None:
        self.endpoint = endpoint
        self._retries = retries
        self._reviving = threading.Lock()
        self._driver = _driver(endpoint)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._driver.close()

    def write(self, query: str, /, *, timeout_s: float | None = None, **params: Any) -> list[Row]:
        """Run one query that may write; its rows, if any. Values travel in `params` only.

        `store.write("MERGE (a:App {app: $app}) RETURN a.app AS app", app="a1")` gives `[{'app': 'a1'}]`.
        """
        return self._run(query, params, timeout_s, neo4j.WRITE_ACCESS)

    def read(self, query: str, /, *, timeout_s: float = READ_TIMEOUT_S, **params: Any) -> list[Row]:
        """Run one query that only reads; the server refuses any write in it.

        Raises QueryRefused (a write, or no valid Cypher) and QueryTooHeavy (past `timeout_s` or the memory limit).
        """
        return self._run(query, params, timeout_s, neo4j.READ_ACCESS)

    def write_rows(
        self, query: str, rows: pa.Table | Iterable[Row], batch: int = BATCH_ROWS, progress: str = "", **params: Any
    ) -> int:
        """Run a query once a row, `batch` rows a transaction; returns the number of rows.

        The query sees each row as `row`: `UNWIND $rows AS row` is put in front unless it is there. From a
        table, binary columns arrive as the 36 characters of a pseudonym. `progress` labels a bar.
        """
        if not query.lstrip().upper().startswith("UNWIND"):
            query = f"UNWIND $rows AS row\n{query}"
        batches: Iterable[list[Row]]
        total = None
        if isinstance(rows, pa.Table):
            batches, total = rows_of(rows, batch), -(-rows.num_rows // batch)
        else:
            batches = _batches(rows, batch)
        done = 0
        for part in track(batches, progress, total) if progress else batches:
            self._run(query, {**params, "rows": part}, None, neo4j.WRITE_ACCESS)
            done += len(part)
        return done

    def stream(
        self,
        query: str,
        params: Mapping[str, Any] | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        max_rows: int | None = None,
    ) -> Stream:
        """Run one query that only reads, and hand out its records as they come (`Stream`).

        Raises as `read` does, and QueryTooHeavy at record `max_rows + 1`.
        """
        return Stream(self._retried(lambda: _open_stream(self._driver, query, params or {}, timeout_s)), max_rows)

    def explain(self, query: str, **params: Any) -> Plan:
        """The plan of a query, without running it. Raises QueryRefused for what is no valid Cypher."""

        def explained() -> Plan:
            with self._driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
                summary = session.run(neo4j.Query(f"EXPLAIN {query}", timeout=READ_TIMEOUT_S), params).consume()
            return Plan(query, summary.query_type or "", summary.plan or {})

        return self._retried(explained)

    def wipe(self, *, schema: bool = False) -> None:
        """Delete all nodes and edges and, with `schema`, constraints and indexes (for tests and fresh loads)."""
        self.write("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")
        if schema:
            for row in self.write("SHOW CONSTRAINTS YIELD name"):
                self.write(f"DROP CONSTRAINT `{row['name']}`")
            for row in self.write("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
                self.write(f"DROP INDEX `{row['name']}`")

    def _run(self, query: str, params: Mapping[str, Any], timeout_s: float | None, access: str) -> list[Row]:
        def run() -> list[Row]:
            with self._driver.session(default_access_mode=access) as session:
                result = session.run(neo4j.Query(query, timeout=timeout_s), dict(params))
                keys = result.keys()
                return [dict(zip(keys, map(plain, record.values()), strict=True)) for record in result]

        return self._retried(run)

    def _retried(self, work: Callable[[], T]) -> T:
        for attempt in range(self._retries):
            try:
                return work()
            except (ServiceUnavailable, SessionExpired) as error:
                if attempt + 1 == self._retries:
                    raise _translated(error, self.endpoint) from None
                self._reconnect(attempt)
            except (DriverError, Neo4jError) as error:
                if not error.is_retryable() or _is_too_heavy(error) or attempt + 1 == self._retries:
                    raise _translated(error, self.endpoint) from None
                time.sleep(0.05 * 2**attempt)
        raise AssertionError("unreachable")

    def _reconnect(self, attempt: int) -> None:
        """Wait a moment for a named server; bring the home's own back."""
        if self.endpoint.revive is None:
            time.sleep(0.05 * 2**attempt)
            return
        with self._reviving:
            endpoint = self.endpoint.revive()
            if endpoint != self.endpoint:
                self._driver.close()
                self._driver = _driver(endpoint)
                self.endpoint = endpoint


class Stream:
    """Records as they come from the server: `columns`, then iterate (each record a `neo4j.Record`), then `close`."""

    def __init__(self, opened: tuple[neo4j.Session, neo4j.Result], max_rows: int | None) -> None:
        self._session, self._result = opened
        self._max_rows = max_rows
        self.columns: list[str] = list(self._result.keys())

    def __iter__(self) -> Iterator[neo4j.Record]:
        try:
            for number, record in enumerate(self._result, 1):
                if self._max_rows is not None and number > self._max_rows:
                    raise QueryTooHeavy(f"the query gives more than {self._max_rows} rows", "narrow it, or add a LIMIT")
                yield record
        except (DriverError, Neo4jError) as error:
            raise _translated(error, None) from None
        finally:
            self.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; what has not been read is given up."""
        self._session.close()


@contextmanager
def open_store(home: Home, settings: Settings, *, line: str | None = None, retries: int = RETRIES) -> Iterator[Store]:
    """A store on the home's server, which runs (at least) as long as the block does."""
    with running(home, settings, line=line) as endpoint, Store(endpoint, retries=retries) as store:
        yield store


def _driver(endpoint: Endpoint) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(
        endpoint.uri,
        auth=(endpoint.user, endpoint.password),
        connection_timeout=10.0,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
        user_agent="dumbbell",
    )


def _open_stream(
    driver: neo4j.Driver, query: str, params: Mapping[str, Any], timeout_s: float
) -> tuple[neo4j.Session, neo4j.Result]:
    session = driver.session(default_access_mode=neo4j.READ_ACCESS)
    try:
        result = session.run(neo4j.Query(query, timeout=timeout_s), dict(params))
        result.peek()
    except BaseException:
        session.close()
        raise
    return session, result


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


def _is_too_heavy(error: Exception) -> bool:
    code = getattr(error, "code", None) or ""
    return "TransactionTimedOut" in code or "OutOfMemory" in code


def _translated(error: Exception, endpoint: Endpoint | None) -> DumbbellError:
    """The product's error for one of the driver's."""
    code, message = getattr(error, "code", None) or "", getattr(error, "message", None) or type(error).__name__
    if isinstance(error, AuthError):
        return EnginePassword("Neo4j refuses the user or password", "check DUMBBELL_NEO4J_USER and _PASSWORD")
    if isinstance(error, ServiceUnavailable | SessionExpired):
        return EngineUnavailable("Neo4j does not answer any more", "see that it runs, and try again")
    if _is_too_heavy(error):
        limit = "memory" if "OutOfMemory" in code else "time"
        return QueryTooHeavy(f"the query ran past its {limit} limit", "narrow it, or ask for less at once")
    if code.startswith(("Neo.ClientError.Statement.", "Neo.ClientError.Procedure.")):
        return QueryRefused(f"Neo4j refuses the query ({message})", "correct it")
    return EngineError(f"Neo4j could not run the query ({code or message})", "see the server's log in HOME/neo4j/logs")
