"""What segments are made of: age band, spending, favourite category, handset brand, each as a coded column."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from graph.dumbbell.channel_use import months_before
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.population import Population
from lake.tables import Lake

AGE_FROM = (0, 18, 25, 35, 45, 55, 65)
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
OLDEST = 120
SPEND_TIERS = ("low spend", "medium spend", "high spend")
PRIOR = 3.0


@dataclass(frozen=True)
class Attribute:
    """One attribute of all customers: `codes[i]` indexes `labels`, -1 where customer i has none."""

    labels: tuple[str, ...]
    codes: np.ndarray


def age_band(population: Population, today: dt.date) -> Attribute:
    """Age in the year of `today`, in bands; a birth year in the future or over 120 years back counts as unknown."""
    age = today.year - _floats(population.column("birth_year"))
    known = (age >= 0) & (age <= OLDEST)
    codes = np.searchsorted(AGE_FROM, np.where(known, age, 0), side="right") - 1
    return Attribute(AGE_BANDS, np.where(known, codes, -1))


def spend_tier(lake: Lake, population: Population, today: dt.date) -> Attribute:
    """Thirds of the customers by `arpu`, where it is absent by the mean fee of the last three months' bills.

    Unknown for all where the thirds cannot be told apart.
    """
    spend = _floats(population.column("arpu"))
    if lake.has("bills"):
        bills = lake.scan("bills")
        recent = bills.filter(bills.month >= f"{months_before(today, 3):%Y-%m}", bills.fee.notnull())
        fees = recent.group_by("user").agg(fee=recent.fee.mean()).to_pyarrow()
        rows = population.positions(fees["user"])
        billed = np.full(len(population), np.nan)
        billed[rows[rows >= 0]] = fees["fee"].to_numpy()[rows >= 0]
        spend = np.where(np.isnan(spend), billed, spend)
    known = np.isfinite(spend)
    if not known.any():
        return Attribute(SPEND_TIERS, np.full(len(population), -1))
    bounds = np.quantile(spend[known], [1 / 3, 2 / 3])
    if bounds[0] == bounds[1]:
        return Attribute(SPEND_TIERS, np.full(len(population), -1))
    codes = np.searchsorted(bounds, np.where(known, spend, 0.0), side="left")
    return Attribute(SPEND_TIERS, np.where(known, codes, -1))


def favourite_category(apps: Holdings, categories: pa.Table) -> Attribute:
    """The category that stands out most in each customer's use.

    With s_uc the strength of customer u's use in category c, s_u = Σ_c s_uc and p_c the share of c in everybody's use,
    it is the c with the highest lift ((s_uc + 3 p_c) / (s_u + 3)) / p_c among those used; the prior keeps
    one session in a rare category from winning. Equal ones go by name. Unknown for customers without use.
    """
    members, labels = category_members(apps.items, "app", categories)
    use = sparse.csr_array(apps.strength @ members).astype(np.float64)
    use.sort_indices()
    total = use.sum(axis=0)
    share = total / max(total.sum(), 1e-300)
    codes = np.full(use.shape[0], -1)
    if use.nnz:
        row = np.repeat(np.arange(use.shape[0]), np.diff(use.indptr))
        base = share[use.indices]
        lift = (use.data + PRIOR * base) / (use.sum(axis=1)[row] + PRIOR) / base
        order = np.lexsort((use.indices, -lift.round(9), row))
        first = order[np.flatnonzero(np.r_[True, np.diff(row[order]) > 0])]
        codes[row[first]] = use.indices[first]
    return Attribute(tuple(labels), codes)


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


def _floats(column: pa.Array) -> np.ndarray:
    return pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False)
