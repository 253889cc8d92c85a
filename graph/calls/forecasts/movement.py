"""`movement/period=…`: how far each customer moved and how many cells they called from, period by period."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.forecasts.history import EARLIER, Columns, History, against_network, mean, ratio
from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.places.cells import cell_names, cell_use
from graph.calls.places.movement import radius
from graph.calls.records import months_of
from graph.calls.state import Inputs, digest
from graph.geodesic import on_sphere
from lake.progress import track
from lake.tables import Lake

SCHEMA = pa.schema(
    [("user", pa.binary()), ("events", pa.int64()), ("cells", pa.int64())]
    + [(name, pa.float64()) for name in ("top_share", "radius_km")]
)

AT_HOME_KM = 1.0
"""Added to radii before they are compared: a move from 10 m to 100 m is none."""


def build(lake: Lake, customers: Customers, inputs: Inputs) -> list[str]:
    """Write the periods whose records changed, sorted by user; returns them. The caller saves `inputs`.

    `events` at known cells, distinct `cells`, the share of the most used one, and the radius of gyration.
    """
    on_net = digest(as_words(customers.users)[customers.on_net].tobytes())
    made = []
    for period in track(customers.periods, "movement"):
        months = months_of(lake, period)
        print_ = digest(on_net, [lake.facts("calls", month) for month in months], lake.facts("cells"))
        if inputs.get("movement", period) != print_ or not lake.files("movement", period):
            lake.write_partition("movement", "period", period, movement(lake, customers, period))
            inputs.put("movement", period, print_)
            made.append(period)
    for period in set(lake.partitions("movement")) - set(customers.periods):
        lake.drop("movement", period)
        inputs.forget("movement", period)
    return made


def movement(lake: Lake, customers: Customers, period: str) -> pa.Table:
    """Rows of one period: who has a record with a cell."""
    n = len(customers.users)
    names = cell_names(lake, [period])
    own = pa.table({"user": customers.users.filter(pa.array(customers.on_net))})
    use = cell_use(lake, period, customers.positions, own, names)
    events = np.bincount(use.user, use.events, n).astype(np.int64)
    most = np.zeros(n, np.int64)
    np.maximum.at(most, use.user, use.events)
    km = radius(use, _points(lake, names), n)
    rows = np.flatnonzero(events)
    return pa.table(
        {
            "user": customers.users.take(pa.array(rows)),
            "events": events[rows],
            "cells": np.bincount(use.user, minlength=n)[rows],
            "top_share": most[rows] / events[rows],
            "radius_km": pa.array(km[rows], mask=np.isnan(km[rows])),
        },
        schema=SCHEMA,
    )


def _points(lake: Lake, names: pa.Array) -> np.ndarray:
    nowhere = np.full(len(names), np.nan)
    if not lake.has("cells"):
        return on_sphere(nowhere, nowhere)
    cells = lake.read("cells", ["cell", "lat", "lon"])
    place = pc.index_in(names, value_set=cells["cell"].combine_chunks())
    return on_sphere(*(cells[c].combine_chunks().take(place).to_numpy(zero_copy_only=False) for c in ("lat", "lon")))


def features(history: History, place: int) -> Columns:
    """Movement of the period, and the radius against that of up to three earlier periods and the network."""
    now = _radius(history, place)
    usual = mean([_radius(history, place - b)["radius_km"] for b in range(1, min(place, EARLIER) + 1)], history.n)
    change = against_network(ratio(now["radius_km"] + AT_HOME_KM, usual + AT_HOME_KM))
    return {**now, "radius_usual": usual, "radius_change": change}


def _radius(history: History, place: int) -> Columns:
    names = ("cells", "top_share", "radius_km")
    if not history.lake.files("movement", history.periods[place]):
        return {name: np.full(history.n, np.nan, np.float32) for name in names}
    rows = history.lake.read("movement", partition=history.periods[place])
    at = history.customers.positions.of(rows["user"])
    rows, at = rows.filter(pa.array(at >= 0)), at[at >= 0]
    return {name: history.spread(at, rows[name]) for name in names}
