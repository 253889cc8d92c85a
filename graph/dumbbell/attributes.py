"""What segments are made of: age, spending, tastes, use, handset, city, each as a coded column."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.channel_use import months_before
from graph.dumbbell.holdings import Holdings, blocks
from graph.dumbbell.population import Population
from lake.tables import Lake

AGE_FROM = (0, 18, 25, 35, 45, 55, 65)
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
OLDEST = 120
SPEND_TIERS = ("low spend", "medium spend", "high spend")
USE_TIERS = ("light use", "medium use", "heavy use")
PRIOR = 3.0
MARGIN = 0.1
FAITH = 1.25


@dataclass(frozen=True)
class Attribute:
    """One attribute of all customers: `codes[i]` indexes `labels`, -1 where customer i has none."""

    labels: tuple[str, ...]
    codes: np.ndarray

    def text(self) -> pa.Array:
        """The label of each customer, null without one."""
        return pa.array(self.labels, pa.string()).take(pa.array(self.codes, mask=self.codes < 0))


def ages(population: Population, today: dt.date) -> np.ndarray:
    """The age that each customer reaches in the year of `today`, NaN where unknown: (n,) float64.

    A birth year in the future or over 120 years back counts as unknown.
    """
    age = today.year - _floats(population.column("birth_year"))
    return np.where((age >= 0) & (age <= OLDEST), age, np.nan)


def age_band(population: Population, today: dt.date) -> Attribute:
    """Age (`ages`) in bands."""
    age = ages(population, today)
    known = np.isfinite(age)
    codes = np.searchsorted(AGE_FROM, np.where(known, age, 0), side="right") - 1
    return Attribute(AGE_BANDS, np.where(known, codes, -1))


def spend_tier(lake: Lake, population: Population, today: dt.date, former: pa.Array | None = None) -> Attribute:
    """Thirds of the customers by `arpu`, where it is absent by the mean fee of the last three months' bills."""
    spend = _floats(population.column("arpu"))
    if lake.has("bills"):
        bills = lake.scan("bills")
        recent = bills.filter(bills.month >= f"{months_before(today, 3):%Y-%m}", bills.fee.notnull())
        fees = recent.group_by("user").agg(fee=recent.fee.mean().round(6)).to_pyarrow()
        rows = population.positions(fees["user"])
        billed = np.full(len(population), np.nan)
        billed[rows[rows >= 0]] = fees["fee"].to_numpy()[rows >= 0]
        spend = np.where(np.isnan(spend), billed, spend)
    return thirds(spend, SPEND_TIERS, former)


def use_tier(apps: Holdings, former: pa.Array | None = None) -> Attribute:
    """Thirds of the customers who use apps at all, by how much: Σ log(1 + sessions) over their apps."""
    use = apps.strength.sum(axis=1).astype(np.float64)
    return thirds(np.where(use > 0, use, np.nan), USE_TIERS, former)


def thirds(values: np.ndarray, labels: tuple[str, ...], former: pa.Array | None = None) -> Attribute:
    """Lower, middle and upper third of `values` (n,), unknown where NaN, and for all where they cannot be told apart.

    Who was in a third before (`former`, its label) leaves it only when the value is more than a tenth past its bound,
    so that neither small changes nor moving bounds make customers move.

    >>> thirds(np.array([1.0, 2.0, 10.4]), ("low", "middle", "high")).codes.tolist()
    [0, 1, 2]
    """
    known = np.isfinite(values)
    bounds = np.quantile(values[known], [1 / 3, 2 / 3]) if known.any() else np.zeros(2)
    if bounds[0] == bounds[1]:
        return Attribute(labels, np.full(len(values), -1))
    codes = np.searchsorted(bounds, np.where(known, values, 0.0), side="left")
    if former is not None:
        was = codes_of(former, labels)
        slack = MARGIN * np.abs(bounds)
        low, high = np.r_[-np.inf, bounds - slack], np.r_[bounds + slack, np.inf]
        near = (was >= 0) & (values > low[was]) & (values <= high[was])
        codes = np.where(near, was, codes)
    return Attribute(labels, np.where(known, codes, -1))


