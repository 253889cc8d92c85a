"""What sets each segment apart, for people to read: one row a segment."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.dumbbell.attributes import ages
from graph.dumbbell.names import app_names
from graph.dumbbell.population import Population
from graph.dumbbell.segments import Segments
from lake.tables import Lake

TOP = 3
"""Categories, apps and products that are named."""
SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("median_age", pa.float64()),
        ("mean_arpu", pa.float64()),
        ("top_categories", pa.list_(pa.string())),
        ("top_apps", pa.list_(pa.string())),
        ("top_products", pa.list_(pa.string())),
    ]
)


def profile(lake: Lake, population: Population, segments: Segments, fits: pa.Table, today: dt.date) -> pa.Table:
    """Each segment's name today, number of customers, median age, mean `arpu`, and what it has more than others.

    Age and arpu are of those of whom they are known, null where of nobody. The three categories, apps and products have
    the highest score · ln lift among those of a lift above 1 (`fits`); apps and products go by their names.
    """
    size = np.bincount(segments.codes, minlength=len(segments.labels))
    spend = pc.fill_null(population.column("arpu").cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False)
    known = np.isfinite(spend)
    spent = np.bincount(segments.codes[known], spend[known], len(size))
    spenders = np.bincount(segments.codes[known], minlength=len(size))
    arpu = np.divide(spent, spenders, out=np.zeros(len(size)), where=spenders > 0).round(2)
    columns = [
        pa.array(segments.labels, pa.string()),
        pa.array(segments.names or segments.labels, pa.string()),
        pa.array(size),
        _medians(segments.codes, ages(population, today), len(size)),
        pa.array(arpu, mask=spenders == 0),
        *(_tops(segments, fits, kind, _names(lake, kind)) for kind in ("category", "app", "product")),
    ]
    return pa.table(columns, schema=SCHEMA)


def _medians(codes: np.ndarray, values: np.ndarray, groups: int) -> pa.Array:
    """The median of each group's values that are not NaN, null without any."""
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.lexsort((values[known], codes[known]))]
    size = np.bincount(codes[order], minlength=groups)
    begin = np.cumsum(size) - size
    middle = np.zeros(groups)
    some = size > 0
    low, high = begin[some] + (size[some] - 1) // 2, begin[some] + size[some] // 2
    middle[some] = (values[order[low]] + values[order[high]]) / 2
    return pa.array(middle, mask=~some)


def _names(lake: Lake, kind: str) -> dict[str, str]:
    """What people call the items of a kind; those without a name are not there."""
    table = {"app": "apps", "product": "products"}.get(kind)
    if table is None or not lake.has(table):
        return {}
    if kind == "app":
        items = np.array(lake.read("apps", ["app"])["app"].to_pylist(), dtype=object)
        return dict(zip(items, app_names(lake, items), strict=True))
    products = lake.read("products", ["product", "name"]).to_pylist()
    return {row["product"]: row["name"] for row in products if row["name"]}


def _tops(segments: Segments, fits: pa.Table, kind: str, names: dict[str, str]) -> pa.Array:
    """The names of each segment's best items of a kind, best first."""
    part = fits.filter(pc.and_(pc.equal(fits["item_kind"], kind), pc.greater(fits["lift"], 1.0)))
    worth = part["score"].to_numpy() * np.log(part["lift"].to_numpy())
    segment = pc.index_in(part["segment"], value_set=pa.array(segments.labels, pa.string())).to_numpy()
    found: list[list[str]] = [[] for _ in segments.labels]
    items = part["item"].to_pylist()
    for row in np.lexsort((np.arange(len(items)), -worth.round(9), segment)):
        if len(found[segment[row]]) < TOP:
            found[segment[row]].append(names.get(items[row], items[row]))
    return pa.array(found, pa.list_(pa.string()))
