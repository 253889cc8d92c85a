"""The matching graph: who uses which app, who holds which product, since when and how strongly."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from embeddings.catalogue import Catalogue
from embeddings.features import Features
from lake.tables import Lake
from lake.use import app_use, has_app_use

LARGE = 1 << 27
"""Bytes from which on an array of edges lies in a file that is mapped, not in memory."""


@dataclass(frozen=True)
class Edges:
    """Weighted user-item edges, one a pair, sorted by user, then item.

    `users`, `items` (e,) int32 positions; `strength` (e,) float32 above 0, `first`, `last` (e,) int32 days since 1970
    (-1 where unknown); `shape` (n users, m items).
    """

    users: np.ndarray
    items: np.ndarray
    strength: np.ndarray
    first: np.ndarray
    last: np.ndarray
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.users)

    def matrix(self, *, binary: bool = True) -> sp.csr_array:
        """The edges as a CSR matrix (n, m) float32: ones, or strengths when not `binary`. It shares its arrays with
        these edges and its other matrices: not to be written to."""
        if binary:
            return self._ones
        return sp.csr_array((self.strength, self._ones.indices, self._ones.indptr), shape=self.shape)

    @cached_property
    def _ones(self) -> sp.csr_array:
        starts = np.append(0, np.cumsum(self._degrees[0]))
        if len(self) < np.iinfo(np.int32).max:
            starts = starts.astype(np.int32)  # else SciPy copies the items, to have both of one kind
        return sp.csr_array((np.ones(len(self), np.float32), self.items, starts), shape=self.shape)

    @cached_property
    def _degrees(self) -> tuple[np.ndarray, np.ndarray]:
        return np.bincount(self.users, minlength=self.shape[0]), np.bincount(self.items, minlength=self.shape[1])

    def keep(self, mask: np.ndarray) -> Edges:
        """Only the edges where `mask` (e,) is true."""
        parts = {name: getattr(self, name)[mask] for name in ("users", "items", "strength", "first", "last")}
        return replace(self, **parts)

    def degrees(self) -> tuple[np.ndarray, np.ndarray]:
        """Items of each user (n,) and users of each item (m,); not to be written to."""
        return self._degrees


@dataclass(frozen=True)
class Graph:
    """What the scorers learn from: the nodes, the apps used and the products held; and, where the lake has them,
    attributes, each user's handset (n,) int32 (-1 for none) and who calls whom (both directions)."""

    nodes: Catalogue
    uses: Edges
    holds: Edges
    features: Features | None = None
    handset: np.ndarray | None = None
    calls: Edges | None = None


def no_edges(n: int, m: int) -> Edges:
    """A graph of n users and m items without an edge."""
    none = np.zeros(0, np.int32)
    return Edges(none, none, np.zeros(0, np.float32), none, none, (n, m))


def read_uses(lake: Lake, nodes: Catalogue, before: dt.date | None = None) -> Edges:
    """Apps used by customers, all days or only those `before` a day.

    Strength is `1 + log(1 + sessions) + log(1 + minutes)`, each summed over the days; values that are missing,
    negative or not numbers count as none, so an edge always weighs at least 1.
    """
    shape = (len(nodes.users), len(nodes.apps))
    if not has_app_use(lake):
        return no_edges(*shape)
    usage = app_use(lake)
    if before is not None:
        usage = usage.filter(usage.day < before)
    usage = usage.inner_join(nodes.index("user"), "user").inner_join(nodes.index("app"), "app")
    pairs = usage.group_by(["user_at", "app_at"]).aggregate(
        sessions=_amount(usage.sessions).sum(),
        seconds=_amount(usage.seconds).sum(),
        first=usage.day.min().epoch_days(),
        last=usage.day.max().epoch_days(),
    )
    table = pairs.order_by(["user_at", "app_at"]).to_pyarrow()
    minutes = table["seconds"].to_numpy() / 60
    strength = 1 + np.log1p(table["sessions"].to_numpy()) + np.log1p(minutes)
    edges = _edges(table, "app_at", strength, shape)
    parts = [mapped(part, lake.root) for part in (edges.users, edges.items, edges.strength, edges.first, edges.last)]
    users, items, strength, first, last = parts
    return Edges(users, items, strength, first, last, shape)