def tastes(
    apps: Holdings, categories: pa.Table, former: pa.Array | None = None, former_second: pa.Array | None = None
) -> tuple[Attribute, Attribute]:
    """The category that stands out most in each customer's use, and the second one.

    With s_uc the strength of customer u's use in category c, s_u = Σ_c s_uc and p_c the share of c in everybody's use,
    they are those c with the highest lift ((s_uc + 3 p_c) / (s_u + 3)) / p_c among those used (an m-estimate: Cestnik,
    ECAI 1990); the prior keeps one session in a rare category from winning. A favourite of the last run is given up
    only for one whose lift is a quarter higher. Equal ones go by name. Unknown for customers without use.
    """
    members, labels = category_members(apps.items, "app", categories)
    n = apps.strength.shape[0]
    total = sum((apps.strength[rows].sum(axis=0, dtype=np.float64) for rows in blocks(n)), np.zeros(len(apps.items)))
    share = total @ members
    share = share / max(share.sum(), 1e-300)
    shown = tuple(f"also {label}" for label in labels)
    favourite, second = np.full(n, -1), np.full(n, -1)
    was = np.full(n, -1) if former is None else codes_of(former, tuple(labels))
    was_second = np.full(n, -1) if former_second is None else codes_of(former_second, shown)
    for rows in blocks(n):
        use = sparse.csr_array(apps.strength[rows] @ members)
        favourite[rows] = _stands_out(use, share, was[rows])
        second[rows] = _stands_out(use, share, was_second[rows], without=favourite[rows])
    return Attribute(tuple(labels), favourite), Attribute(shown, second)


def _stands_out(
    use: sparse.csr_array, share: np.ndarray, was: np.ndarray, without: np.ndarray | None = None
) -> np.ndarray:
    """The category of highest lift in each row of `use`, -1 without; `without` (n,) are set aside."""
    codes = np.full(use.shape[0], -1)
    row = np.repeat(np.arange(use.shape[0]), np.diff(use.indptr))
    base = share[use.indices]
    lift = (use.data + PRIOR * base) / (use.sum(axis=1)[row] + PRIOR) / base
    lift[use.indices == was[row]] *= FAITH
    if without is not None:
        lift[use.indices == without[row]] = 0.0
    order = np.lexsort((use.indices, -lift.round(5), row))
    first = order[np.r_[True, np.diff(row[order]) > 0]] if len(order) else order
    first = first[lift[first] > 0]
    codes[row[first]] = use.indices[first]
    return codes


def city(population: Population) -> Attribute:
    """The city of `users`."""
    found = population.column("city").cast(pa.string())
    labels = pc.unique(found).drop_null().sort()
    return Attribute(tuple(labels.to_pylist()), pc.fill_null(pc.index_in(found, value_set=labels), -1).to_numpy())


def handset_brand(lake: Lake, population: Population, today: dt.date) -> Attribute:
    """Brand of the handset in use on `today`, the latest where there are several: `Acme owners`."""
    none = np.full(len(population), -1)
    if not (lake.has("user_handsets") and lake.has("handsets")):
        return Attribute((), none)
    owned, day = lake.scan("user_handsets"), ibis.literal(today)
    current = owned.filter(owned.since <= day, owned.until.isnull() | (owned.until >= day))
    branded = current.join(lake.scan("handsets").select("handset", "brand"), "handset").filter(ibis._.brand.notnull())
    table = branded.order_by("user", "since", "handset").select("user", "brand").to_pyarrow()
    rows, brands = population.positions(table["user"]), table["brand"].cast(pa.string())
    labels = pc.unique(brands).sort()
    places = pc.index_in(brands, value_set=labels).to_numpy()
    none[rows[rows >= 0]] = places[rows >= 0]  # the last assignment, the latest handset, stays
    return Attribute(tuple(f"{brand} owners" for brand in labels.to_pylist()), none)


def category_members(items: np.ndarray, kind: str, categories: pa.Table) -> tuple[sparse.csr_array, list[str]]:
    """Which of `items` (of that item_kind) lie in which category: ones, (m, c) float32, and the c names, sorted.

    The names are those of all kinds, so that matrices of apps and of products have the same columns.
    """
    labels = pc.unique(categories["category"]).sort()
    of_kind = categories.filter(pc.equal(categories["item_kind"], kind))
    place = pc.index_in(pa.array(items, pa.string()), value_set=of_kind["item"].combine_chunks())
    known = place.is_valid().to_numpy(zero_copy_only=False)
    category = pc.index_in(of_kind["category"].take(place.drop_null()), value_set=labels).to_numpy().astype(np.int64)
    rows = np.flatnonzero(known)
    members = sparse.csr_array((np.ones(len(rows), np.float32), (rows, category)), shape=(len(items), len(labels)))
    return members, labels.to_pylist()


def codes_of(texts: pa.Array, labels: tuple[str, ...]) -> np.ndarray:
    """The place of each text in `labels`, int64, -1 for null and for what is not there."""
    return pc.fill_null(pc.index_in(texts, value_set=pa.array(labels, pa.string())), -1).to_numpy().astype(np.int64)


def _floats(column: pa.Array) -> np.ndarray:
    return pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False)
