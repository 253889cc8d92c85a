"""Small lakes for the tests of the call graph: named numbers, calls by hand, tables as the loaders write them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from lake.settings import Settings
from lake.tables import Lake

CALLS = pa.schema(
    [
        ("caller", pa.binary()),
        ("callee", pa.binary()),
        ("at", pa.timestamp("us")),
        ("day", pa.date32()),
        ("hour", pa.uint8()),
        ("seconds", pa.int64()),
        ("kind", pa.string()),
        ("answered", pa.bool_()),
        ("cell", pa.string()),
        ("record", pa.string()),
        ("call", pa.string()),
    ]
)
CUSTOMERS = pa.schema(
    [
        ("user", pa.binary()),
        ("off_net", pa.bool_()),
        ("activated_on", pa.date32()),
        ("left_on", pa.date32()),
        ("status", pa.string()),
        ("kind", pa.string()),
        ("account", pa.binary()),
        ("consent", pa.bool_()),
    ]
)


def number(name: str) -> bytes:
    """A stand-in for a pseudonym that sorts as its name does."""
    return name.encode().ljust(16, b".")


def name_of(pseudonym: bytes) -> str:
    return pseudonym.decode().rstrip(".")


def settings(period: str = "month", **more: object) -> Settings:
    return Settings(period=period, **more)  # type: ignore[arg-type]


def call(caller: str | None, callee: str | None, at: str, seconds: int = 60, **more: object) -> dict[str, object]:
    """One record; `at` as `2026-05-01 10:00:00`, taken for local time and for UTC."""
    moment = dt.datetime.fromisoformat(at)
    message = more.get("kind") == "message"
    row: dict[str, object] = {
        "caller": None if caller is None else number(caller),
        "callee": None if callee is None else number(callee),
        "at": moment,
        "day": moment.date(),
        "hour": moment.hour,
        "seconds": 0 if message else seconds,
        "kind": "voice",
        "answered": message or seconds > 0,
        "cell": None,
        "record": None,
        "call": None,
    }
    return {**row, **more}


def message(caller: str, callee: str, at: str, **more: object) -> dict[str, object]:
    return call(caller, callee, at, kind="message", **more)


def user(name: str, **more: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(CUSTOMERS.names)
    return {**row, "user": number(name), "off_net": False, "kind": "person", "consent": True, **more}


def put_calls(lake: Lake, rows: list[dict[str, object]]) -> None:
    """Replace the call records of every month that the rows lie in."""
    for month in {f"{row['day']:%Y-%m}" for row in rows}:
        part = [row for row in rows if f"{row['day']:%Y-%m}" == month]
        lake.write_partition("calls", "month", month, pa.Table.from_pylist(part, CALLS))


def put_customers(lake: Lake, users: list[dict[str, object]], off_net: list[str], named: bool = True) -> None:
    rows = users + [user(name, off_net=True) for name in off_net]
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["user"]), CUSTOMERS)  # type: ignore[arg-type, return-value]
    lake.write("customers", table)
    if named:
        lake.write("users", table.filter(pa.compute.invert(table["off_net"])).drop_columns(["off_net"]))


def world(
    folder: Path,
    rows: list[dict[str, object]],
    users: list[dict[str, object]] | None = None,
    named: bool = True,
) -> Lake:
    """A lake of these call records. Without `users`, numbers that begin with a lower-case letter are customers."""
    lake = Lake(folder / "lake")
    seen = {name_of(p) for row in rows for p in (row["caller"], row["callee"]) if isinstance(p, bytes)}
    if users is None:
        users = [user(name) for name in sorted(seen) if name[0].islower()]
    given = {name_of(u["user"]) for u in users}  # type: ignore[arg-type]
    put_customers(lake, users, sorted(seen - given), named)
    put_calls(lake, rows)
    return lake


def contacts(lake: Lake, period: str, table: str = "contacts") -> dict[tuple[str, str], dict[str, object]]:
    rows = lake.read(table, partition=period).to_pylist()
    return {(name_of(row.pop("user")), name_of(row.pop("contact"))): row for row in rows}


def by_user(lake: Lake, table: str, **where: object) -> dict[str, dict[str, object]]:
    """Rows of a table as `{name: row}`, of those rows that have the given values."""
    rows = [row for row in lake.read(table).to_pylist() if all(row[k] == v for k, v in where.items())]
    return {name_of(row.pop("user")): row for row in rows}
