"""A customer in a few numbers that keep their meaning from one training to the next, for what learns from answers.

Trained vectors turn with every training; weights learned on last month's would mean nothing on this month's. So answers
are learned from these instead: years, spending, how full the plan is, and how app use is spread over categories.
"""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from embeddings.catalogue import Catalogue
from embeddings.graph import Graph
from lake.tables import Lake

AMOUNTS = ("birth_year", "income_band", "star", "arpu")
CATEGORIES = 16
"""Categories of apps that are told apart, the most used ones."""
BILLS = 3
"""Latest bills that the use of a plan is averaged over."""
MONTHS = 12
"""Months whose plans and bills are told apart; earlier answers count as of the first of them."""
MOST_UNLIKE = 3.0
"""Nobody counts as farther from the mean than so many standard deviations."""


def portraits(
    lake: Lake, graph: Graph, user: np.ndarray, at: np.ndarray, before: dt.date | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of all customers now (n, f), or as of the day `before`, and of the customers at `user` (r, -1 for nobody)
    as of the month of the moments `at` (r, microseconds since 1970): what an answer changed is not known before it.

    float32, each with mean 0 and deviation 1 over the customers of whom it is known now; 0 where it is not. App use is
    that of the graph throughout.
    """
    nodes, n = graph.nodes, len(graph.nodes.users)
    changing = _plan(lake, nodes, before)
    columns = {**changing, **_amounts(lake, nodes), **_tastes(lake, graph)}
    scales = {name: scale(values) for name, values in columns.items()}
    now = np.zeros((n + 1, len(columns)), np.float32)  # the last row is nobody
    for j, (name, values) in enumerate(columns.items()):
        now[:n, j] = deviations(values, *scales[name])
    then = now[user]
    month = at.astype("datetime64[us]").astype("datetime64[M]")
    for k, first in enumerate(np.unique(month)[-MONTHS:]):
        rows = np.flatnonzero(month <= first if k == 0 else month == first)
        past = _plan(lake, nodes, first.astype("datetime64[D]").item())
        for j, name in enumerate(changing):
            values = np.append(past.get(name, np.full(n, np.nan)), np.nan)
            then[rows, j] = deviations(values[user[rows]], *scales[name])
    return now[:n], then


def scale(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the finite values; 0 and infinity where they do not differ."""
    good = values[np.isfinite(values)]
    spread = float(good.std()) if len(good) else 0.0
    return (float(good.mean()), spread) if spread > 0 else (0.0, np.inf)


def deviations(values: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """(values - mean) / spread in float32, within ±`MOST_UNLIKE`; 0 where not finite.

    >>> deviations(np.array([1.0, 3.0, np.nan]), 2.0, 1.0).tolist()
    [-1.0, 1.0, 0.0]
    """
    found = np.clip((values - mean) / spread, -MOST_UNLIKE, MOST_UNLIKE)
    return np.where(np.isfinite(values), found, 0.0).astype(np.float32)


def _amounts(lake: Lake, nodes: Catalogue) -> dict[str, np.ndarray]:
    table = lake.scan("customers")
    present = [name for name in AMOUNTS if name in table.columns]
    rows = table.select("user", *present).inner_join(nodes.index("user"), "user").to_pyarrow()
    found = {}
    for name in present:
        values = _placed(rows, name, len(nodes.users))
        found[name] = np.log1p(np.maximum(values, 0)) if name == "arpu" else values
    return found


def _plan(lake: Lake, nodes: Catalogue, before: dt.date | None) -> dict[str, np.ndarray]:
    """What the customer uses, pays, and how much of the plan that is: logarithms of mb and minutes of the latest bills,
    of the plan's fee, and of use over what the plan holds."""
    n, found = len(nodes.users), {}
    if lake.has("bills"):
        bills = lake.scan("bills").select("user", "month", "mb", "minutes")
        if before is not None:
            bills = bills.filter(bills.month < f"{before:%Y-%m}")
        latest = ibis.row_number().over(group_by=bills.user, order_by=ibis.desc(bills.month))
        each = bills.mutate(place=latest).filter(ibis._.place < BILLS).group_by("user")
        rows = each.aggregate(mb=ibis._.mb.mean(), minutes=ibis._.minutes.mean())
        table = rows.inner_join(nodes.index("user"), "user").to_pyarrow()
        found = {name: np.log1p(np.maximum(_placed(table, name, n), 0)) for name in ("mb", "minutes")}
    if lake.has("subscriptions") and lake.has("products"):
        held, products = lake.scan("subscriptions"), lake.scan("products")
        if before is not None:
            held = held.filter(held.since < before)
        kinds = products.filter(products.kind == "plan").select("product", "monthly_fee", "mb", "minutes")
        plans = held.inner_join(kinds, "product")
        last = ibis.struct({k: plans[k] for k in ("since", "product", "monthly_fee", "mb", "minutes")}).max()
        each = plans.group_by("user").aggregate(plan=last)
        rows = each.select("user", *[each["plan"][k].name(k) for k in ("monthly_fee", "mb", "minutes")])
        table = rows.inner_join(nodes.index("user"), "user").to_pyarrow()
        found["fee"] = np.log1p(np.maximum(_placed(table, "monthly_fee", n), 0))
        for name in ("mb", "minutes"):
            if name in found:
                found[f"{name}_of_plan"] = found[name] - np.log1p(np.maximum(_placed(table, name, n), 0))
    return found


def _tastes(lake: Lake, graph: Graph) -> dict[str, np.ndarray]:
    """Share of each of the most used categories in a customer's app use (by strength); nan for who uses none."""
    uses, apps = graph.uses, graph.nodes.apps
    if not len(uses) or not lake.has("categories"):
        return {}
    known = lake.scan("categories")
    known = known.filter(known.item_kind == "app").group_by("item").aggregate(category=ibis._.category.min())
    rows = known.rename(app="item").inner_join(graph.nodes.index("app"), "app").order_by("app_at").to_pyarrow()
    if not rows.num_rows:
        return {}
    names, code = np.unique(np.array(rows["category"].to_pylist()), return_inverse=True)
    at = rows["app_at"].to_numpy()
    member = sp.csr_array((np.ones(len(at), np.float32), (at, code)), shape=(len(apps), len(names)))
    amount = (uses.matrix(binary=False) @ member).toarray()
    kept = np.sort(np.argsort(-np.count_nonzero(amount, axis=0), kind="stable")[:CATEGORIES])
    total = amount.sum(axis=1)
    share = np.divide(amount, total[:, None], out=np.full(amount.shape, np.nan, amount.dtype), where=total[:, None] > 0)
    return {f"share of {names[k]}": share[:, k].astype(np.float64) for k in kept}


def _placed(rows: pa.Table, name: str, n: int) -> np.ndarray:
    """A column of a table with `user_at` as float64 (n,), nan where there is none."""
    found = np.full(n, np.nan)
    found[rows["user_at"].to_numpy()] = rows[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
    return found
