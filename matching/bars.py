"""Rules as arrays: whom a rule bars, and from which items, found once when the state is loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import SettingError
from lake.tables import Lake
from matching.arrays import positions
from matching.audience import frame_of
from matching.customers import Customers, Handsets, handset_since
from matching.parameters import ArpuTiers, ContractEnd, GoldenMonths, OwnRule
from matching.rules import Ruled, read_rules

FEEDS_OF = {"offers": ("offers", "offer"), "apps": ("apps", "app"), "products": ("products", "product")}
"""Table and column of the identifiers that an own rule's list may name."""


@dataclass(frozen=True)
class Bar:
    """`customers` bool (n + 1) may not be shown `items`: positions by kind, None for all of the kind."""

    customers: np.ndarray
    items: Mapping[str, np.ndarray | None]

    def clear(self, kind: str, users: np.ndarray, mask: np.ndarray) -> None:
        """Clear mask (b, items of the kind) for users (b) in place."""
        rows = np.flatnonzero(self.customers[users])
        if kind not in self.items or not len(rows):
            return
        places = self.items[kind]
        if places is None:
            mask[rows] = False
        elif len(users) == 1:
            mask[0, places] = False
        else:
            mask[rows[:, None], places[None, :]] = False


@dataclass(frozen=True)
class Rule:
    """A rule in force. `bars` are what it bars; a built-in rule without any has its mask in `matching.eligibility`."""

    name: str
    reason: str
    kinds: tuple[str, ...]
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Items:
    """What rules may be about: app ids, offer ids, and the product of each offer, as text by position."""

    apps: pa.Array
    offers: pa.Array
    products: pa.Array


def bind(
    rules: tuple[Ruled, ...], lake: Lake, customers: Customers, handsets: Handsets, items: Items, today: dt.date
) -> tuple[Rule, ...]:
    """The rules in force, in their order, with what each bars."""
    fields = {f for r in rules if r.in_force and isinstance(r.settings, OwnRule) for f in r.settings.condition.fields}
    frame = frame_of(lake, sorted(fields), customers, handsets, today) if fields else None
    found = []
    for rule in rules:
        if not rule.in_force:
            continue
        told = rule.settings
        if isinstance(told, OwnRule):
            frame = pa.table({"user": lake.read("customers", ["user"])["user"]}) if frame is None else frame
            bars = [_own(rule, told, lake, frame, items, today)]
        elif isinstance(told, ContractEnd):
            bars = [_contract_end(told, lake, items, today)]
        elif isinstance(told, GoldenMonths):
            bars = [_golden_months(told, lake, items, today)]
        elif isinstance(told, ArpuTiers):
            bars = _arpu_tiers(told, lake, items)
        elif rule.name == "barred":
            status = _customers(lake, "status", pa.string())
            bars = [Bar(_flags(pc.equal(status, "barred")), dict.fromkeys(rule.kinds))]
        else:
            bars = []
        found.append(Rule(rule.name, rule.reason, rule.kinds, tuple(bars)))
    return tuple(found)


def load_rules(settings: Mapping[str, Any], lake: Lake) -> tuple[Ruled, ...]:
    """`read_rules`, with every offer, app, product and category that an own rule names looked up in the lake; where
    nothing of its kind has been loaded yet, that cannot be told.

    Raises SettingError, naming the rule and what in it, for one that cannot be used.
    """
    rules = read_rules(settings)
    for rule in rules:
        scope = rule.settings.scope if isinstance(rule.settings, OwnRule) and rule.in_force else {}
        for name, values in scope.items():
            known = _known(lake, name)
            missing = sorted(set(values) - known) if known else []
            if missing:
                raise SettingError(
                    f"rule {rule.name}: {name} has {missing[0]}, which is not there",
                    "name what has been loaded, or load it first",
                )
    return rules


