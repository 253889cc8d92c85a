"""The one tree of exceptions.

DumbbellError                 a sentence: what was asked, what was found, what would work
├── UsageError                the call itself is wrong (exit status 2, HTTP 400)
│   ├── UnknownName           no template, parameter, feed, item or decision of that name (HTTP 404)
│   └── BadValue              a value outside what is allowed (k = 0, a wrong type; HTTP 422)
├── SettingError              a setting that cannot be used; names the setting
├── FeedError                 a feed folder refused whole; names feed, file and column
│   ├── FileChanged           a file disappeared, or is not what it was when its reading began
│   └── RowsQuarantined       a row was not taken, where none may be (`--strict`)
├── HomeError                 the home cannot be used as it is
│   ├── HomeHeld              another command holds it
│   ├── WrongKey              the key for numbers is not the one this home was filled with
│   ├── DiskFull              no space left; nothing was taken
│   └── NotReady              an earlier step is missing (no load, no snapshot)
├── EngineError               Neo4j did not start, cannot be reached, or refuses
│   ├── EngineUnavailable     cannot be reached (HTTP 503)
│   └── EnginePassword        refuses the user or password
├── QueryRefused              a template or query that may not run (writes, reads files, calls procedures)
│   └── QueryTooHeavy         ran past its time, memory or row limit
├── AccessDenied              no key, a wrong key (HTTP 401) or one without the scope (HTTP 403)
└── AddressInUse              the host and port to serve on are taken
"""

from __future__ import annotations


class DumbbellError(Exception):
    """Something that could not be done, as one sentence with its remedy.

    `code` is stable and meant for schedulers (`--json` carries it as `error`), `exit_status` is
    the command's, `http_status` the API's.

    >>> error = DumbbellError("offers.csv has no column 'offer'", "add the column, or take the file away")
    >>> str(error)
    "offers.csv has no column 'offer': add the column, or take the file away"
    """

    code = "failed"
    exit_status = 1
    http_status = 500

    def __init__(self, found: str, remedy: str = "", *, code: str | None = None) -> None:
        self.found = found
        self.remedy = remedy
        if code is not None:
            self.code = code
        super().__init__(f"{found}: {remedy}" if remedy else found)


class UsageError(DumbbellError):
    code = "usage"
    exit_status = 2
    http_status = 400


class UnknownName(UsageError):
    code = "unknown_name"
    http_status = 404


class BadValue(UsageError):
    code = "bad_value"
    http_status = 422


class SettingError(DumbbellError):
    code = "setting"


class FeedError(DumbbellError):
    code = "feed_refused"


class FileChanged(FeedError):
    code = "file_changed"


class RowsQuarantined(FeedError):
    code = "quarantined"


class HomeError(DumbbellError):
    code = "home"


class HomeHeld(HomeError):
    code = "home_held"


class WrongKey(HomeError):
    code = "wrong_key"


class DiskFull(HomeError):
    code = "disk_full"


class NotEnoughMemory(HomeError):
    code = "memory_short"


class NotReady(HomeError):
    code = "not_ready"
    http_status = 503


class EngineError(DumbbellError):
    code = "engine"
    http_status = 503


class EngineUnavailable(EngineError):
    code = "engine_unavailable"


class EnginePassword(EngineError):
    code = "engine_password"


class QueryRefused(DumbbellError):
    code = "query_refused"
    http_status = 400


class QueryTooHeavy(QueryRefused):
    code = "query_too_heavy"


class AccessDenied(DumbbellError):
    code = "access_denied"
    http_status = 401


class AddressInUse(DumbbellError):
    code = "address_in_use"
