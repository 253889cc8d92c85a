"""What customers use and hold, as sparse user × item matrices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.population import Population
from lake.tables import Lake
from lake.use import app_use as use_of_apps
from lake.use import has_app_use


@dataclass(frozen=True)
class Holdings:
    """Who has what, and how strongly."""

    items: np.ndarray
    """Identifiers, (m,) of text, sorted."""
    strength: sparse.csr_array
    """(n, m) float32: row i is a customer, column j is `items[j]`; absent where not used."""

    @cached_property
    def held(self) -> sparse.csr_array:
        """The same matrix with ones: used or not."""
        ones = np.ones(self.strength.nnz, np.float32)
        return sparse.csr_array((ones, self.strength.indices, self.strength.indptr), self.strength.shape)

    @cached_property
    def users_of(self) -> np.ndarray:
        """Customers of each item, (m,) int64."""
        return np.bincount(self.strength.indices, minlength=len(self.items)).astype(np.int64)


def app_use(lake: Lake, population: Population) -> Holdings:
    """Apps used since the lake began; the strength is log(1 + sessions), so that one heavy app does not hide the rest.

    Items are the catalogue's apps and those that only appear in use.
    """
    known = lake.read("apps", ["app"])["app"] if lake.has("apps") else pa.chunked_array([], pa.string())
    if not has_app_use(lake):
        return _holdings(population, known, pa.nulls(0, pa.binary()), pa.nulls(0, pa.string()), np.zeros(0))
    use = use_of_apps(lake)
    totals = use.group_by("user", "app").agg(sessions=use.sessions.fill_null(1).sum()).to_pyarrow()
    sessions = totals["sessions"].cast(pa.float64()).to_numpy()
    strength = np.log1p(np.maximum(np.nan_to_num(sessions, nan=1.0), 1.0))
    return _holdings(population, known, totals["user"], totals["app"], strength)


def products_held(lake: Lake, population: Population, today: dt.date) -> Holdings:
    """Products held on the day `today`, of strength 1."""
    known = lake.read("products", ["product"])["product"] if lake.has("products") else pa.chunked_array([], pa.string())
    if not lake.has("subscriptions"):
        return _holdings(population, known, pa.nulls(0, pa.binary()), pa.nulls(0, pa.string()), np.zeros(0))
    held = lake.scan("subscriptions")
    day = ibis.literal(today)
    current = held.filter(held.since <= day, held.until.isnull() | (held.until >= day))
    pairs = current.select("user", "product").distinct().to_pyarrow()
    return _holdings(population, known, pairs["user"], pairs["product"], np.ones(pairs.num_rows))


def _holdings(
    population: Population,
    known: pa.ChunkedArray,
    users: pa.Array | pa.ChunkedArray,
    items: pa.Array | pa.ChunkedArray,
    strength: np.ndarray,
) -> Holdings:
    """One (user, item) a row at most; users who are not on-net customers are left out."""
    rows = population.positions(users)
    used = items.cast(pa.string())
    chunks = [*known.cast(pa.string()).chunks, *(used.chunks if isinstance(used, pa.ChunkedArray) else [used])]
    names = pc.unique(pa.chunked_array(chunks, pa.string())).sort()
    columns = pc.index_in(used, value_set=names).to_numpy().astype(np.int64)
    on_net = rows >= 0
    matrix = sparse.csr_array(
        (strength[on_net].astype(np.float32), (rows[on_net], columns[on_net])), shape=(len(population), len(names))
    )
    matrix.sort_indices()
    return Holdings(np.array(names.to_pylist(), dtype=object), matrix)