def months_from(day: dt.date, months: int) -> dt.date:
    """The same day so many months later (before, where negative), or the last of a shorter month.

    >>> months_from(dt.date(2026, 11, 30), 3), months_from(dt.date(2026, 1, 15), -2)
    (datetime.date(2027, 2, 28), datetime.date(2025, 11, 15))
    """
    month = day.year * 12 + day.month - 1 + months
    first = dt.date(month // 12, month % 12 + 1, 1)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _contract_end(told: ContractEnd, lake: Lake, items: Items, today: dt.date) -> Bar:
    """Contracts that run on beyond so many months."""
    until = _customers(lake, "contract_until", pa.date32())
    bound = _flags(pc.greater(until, pa.scalar(months_from(today, told.months))))
    return Bar(bound, {"offer": _offers_of_kinds(lake, items, told.product_kinds)})


def _golden_months(told: GoldenMonths, lake: Lake, items: Items, today: dt.date) -> Bar:
    """Handsets that have been in use for longer."""
    since = handset_since(lake, lake.read("customers", ["user"])["user"], today)
    old = since < np.datetime64(months_from(today, -told.months))  # NaT, where not known, is not before
    return Bar(old, {"offer": _offers_of_kinds(lake, items, told.product_kinds)})


def _arpu_tiers(told: ArpuTiers, lake: Lake, items: Items) -> list[Bar]:
    """A bar for each tier: its customers, and the offers whose monthly fee does not suit them."""
    arpu = _numbers(_customers(lake, "arpu", pa.float64()))
    fee = _numbers(_of_products(lake, items, "monthly_fee", pa.float64()))
    meant = np.isin(np.arange(len(items.offers)), _offers_of_kinds(lake, items, told.product_kinds))
    starts = [tier.arpu_from for tier in told.tiers]
    bars = []
    for tier, start, end in zip(told.tiers, starts, [*starts[1:], np.inf], strict=True):
        low = -np.inf if tier.fee_from is None else tier.fee_from
        high = np.inf if tier.fee_to is None else tier.fee_to
        inside = np.append((arpu >= start) & (arpu < end), False)  # nan, where not known, is in no tier
        bars.append(Bar(inside, {"offer": np.flatnonzero(meant & ((fee < low) | (fee > high)))}))
    return bars


def _own(rule: Ruled, told: OwnRule, lake: Lake, frame: pa.Table, items: Items, today: dt.date) -> Bar:
    """Who meets `not_for`, or does not meet `only_for`; an unknown number meets no condition."""
    meets = np.append(told.condition.mask(frame, today), False)
    places = {kind: _scope(told, kind, lake, items) for kind in rule.kinds}
    return Bar(meets if told.not_for is not None else ~meets, places)


def _scope(told: OwnRule, kind: str, lake: Lake, items: Items) -> np.ndarray | None:
    """Positions of the items of a kind that an own rule's lists name together; None, for all, without lists."""
    if not told.scope:
        return None
    if kind == "app":
        named = {*told.apps, *_in_categories(lake, "app", told.categories)}
        return _places(items.apps, named)
    products = {*told.products, *_in_categories(lake, "product", told.categories)}
    found = np.union1d(_places(items.offers, set(told.offers)), _places(items.products, products))
    return np.union1d(found, _offers_of_kinds(lake, items, told.product_kinds)).astype(np.int64)


def _known(lake: Lake, name: str) -> set[str]:
    """The identifiers that a list of an own rule may name."""
    if name == "categories":
        return set(lake.read("categories", ["category"])["category"].to_pylist()) if lake.has("categories") else set()
    if name not in FEEDS_OF:
        return set()
    table, column = FEEDS_OF[name]
    return set(lake.read(table, [column])[column].to_pylist()) if lake.has(table) else set()


def _in_categories(lake: Lake, kind: str, names: list[str]) -> set[str]:
    if not names or not lake.has("categories"):
        return set()
    table = lake.read("categories", ["item_kind", "item", "category"])
    meant = pc.and_(pc.equal(table["item_kind"], kind), pc.is_in(table["category"], value_set=pa.array(names)))
    return set(table.filter(meant)["item"].to_pylist())


def _places(ids: pa.Array, wanted: set[str]) -> np.ndarray:
    """Positions of the ids that are wanted."""
    return np.flatnonzero(positions(ids, pa.array(sorted(wanted), pa.string())) >= 0)


def _offers_of_kinds(lake: Lake, items: Items, kinds: list[str]) -> np.ndarray:
    kind = _of_products(lake, items, "kind", pa.string())
    return np.flatnonzero(positions(kind, pa.array(kinds, pa.string())) >= 0)


def _of_products(lake: Lake, items: Items, column: str, type_: pa.DataType) -> pa.Array:
    """A column of `products` for the product of each offer, null where it is not known."""
    table = lake.read("products") if lake.has("products") else None
    if table is None or column not in table.column_names:
        return pa.nulls(len(items.products), type_)
    place = positions(items.products, table["product"])
    return pc.take(table[column].combine_chunks(), pa.array(place, mask=place < 0))


def _customers(lake: Lake, column: str, type_: pa.DataType) -> pa.Array:
    table = lake.read("customers")
    return table[column].combine_chunks() if column in table.column_names else pa.nulls(table.num_rows, type_)


def _flags(mask: pa.Array) -> np.ndarray:
    """A mask over the customers, false where it is null and for an unknown number."""
    return np.append(np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool), False)


def _numbers(column: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan))
