"""Categories of apps and products: the catalogue's, or learned from co-use where it has none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.couse import groups, neighbours
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.names import app_names, kept_names
from lake.tables import Lake

ROUNDS = 10
LIKE = "like: "
"""How the names of learned categories begin."""
LOYAL = 0.8
"""An app stays in its group of the last run while that pulls at least by this share of what another does."""
SCHEMA = pa.schema([("item_kind", pa.string()), ("item", pa.string()), ("category", pa.string())])


def learn_categories(lake: Lake, apps: Holdings) -> pa.Table:
    """One category an item: `item_kind` (app, product), `item`, `category`, sorted.

    An app keeps the catalogue's category, a product its kind. An app without one takes the category that weighs
    most among the apps used by the same people; those that reach no such app form groups of their own, named after
    the most typical app of the group (`like: Maps`), and keep their names while most of their apps stay. An app that
    nobody uses together with another, and a product that the catalogue does not know, have none.
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
    """Learn groups among the apps still without category, and name each after its most typical app.

    That is the app with most weight to the others of the group, then with most customers. A group that has most of the
    apps of one of the last run keeps that one's name, and an app its group while that one pulls nearly as strongly.
    """
    open_ = np.flatnonzero(labels == "")
    if not len(open_):
        return labels
    near = sparse.csr_array(near[open_][:, open_])
    found = groups(near)
    _, found = np.unique(np.r_[-1, found], return_inverse=True)
    found = found[1:] - 1  # dense numbers
    shape = (len(open_), int(found.max(initial=-1)) + 1)
    pull = _pull(near, found, shape)
    inner = np.where(found >= 0, pull[np.arange(len(found)), found], -1.0) if shape[1] else np.zeros(len(found))
    names = app_names(lake, apps.items)
    typical: dict[int, str] = {}
    for place in np.lexsort((open_, -apps.users_of[open_], -inner.round(9), found)):
        if found[place] >= 0:
            typical.setdefault(int(found[place]), f"{LIKE}{names[open_[place]]}")
    before, former = _former_groups(lake, apps.items[open_])
    taken = frozenset(labels[labels != ""].tolist())
    named = kept_names(before, former, found, [typical[g] for g in range(shape[1])], taken)
    place_of = {name: g for g, name in enumerate(named)}
    stayed = np.array([place_of.get(former[b], -1) if b >= 0 else -1 for b in before], np.int64)
    can = np.flatnonzero((stayed >= 0) & (found >= 0))
    pulled = pull[can, stayed[can]]
    stay = can[(pulled > 0) & (pulled >= LOYAL * pull[can, found[can]])]
    found[stay] = stayed[stay]
    labels = labels.copy()
    labels[open_] = [named[group] if group >= 0 else "" for group in found]
    return labels


def _pull(near: sparse.csr_array, found: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Weight of each app's neighbours in each group, dense (apps, groups)."""
    inside = np.flatnonzero(found >= 0)
    marks = sparse.csr_array((np.ones(len(inside)), (inside, found[inside])), shape=shape)
    return sparse.csr_array(near @ marks).toarray()


def _former_groups(lake: Lake, items: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The learned category of each app in the last run, as places in a list of names, -1 without."""
    if not lake.has("categories"):
        return np.full(len(items), -1), []
    table = lake.read("categories")
    learned = pc.and_(pc.equal(table["item_kind"], "app"), pc.starts_with(table["category"], LIKE))
    table = table.filter(learned)
    former = dict(zip(table["item"].to_pylist(), table["category"].to_pylist(), strict=True))
    names = sorted(set(former.values()))
    place = {name: i for i, name in enumerate(names)}
    return np.array([place.get(former.get(item, ""), -1) for item in items], np.int64), names
