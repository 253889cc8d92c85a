"""The access log: one line of JSON a request on stderr, with no body, no query and no raw path.

Routes are logged as they are declared (`/v1/users/{user}`), so that whatever a caller wrote into
an address stays out of the log.
"""

from __future__ import annotations

import datetime as dt
import sys
import traceback
from typing import Any

import orjson
import structlog


class _Stderr:
    """Lines to standard error, as it is when the line is written."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    info = error = msg


_logger = structlog.wrap_logger(
    _Stderr(),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(lambda line, **_: orjson.dumps(line, default=repr).decode()),
    ],
)


def access(**facts: Any) -> None:
    """One request: method, route, status, milliseconds, the key's name. Each has one, so it is written without more."""
    at = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    line = {**facts, "event": "request", "level": "info", "timestamp": at}
    sys.stderr.write(orjson.dumps(line, default=repr).decode() + "\n")


def event(what: str, **facts: Any) -> None:
    """Something worth knowing beside requests: a snapshot taken up, a step that failed and will be tried again."""
    _logger.info(what, **facts)


def failure(what: str, error: BaseException, **facts: Any) -> None:
    """An unexpected error by type and place; its message stays out, for it may hold a value."""
    place = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]
    ]
    _logger.error(what, type=type(error).__name__, place=place, **facts)