def read_holds(lake: Lake, nodes: Catalogue, before: dt.date | None = None) -> Edges:
    """Products ever held by customers, or only those taken `before` a day; every edge weighs 1."""
    shape = (len(nodes.users), len(nodes.products))
    if not lake.has("subscriptions"):
        return no_edges(*shape)
    held = lake.scan("subscriptions")
    if before is not None:
        held = held.filter(held.since < before)
    held = held.inner_join(nodes.index("user"), "user").inner_join(nodes.index("product"), "product")
    pairs = held.group_by(["user_at", "product_at"]).aggregate(
        first=held.since.min().epoch_days(), last=held.since.max().epoch_days()
    )
    table = pairs.order_by(["user_at", "product_at"]).to_pyarrow()
    return _edges(table, "product_at", np.ones(table.num_rows), shape)


def read_calls(lake: Lake, nodes: Catalogue, periods: int = 3, most: int = 30) -> Edges:
    """Who talks with whom among customers in the latest `periods`: each user's strongest `most` contacts.

    Strength is calls and messages in both directions, summed over the periods.
    """
    shape = (len(nodes.users), len(nodes.users))
    latest = lake.partitions("contacts")[-periods:]
    if not latest:
        return no_edges(*shape)
    index = nodes.index("user")
    columns = ["calls_out", "calls_in", "messages_out", "messages_in"]
    contacts = (
        ibis.union(*[lake.scan("contacts", p).select("user", "contact", *columns) for p in latest])
        if len(latest) > 1
        else lake.scan("contacts", latest[0]).select("user", "contact", *columns)
    )
    contacts = contacts.inner_join(index, "user")
    contacts = contacts.inner_join(index.rename(contact="user", contact_at="user_at"), "contact")
    total = contacts.calls_out + contacts.calls_in + contacts.messages_out + contacts.messages_in
    pairs = contacts.group_by(["user_at", "contact_at"]).aggregate(strength=total.sum().cast("float64"))
    order = [ibis.desc(pairs.strength), pairs.contact_at]
    ranked = pairs.mutate(place=ibis.row_number().over(group_by=pairs.user_at, order_by=order))
    table = ranked.filter(ranked.place < most).order_by(["user_at", "contact_at"]).to_pyarrow()
    none = np.full(table.num_rows, -1, np.int32)
    users, others = (table[name].to_numpy().astype(np.int32) for name in ("user_at", "contact_at"))
    strength = np.maximum(table["strength"].to_numpy(), 1).astype(np.float32)
    return Edges(users, others, strength, none, none, shape)


def mapped(array: np.ndarray, folder: Path) -> np.ndarray:
    """The same array; a large one as a map of a nameless file in `folder`, which goes with the last who uses it."""
    if array.nbytes < LARGE:
        return array
    with tempfile.TemporaryFile(dir=folder) as file:
        found = np.memmap(file, array.dtype, "w+", shape=array.shape)
        found[:] = array
        return found


def _amount(column: ibis.expr.types.NumericColumn) -> ibis.expr.types.NumericColumn:
    value = column.cast("float64")
    return ibis.ifelse(value.isnull() | value.isnan() | (value < 0), 0.0, value)


def _edges(table: pa.Table, item: str, strength: np.ndarray, shape: tuple[int, int]) -> Edges:
    day = {name: table[name].fill_null(-1).to_numpy().astype(np.int32) for name in ("first", "last")}
    users, items = (table[name].to_numpy().astype(np.int32) for name in ("user_at", item))
    return Edges(users, items, strength.astype(np.float32), day["first"], day["last"], shape)
