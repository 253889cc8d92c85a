"""Recycled numbers: whose a row is, when its number has had several customers.

The table `successions` (`user, former, until`) says that rows of the number `user` on days before `until` belong to
the customer `former`; of several, the one with the next `until`. It is absent while no number was given on. Tables
keep the number's pseudonym as it was handed in: `Lake.scan` and `Lake.read` put the customer in its place.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.periods import first_day, last_day

NAME = "successions"
SCHEMA = pa.schema([("user", pa.binary()), ("former", pa.binary()), ("until", pa.date32())])

HELD: dict[str, dict[str, str]] = {
    "calls": {"caller": "day", "callee": "day"},
    "app_usage": {"user": "day"},
    "web_visits": {"user": "day"},
    "web_use": {"user": "day"},
    "touches": {"user": "day"},
    "responses": {"user": "day"},
    "user_handsets": {"user": "since"},
    "subscriptions": {"user": "since"},
    "bills": {"user": "month"},
}
"""Tables of rows that belong to who held the number: each column of numbers with the one that says when.

What began before a new activation is the former customer's; a month's bill is of who held the number at its end.
"""

ALWAYS = dt.date(1, 1, 1)
"""Since when the first known customer of a number held it."""


def spans(known: pa.Table, months: Sequence[str] = ()) -> pa.Table:
    """The successions that concern any day from the first to the last of some months, with their own first day.

    Returns `user, former, since, until` (`since` included, `until` not), sorted by user and until.

    >>> n, a, b = b"n" * 16, b"a" * 16, b"b" * 16
    >>> days = [dt.date(2026, 3, 10), dt.date(2026, 5, 20)]
    >>> known = pa.table({"user": [n, n], "former": [a, b], "until": days}, schema=SCHEMA)
    >>> spans(known, ["2026-04", "2026-06"])["since"].to_pylist()
    [datetime.date(2026, 3, 10)]
    """
    known = known.sort_by([("user", "ascending"), ("until", "ascending")]).combine_chunks()
    since = np.full(known.num_rows, ALWAYS, "datetime64[D]")
    if known.num_rows > 1:
        same = pc.equal(known["user"].slice(1), known["user"].slice(0, known.num_rows - 1)).to_numpy()
        since[1:][same] = known["until"].to_numpy()[:-1][same]
    found = known.add_column(2, "since", pa.array(since))
    if not months:
        return found
    begun = pc.less_equal(found["since"], pa.scalar(last_day(max(months))))
    return found.filter(pc.and_(begun, pc.greater(found["until"], pa.scalar(first_day(min(months))))))


def needed(name: str) -> list[str]:
    """The columns of a table that say whose a row is: numbers, and when it was."""
    return [*HELD[name], *HELD[name].values()]


def applied(rows: ibis.Table, name: str, held: pa.Table) -> ibis.Table:
    """A table's rows with the former customers in the place of their numbers; `held` as `spans` gives it.

    One join with a small table for each column of numbers; rows lose their order.
    """
    for column, moment in HELD[name].items():
        if column not in rows.columns:
            continue
        begins, ends = (pc.strftime(held[n], "%Y-%m") if moment == "month" else held[n] for n in ("since", "until"))
        some = ibis.memtable(
            pa.table(
                {
                    f"{column}_number": held["user"],
                    f"{column}_former": held["former"],
                    f"{column}_begins": begins,
                    f"{column}_ends": ends,
                }
            )
        )
        number, _, begins, ends = (some[n] for n in some.columns)
        joined = rows.left_join(some, [rows[column] == number, rows[moment] >= begins, rows[moment] < ends])
        found = joined.select(*rows.columns, former=joined[f"{column}_former"])
        told = found.former.fill_null(found[column])  # a step of its own: Ibis adds a later join to an open one
        rows = found.select(**{n: told if n == column else found[n] for n in rows.columns})
    return rows


def replaced(table: pa.Table, name: str, known: pa.Table) -> pa.Table:
    """As `applied`, for a table in memory, rows in their order."""
    known = known.sort_by([("user", "ascending"), ("until", "ascending")]).combine_chunks()
    numbers = pc.unique(known["user"])
    for column, moment in HELD[name].items():
        place = pc.index_in(table[column], value_set=numbers).combine_chunks()
        rows = pc.indices_nonzero(pc.is_valid(place)).to_numpy()
        if not len(rows):
            continue
        months = moment == "month"
        ends = _places(pc.index_in(known["user"], value_set=numbers), known["until"], months)
        wanted = _places(place.take(pa.array(rows)), table[moment].take(pa.array(rows)), months)
        found = np.searchsorted(ends, wanted, side="right")
        mine = np.minimum(found, len(ends) - 1)
        is_former = (found < len(ends)) & (ends[mine] >> 32 == wanted >> 32)
        mask = np.zeros(table.num_rows, bool)
        mask[rows[is_former]] = True
        told = pc.replace_with_mask(
            table[column].combine_chunks(),
            pa.array(mask),
            known["former"].take(pa.array(mine[is_former])).combine_chunks(),
        )
        table = table.set_column(table.schema.get_field_index(column), column, told)
    return table


def _places(numbers: pa.Array | pa.ChunkedArray, days: pa.ChunkedArray, months: bool) -> np.ndarray:
    """(n,) int64 that sort by number, then by day (or by month, given as text or as days)."""
    if months:
        text = days if pa.types.is_string(days.type) else pc.strftime(days, "%Y-%m")
        moment = np.array(text.to_pylist(), "datetime64[M]").astype(np.int64)
    else:
        moment = days.cast(pa.int32()).to_numpy().astype(np.int64)
    return (np.asarray(numbers).astype(np.int64) << 32) + moment + (1 << 31)


def digest(held: pa.Table) -> str:
    """A short digest of the successions that a table is read through; "" without any."""
    if not held.num_rows:
        return ""
    total = hashlib.sha256()
    for name in ("user", "former"):
        total.update(b"".join(held[name].to_pylist()))
    total.update(held["until"].cast(pa.int32()).to_numpy().tobytes())
    return total.hexdigest()[:16]
