"""Features of what a customer holds: contract, plan, packs, services, handset; and of the customer."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from graph.calls.forecasts.history import Columns, History, ratio

RECENT = dt.timedelta(days=92)
"""Orders and changes of handset this long ago are recent."""


def features(history: History, place: int) -> Columns:
    """By what had begun on the period's last day; `until` counts where it was past by then.

    `contract_until`, `arpu`, `star` and `brand` of `users` are of the day of the load, not of that day, and are left
    out: a contract that was renewed since would tell who stayed.
    """
    day = history.day(place)
    return {**_products(history, day), **_handset(history, day), **_person(history, day)}


def _spread(history: History, frame: pl.DataFrame, names: list[str]) -> Columns:
    table = frame.select("user", *names).to_arrow()
    at = history.customers.positions.of(table["user"])
    known = at >= 0
    return {name: history.spread(at[known], table[name].filter(known)) for name in names}


def _products(history: History, day: dt.date) -> Columns:
    names = ["contract_days", "plan_fee", "plan_mb", "plan_days", "packs", "pack_days", "services"]
    lake = history.lake
    if not (lake.has("subscriptions") and lake.has("products")):
        return {name: np.full(history.n, np.nan, np.float32) for name in names}
    products = _frame(lake.read("products", ["product", "kind", "monthly_fee", "mb", "contract_months"]))
    held = _frame(lake.read("subscriptions", ["user", "product", "since", "until"]))
    held = held.filter(pl.col("since") <= day).join(products, on="product").sort("user", "since", "product")
    open_ = held.filter(pl.col("until").is_null() | (pl.col("until") > day))
    ends = pl.min_horizontal(
        pl.col("since").dt.offset_by(pl.format("{}mo", pl.col("contract_months").fill_null(0))),
        pl.when(pl.col("until") <= day).then("until"),
    )
    parts = [
        held.filter(pl.col("kind") == "contract").group_by("user").agg(
            contract_days=(ends - day).dt.total_days().last(),
        ),
        open_.filter(pl.col("kind") == "plan").group_by("user").agg(
            plan_fee=pl.col("monthly_fee").last(), plan_mb=pl.col("mb").last(),
            plan_days=(day - pl.col("since").last()).dt.total_days(),
        ),
        held.filter(pl.col("kind") == "data_pack").group_by("user").agg(
            packs=(pl.col("since") > day - RECENT).sum(), pack_days=(day - pl.col("since").last()).dt.total_days(),
        ),
        open_.filter(pl.col("kind") == "service").group_by("user").agg(services=pl.len()),
    ]  # fmt: skip
    found: Columns = {}
    for part in parts:
        found |= _spread(history, part, [name for name in part.columns if name != "user"])
    for name in ("packs", "services"):
        found[name] = np.nan_to_num(found[name])
    return {name: found[name] for name in names}


def _handset(history: History, day: dt.date) -> Columns:
    names = ["handset_days", "handset_price", "handset_price_change", "handset_age"]
    if not history.lake.has("user_handsets"):
        return {name: np.full(history.n, np.nan, np.float32) for name in names}
    held = _frame(history.lake.read("user_handsets", ["user", "handset", "since"])).filter(pl.col("since") <= day)
    models = pl.DataFrame(schema={"handset": pl.String, "price": pl.Float64, "released_on": pl.Date})
    if history.lake.has("handsets"):
        models = _frame(history.lake.read("handsets", list(models.columns)))
    held = held.join(models, on="handset", how="left").sort("user", "since", "handset")
    former = pl.col("price").shift(1).over("user")
    last = (
        held.with_columns(former=former)
        .group_by("user")
        .agg(pl.all().last())
        .with_columns(
            handset_days=(day - pl.col("since")).dt.total_days(),
            handset_price=pl.col("price"),
            handset_price_change=pl.when(pl.col("since") > day - RECENT).then(pl.col("price") / pl.col("former")),
            handset_age=(day - pl.col("released_on")).dt.total_days(),
        )
    )
    return _spread(history, last, names)


def _person(history: History, day: dt.date) -> Columns:
    columns = ["activated_on", "birth_year", "kind"]
    there = set(history.lake.scan("customers").columns)
    rows = _frame(history.lake.read("customers", [name for name in columns if name in there]))
    nothing = np.full(history.n, np.nan, np.float32)

    def column(name: str, value: pl.Expr) -> np.ndarray:
        if name not in rows.columns:
            return nothing
        return rows.select(value.cast(pl.Float32).fill_null(np.nan)).to_series().to_numpy()

    tenure = column("activated_on", (day - pl.col("activated_on")).dt.total_days())
    return {
        "tenure": np.where(tenure >= 0, tenure, np.nan).astype(np.float32),
        "age": column("birth_year", day.year - pl.col("birth_year")),
        "person": column("kind", pl.col("kind") == "person"),
    }


def used_share(columns: Columns) -> np.ndarray:
    """Data used of the plan's data."""
    return ratio(columns["mb"], columns["plan_mb"])


def _frame(table) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
