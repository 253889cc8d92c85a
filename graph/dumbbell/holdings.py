"""What customers use and hold, as sparse user × item matrices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.population import Population
from lake.tables import Lake
from lake.use import APP_USE, has_app_use
from lake.use import app_use as use_of_apps

BLOCK = 250_000
"""Customers looked at in one go, where the work needs more memory than the matrix itself."""


@dataclass(frozen=True)
class Holdings:
    """Who has what, and how strongly."""

    items: np.ndarray
    """Identifiers, (m,) of text, sorted."""
    strength: sparse.csr_array
    """(n, m) float32 with int32 places: row i is a customer, column j is `items[j]`; absent where not used."""

    @cached_property
    def held(self) -> sparse.csr_array:
        """The same matrix with ones, of one byte each: used or not."""
        ones = np.ones(self.strength.nnz, np.int8)
        return sparse.csr_array((ones, self.strength.indices, self.strength.indptr), self.strength.shape)

    @cached_property
    def users_of(self) -> np.ndarray:
        """Customers of each item, (m,) int64."""
        return np.bincount(self.strength.indices, minlength=len(self.items)).astype(np.int64)


def blocks(rows: int) -> Iterator[slice]:
    """Rows 0 … `rows` in blocks.

    >>> list(blocks(300_000))
    [slice(0, 250000, None), slice(250000, 300000, None)]
    """
    for begin in range(0, rows, BLOCK):
        yield slice(begin, min(begin + BLOCK, rows))


def app_use(lake: Lake, population: Population) -> Holdings:
    """Apps used since the lake began; the strength is log(1 + sessions), so that one heavy app does not hide the rest.

    Items are the catalogue's apps and those that only appear in use; a row of no sessions is use all the same, and
    counts as one. A month at a time; sums are of whole sessions, so that neither the order of rows nor of months shows.
    """
    names = [lake.read("apps", ["app"])["app"]] if lake.has("apps") else []
    if has_app_use(lake):
        names.append(use_of_apps(lake).select("app").distinct().to_pyarrow()["app"])
    items = _sorted(names)
    total = _nothing(population, items)
    for month in sorted({month for name in APP_USE for month in lake.partitions(name)}):
        use = use_of_apps(lake, month)
        weighed = use.select("user", item=use.app, weight=use.sessions.fill_null(1).clip(lower=1).cast("float32"))
        total = sparse.csr_array(total + _matrix(lake, population, items, weighed))
    np.log1p(total.data, out=total.data)
    return Holdings(np.array(items.to_pylist(), dtype=object), total)


def products_held(lake: Lake, population: Population, today: dt.date) -> Holdings:
    """Products held on the day `today`, of strength 1."""
    names = [lake.read("products", ["product"])["product"]] if lake.has("products") else []
    if not lake.has("subscriptions"):
        items = _sorted(names)
        return Holdings(np.array(items.to_pylist(), dtype=object), _nothing(population, items))
    held, day = lake.scan("subscriptions"), ibis.literal(today)
    current = held.filter(held.since <= day, held.until.isnull() | (held.until >= day))
    items = _sorted([*names, current.select("product").distinct().to_pyarrow()["product"]])
    pairs = current.select("user", item=current["product"]).distinct().mutate(weight=ibis.literal(1, "float32"))
    return Holdings(np.array(items.to_pylist(), dtype=object), _matrix(lake, population, items, pairs))


def _sorted(names: list[pa.ChunkedArray]) -> pa.Array:
    chunks = [chunk for name in names for chunk in name.cast(pa.string()).chunks]
    return pc.unique(pa.chunked_array(chunks, pa.string())).drop_null().sort()


def _nothing(population: Population, items: pa.Array) -> sparse.csr_array:
    empty = np.zeros(0, np.int32)
    return sparse.csr_array(
        (np.zeros(0, np.float32), empty, np.zeros(len(population) + 1, np.int32)), (len(population), len(items))
    )


def _matrix(lake: Lake, population: Population, items: pa.Array, pairs: ibis.Table) -> sparse.csr_array:
    """`pairs` (user, item, weight) summed up as an (n, m) matrix; users who are not on-net customers are left out.

    The engine turns pseudonyms and identifiers into places while it reads, so that 12 bytes a row arrive here.
    """
    rows = ibis.memtable(pa.table({"user": population.users, "row": pa.array(np.arange(len(population), dtype="i4"))}))
    columns = ibis.memtable(pa.table({"item": items, "column": pa.array(np.arange(len(items), dtype="i4"))}))
    coded = pairs.inner_join(rows, "user").inner_join(columns, "item").select("row", "column", "weight")
    parts = [
        [batch[name].to_numpy(zero_copy_only=False) for name in ("row", "column", "weight")]
        for batch in lake.connection.to_pyarrow_batches(coded, chunk_size=BLOCK)
    ]
    if not parts:
        return _nothing(population, items)
    row, column, weight = (np.concatenate([part[k] for part in parts]) for k in range(3))
    del parts
    shape = (len(population), len(items))
    matrix = sparse.csr_array(sparse.coo_array((weight.astype(np.float32, copy=False), (row, column)), shape=shape))
    matrix.sum_duplicates()
    return matrix
