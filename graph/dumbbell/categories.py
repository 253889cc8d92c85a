"""Categories of apps and products: the catalogue's, or learned from co-use where it has none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.couse import groups, neighbours
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.names import app_names
from lake.tables import Lake

ROUNDS = 10
SCHEMA = pa.schema([("item_kind", pa.string()), ("item", pa.string()), ("category", pa.string())])


def learn_categories(lake: Lake, apps: Holdings) -> pa.Table:
    """One category an item: `item_kind` (app, product), `item`, `category`, sorted.

    An app keeps the catalogue's category, a product its kind. An app without one takes the category that weighs
    most among the apps used by the same people; those that reach no such app form groups of their own,
    named after the most used app of the group (`like: Maps`). An app that nobody uses together with
    another, and a product that the catalogue does not know, have none.
    """
    labels = _catalogue_categories(lake, apps.items)
    if (labels == "").any() and apps.strength.nnz:
        near = neighbours(apps.held)
        labels = _adopt(labels, near)
        labels = _name_groups(lake, apps, labels, near)
    items = [(item, label) for item, label in zip(apps.items, labels, strict=True) if label]
    rows = [("app", item, label) for item, label in items]
    if lake.has("products"):
        products = lake.read("products", ["product", "kind"])
        products = products.filter(pc.is_valid(products["kind"])).sort_by("product")
        rows += [("product", p["product"], p["kind"]) for p in products.to_pylist()]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=SCHEMA)


def _catalogue_categories(lake: Lake, items: np.ndarray) -> np.ndarray:
    """The catalogue's category of each app, (m,) of text, empty where it has none."""
    if not lake.has("apps"):
        return np.full(len(items), "", object)
    table = lake.read("apps", ["app", "category"])
    known = dict(zip(table["app"].to_pylist(), table["category"].to_pylist(), strict=True))
    return np.array([known.get(item) or "" for item in items], object)


def _adopt(labels: np.ndarray, near: sparse.csr_array) -> np.ndarray:
    """Give an app without category the one that weighs most among its neighbours, round by round outwards."""
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    if names[0] == "" and len(names) == 1:
        return labels
    blank = np.flatnonzero(names == "")
    if not len(blank):
        return labels
    votes_of = np.where(codes == blank[0], -1, codes)
    for _ in range(ROUNDS):
        labelled = votes_of >= 0
        marks = sparse.csr_array(
            (np.ones(labelled.sum()), (np.flatnonzero(labelled), votes_of[labelled])), shape=(len(labels), len(names))
        )
        votes = sparse.csr_array(near @ marks)
        open_ = np.flatnonzero(~labelled & (np.diff(votes.indptr) > 0))
        if not len(open_):
            break
        votes_of[open_] = votes[open_].toarray().argmax(axis=1)  # a tie goes to the name that sorts first
    return np.array([names[code] if code >= 0 else "" for code in votes_of], object)


def _name_groups(lake: Lake, apps: Holdings, labels: np.ndarray, near: sparse.csr_array) -> np.ndarray:
    """Learn groups among the apps still without category, and name each after its most used app."""
    open_ = np.flatnonzero(labels == "")
    if not len(open_):
        return labels
    found = groups(sparse.csr_array(near[open_][:, open_]))
    names = app_names(lake, apps.items)
    order = np.lexsort((open_, -apps.users_of[open_]))  # the most used first, then by identifier
    named: dict[int, str] = {}
    for place in order:
        if found[place] >= 0:
            named.setdefault(int(found[place]), f"like: {names[open_[place]]}")
    labels = labels.copy()
    labels[open_] = [named.get(int(group), "") for group in found]
    return labels
