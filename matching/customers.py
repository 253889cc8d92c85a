"""What decisions need to know of each customer, as arrays in the order of the `customers` table.

Every array has one entry more than there are customers: the last stands for an unknown number, so that position `n`
can be looked up like any other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.silence import gone_silent
from lake.tables import Lake
from matching.arrays import Ragged, find, positions, sixteen

NETWORKS = ("2g", "3g", "4g", "5g")
"""Network generations, each able to use those before it."""


@dataclass(frozen=True)
class Customers:
    """`n` known numbers, sorted; position `n` is an unknown number.

    users       S16 (n)        pseudonyms
    off_net     bool (n + 1)   numbers of other operators
    consent     bool (n + 1)
    no_contact  bool (n + 1)   may ask, must not be approached
    left        bool (n + 1)
    sim         int8 (n + 1)   place in NETWORKS, -1 where unknown
    handset     int32 (n + 1)  place in `Handsets`, -1 where unknown
    """

    users: np.ndarray
    off_net: np.ndarray
    consent: np.ndarray
    no_contact: np.ndarray
    left: np.ndarray
    sim: np.ndarray
    handset: np.ndarray

    @property
    def n(self) -> int:
        return len(self.users)

    def position(self, user: bytes | None) -> int:
        """Where a pseudonym lies; `n` for one that is not known, and for None."""
        place = -1 if user is None else find(self.users, user)
        return self.n if place < 0 else place


@dataclass(frozen=True)
class Handsets:
    """Handsets by position, and the operating systems they have.

    ids      text (h), sorted
    names    text (h)
    systems  text, lower case: every system there is
    system   int32 (h + 1): place in `systems`, -1 where it is not known; the last is an unknown handset
    network  int8 (h + 1): place in NETWORKS, -1 where it is not known; the last is an unknown handset
    """

    ids: pa.Array
    names: pa.Array
    systems: pa.Array
    system: np.ndarray
    network: np.ndarray

    def runs(self, needs: pa.Array) -> np.ndarray:
        """Which system runs each item: bool (systems + 1, items).

        `needs` is a column of lists of systems in any case, one an item; an empty list or null runs everywhere. The
        last row, for a system that is not known, allows every item.
        """
        table = np.ones((len(self.systems) + 1, len(needs)), bool)
        owner = np.asarray(pc.list_parent_indices(needs), np.int64)
        named = pc.utf8_lower(pc.utf8_trim_whitespace(pc.list_flatten(needs).cast(pa.string())))
        some = np.asarray(pc.not_equal(named, "").to_numpy(zero_copy_only=False), bool)
        owner, place = owner[some], positions(named, self.systems)[some]
        table[:-1, owner] = False
        table[place[place >= 0], owner[place >= 0]] = True
        return table


def load_handsets(lake: Lake) -> Handsets:
    """Handsets of their own feed, and those that only `user_handsets` names."""
    named = lake.read("handsets") if lake.has("handsets") else None
    none = pa.array([], pa.string())
    used = lake.read("user_handsets", ["handset"])["handset"] if lake.has("user_handsets") else none
    known = named["handset"] if named is not None else none
    ids = sorted_ids(known, used)
    if named is None:
        unknown = np.full(len(ids) + 1, -1)
        return Handsets(ids, ids, none, unknown.astype(np.int32), unknown.astype(np.int8))
    row = pa.array(positions(ids, known), mask=positions(ids, known) < 0)
    name = pc.binary_join_element_wise(named["brand"], named["model"], " ", null_handling="skip")
    name = pc.if_else(pc.equal(name, ""), named["handset"], name)
    names = pc.coalesce(whole(pc.take(name, row)), ids)
    os = pc.utf8_lower(pc.utf8_trim_whitespace(whole(pc.take(named["os"], row))))
    systems = sorted_ids(os)
    system = np.append(positions(os, systems), -1).astype(np.int32)
    return Handsets(ids, names, systems, system, np.append(networks(pc.take(named["network"], row)), np.int8(-1)))


def load_customers(lake: Lake, today: dt.date, handsets: Handsets) -> Customers:
    """Read the `customers` table and what goes with each customer."""
    table = lake.read("customers")
    users = table["user"]
    n = len(table)

    def flag(name: str, default: bool) -> np.ndarray:
        column = pc.fill_null(table[name], default) if name in table.column_names else None
        values = np.full(n, default) if column is None else np.asarray(whole(column).to_numpy(zero_copy_only=False))
        return np.append(values.astype(bool), default)

    sim = networks(table["sim"]) if "sim" in table.column_names else np.full(n, -1, np.int8)
    return Customers(
        users=sixteen(users),
        off_net=np.append(flag("off_net", False)[:-1], True),
        consent=flag("consent", True),
        no_contact=flag("no_contact", False),
        left=np.append(_left(lake, table, today), False),
        sim=np.append(sim, np.int8(-1)),
        handset=_current_handset(lake, users, handsets, today),
    )


def load_held(lake: Lake, users: pa.ChunkedArray, products: pa.Array, today: dt.date) -> Ragged:
    """Products that customers hold today (no `until`, or one still ahead), by position."""
    rows = len(users) + 1
    if not lake.has("subscriptions"):
        return Ragged.of(np.array([], np.int64), np.array([], np.int64), rows=rows)
    table = lake.read("subscriptions", ["user", "product", "until"])
    table = table.filter(pc.fill_null(pc.greater(table["until"], pa.scalar(today)), True))
    return Ragged.of(positions(table["user"], users), positions(table["product"], products), rows=rows)


def _left(lake: Lake, table: pa.Table, today: dt.date) -> np.ndarray:
    """Who has left: by `status`, by a `left_on` past, or, where neither is given, by a whole silent period."""
    names = table.column_names
    nothing = pa.nulls(len(table), pa.string())
    status = whole(table["status"]) if "status" in names else nothing
    left_on = whole(table["left_on"]) if "left_on" in names else nothing.cast(pa.date32())
    said = pc.fill_null(pc.equal(status, "left"), False)
    past = pc.fill_null(pc.less(left_on, pa.scalar(today)), False)
    left = np.asarray(pc.or_(said, past).to_numpy(zero_copy_only=False), bool)
    left |= positions(table["user"], gone_silent(lake)) >= 0
    return left


def handset_since(lake: Lake, users: pa.ChunkedArray, today: dt.date) -> np.ndarray:
    """The day since when each customer has had the handset of today: datetime64[D] (n + 1), NaT where unknown."""
    since = np.full(len(users) + 1, np.datetime64("NaT"), "datetime64[D]")
    if lake.has("user_handsets"):
        table = _handsets_in_use(lake, today)
        rows = positions(table["user"], users)
        known = rows >= 0
        since[rows[known]] = np.asarray(table["since"].to_numpy(), "datetime64[D]")[known]  # the last one stands
    return since


def _current_handset(lake: Lake, users: pa.ChunkedArray, handsets: Handsets, today: dt.date) -> np.ndarray:
    """The handset each customer uses today: the open one with the latest `since` (ties: the last id)."""
    current = np.full(len(users) + 1, -1, np.int32)
    if lake.has("user_handsets"):
        table = _handsets_in_use(lake, today)
        rows, phones = positions(table["user"], users), positions(table["handset"], handsets.ids)
        known = rows >= 0
        current[rows[known]] = phones[known]  # of several, the last assignment stands
    return current


def _handsets_in_use(lake: Lake, today: dt.date) -> pa.Table:
    """Rows of `user_handsets` that are open today, each customer's latest last."""
    table = lake.read("user_handsets", ["user", "handset", "since", "until"])
    is_open = pc.fill_null(pc.greater(table["until"], pa.scalar(today)), True)
    begun = pc.fill_null(pc.less_equal(table["since"], pa.scalar(today)), True)
    return table.filter(pc.and_(is_open, begun)).sort_by([("since", "ascending"), ("handset", "ascending")])


def networks(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Network names as places in NETWORKS (int8), -1 for null and for names that are none.

    >>> networks(pa.array(["5g", None, "2g"])).tolist()
    [3, -1, 0]
    """
    return positions(pc.utf8_lower(whole(column).cast(pa.string())), pa.array(NETWORKS)).astype(np.int8)


def sorted_ids(*columns: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The distinct identifiers of several columns, sorted, without null."""
    both = pa.concat_arrays([whole(c).cast(pa.string()) for c in columns])
    ids = pc.unique(pc.drop_null(both))
    return pc.take(ids, pc.array_sort_indices(ids))


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
