"""How much of the visits was recognised, and the hosts of the others, ranked by how many customers would be gained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from lake.engine import Engine

LEAST_USERS = 3
"""A host that fewer customers visited is not listed: it may be one customer's own."""

UNKNOWN_HOSTS = pa.schema([("host", pa.string()), ("users", pa.int64()), ("visits", pa.int64()), ("mb", pa.float64())])


def coverage(use: list[Path], unknown: list[Path], engine: Engine) -> dict[str, Any]:
    """Visits and customers, and how many of them were recognised, from the files of `web_use` and `web_unknown`.

    A customer is recognised when at least one visit is. Percentages have two decimals, and are null without visits.
    """
    visits, recognised = (_visits(files, engine) for files in (use + unknown, use))
    users, known = (_users(files, engine) for files in (use + unknown, use))
    return {
        "visits": visits,
        "recognised": recognised,
        "visits_percent": _percent(recognised, visits),
        "users": users,
        "users_recognised": known,
        "users_percent": _percent(known, users),
    }


def unknown_hosts(files: list[Path], engine: Engine) -> pa.Table:
    """Hosts of `web_unknown`, most customers first, those of fewer than LEAST_USERS left out."""
    if not files:
        return UNKNOWN_HOSTS.empty_table()
    rows = engine.files(files)
    each = (
        rows.filter(rows.host.notnull()).group_by("host", "user").agg(visits=rows.visits.sum(), micro=_micro(rows.mb))
    )
    hosts = each.group_by("host").agg(users=each.count(), visits=each.visits.sum(), mb=each.micro.sum() / 1_000_000)
    listed = hosts.filter(hosts.users >= LEAST_USERS).order_by(ibis.desc("users"), ibis.desc("visits"), "host")
    return listed.to_pyarrow().cast(UNKNOWN_HOSTS)


def as_rules(hosts: pa.Table) -> pa.Table:
    """Rows of `unknown_hosts` as those of a `url_rules` file, to fill in; a load leaves the last three columns out.

    >>> hosts = pa.table({"host": ["a.example"], "users": [9], "visits": [12], "mb": [1.5]})
    >>> as_rules(hosts).to_pylist()
    [{'pattern': 'a.example', 'app': '', 'tag': '', 'content': '', 'users': 9, 'visits': 12, 'mb': 1.5}]
    """
    empty = pa.array([""] * hosts.num_rows, pa.string())
    rules = {"pattern": hosts["host"], "app": empty, "tag": empty, "content": empty}
    return pa.table(rules | {name: hosts[name] for name in ("users", "visits", "mb")})


def _micro(mb: ibis.expr.types.NumericColumn) -> ibis.expr.types.NumericScalar:
    """A sum in whole numbers, so that the order of adding does not show."""
    return (mb * 1_000_000).round().cast("int64").sum()


def _visits(files: list[Path], engine: Engine) -> int:
    return int(engine.files(files).visits.sum().execute()) if files else 0


def _users(files: list[Path], engine: Engine) -> int:
    return int(engine.files(files).select("user").distinct().count().execute()) if files else 0


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
