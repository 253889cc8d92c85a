"""Use of apps, from wherever it is known: the feed `app_usage`, and visits that `url_rules` translate to apps."""

from __future__ import annotations

import ibis

from lake.tables import Lake

APP_USE = ("app_usage", "web_use")
"""The tables that it is read from, for fingerprints."""

COLUMNS = ("user", "app", "at", "day", "hour", "sessions", "seconds", "mb")


def has_app_use(lake: Lake) -> bool:
    """Whether the lake knows anything of the use of apps."""
    return any(lake.has(name) for name in APP_USE)


def app_use(lake: Lake, partition: str | None = None) -> ibis.Table:
    """Rows as those of `app_usage`, all or of one month.

    A row of `web_use` that names an app is one too: its visits are sessions, its seconds null, its moment the first of
    that day. Raises NotReady where there is neither table.
    """
    if not lake.files("web_use", partition):
        return lake.scan("app_usage", partition)
    visits = lake.scan("web_use", partition)
    translated = visits.filter(visits.app.notnull()).select(
        "user",
        "app",
        "day",
        "hour",
        "mb",
        at=visits.first_at,
        sessions=visits.visits,
        seconds=ibis.null("int64"),
    )
    translated = translated.select(*COLUMNS)
    if not lake.files("app_usage", partition):
        return translated
    return ibis.union(lake.scan("app_usage", partition).select(*COLUMNS), translated)
