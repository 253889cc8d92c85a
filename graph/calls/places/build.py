"""`places.parquet`: a row for each customer of whom the last months tell where they are."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.places.anchors import Anchors
from graph.calls.places.cells import cell_names, cell_use
from graph.calls.places.movement import radius
from graph.calls.records import months_of
from graph.calls.state import Inputs, digest
from graph.geodesic import nearest, on_sphere
from lake.periods import first_day, last_day
from lake.progress import track
from lake.tables import Lake

WINDOW = dt.timedelta(days=92)
"""Cells are those of the last three months, so that who moved house is found at the new place."""
EARLIER = 3
"""Earlier periods that the last radius is compared with."""
REACH_M = 20_000
"""A store farther away than this is nobody's."""

SCHEMA = pa.schema(
    [("user", pa.binary())]
    + [(name, pa.string()) for name in ("work_cell", "rest_cell", "weekday_store", "weekend_store")]
    + [(name, pa.int64()) for name in ("weekday_metres", "weekend_metres")]
    + [(name, pa.float64()) for name in ("radius_km", "radius_change")]
)


def build(lake: Lake, customers: Customers, inputs: Inputs, *, reach_m: int = REACH_M) -> bool:
    """Write `places.parquet`, sorted by user; false where its inputs did not change.

    `work_cell` and `rest_cell` (`anchors`); the nearest store to the cell of weekdays and of weekends, within `reach_m`
    metres; `radius_km` of the last period and `radius_change`, its ratio to the mean of up to three earlier periods. A
    customer of whom nothing of this is known has no row. Off-net numbers have none. The caller saves `inputs`.
    """
    periods = _window(customers.periods)
    months = sorted({month for period in periods for month in months_of(lake, period)})
    print_ = digest(
        periods,
        as_words(customers.users)[customers.on_net].tobytes(),
        *[lake.facts("calls", month) for month in months],
        *[lake.facts(name) for name in ("cells", "stores")],
        reach_m,
    )
    if inputs.get("places", "all") == print_ and lake.has("places"):
        return False
    lake.write("places", places(lake, customers, periods, reach_m))
    inputs.put("places", "all", print_)
    return True


def _window(periods: list[str]) -> list[str]:
    """The last periods: those of `WINDOW`, and those that the last radius is compared with."""
    since = last_day(periods[-1]) - WINDOW
    return [
        period
        for back, period in enumerate(reversed(periods))
        if first_day(period) > since or back <= EARLIER
    ][::-1]  # fmt: skip


def places(lake: Lake, customers: Customers, periods: list[str], reach_m: int) -> pa.Table:
    """The table of a lake's customers from the records of `periods`."""
    n = len(customers.users)
    names = cell_names(lake, periods)
    lat, lon = _where(lake, names)
    points = on_sphere(lat, lon)
    own = pa.table({"user": customers.users.filter(pa.array(customers.on_net))})
    since = last_day(periods[-1]) - WINDOW
    anchors, radii = Anchors(n), []
    for period in track(periods, "places"):
        use = cell_use(lake, period, customers.positions, own, names)
        if first_day(period) > since:
            anchors.add(use)
        radii.append(radius(use, points, n))
    cells = {time: anchors.of(time) for time in ("work", "rest", "weekday", "weekend")}
    stores = {time: _stores(lake, cells[time], lat, lon, reach_m) for time in ("weekday", "weekend")}
    earlier = np.array(radii[-1 - EARLIER : -1]).reshape(-1, n)
    many = (~np.isnan(earlier)).sum(axis=0)
    past = np.divide(np.nansum(earlier, axis=0), many, out=np.full(n, np.nan), where=many > 0)
    change = np.divide(radii[-1], past, out=np.full(n, np.nan), where=past > 0)
    table = pa.table(
        {
            "user": customers.users,
            "work_cell": _named(names, cells["work"]),
            "rest_cell": _named(names, cells["rest"]),
            "weekday_store": stores["weekday"][0],
            "weekend_store": stores["weekend"][0],
            "weekday_metres": stores["weekday"][1],
            "weekend_metres": stores["weekend"][1],
            "radius_km": _known(radii[-1]),
            "radius_change": _known(change),
        },
        schema=SCHEMA,
    )
    anything = np.any([table[name].is_valid().to_numpy() for name in SCHEMA.names[1:]], axis=0)
    return table.filter(pa.array(anything))


def _where(lake: Lake, names: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude (cells,) each; nan for cells that the feed `cells` does not place."""
    if not lake.has("cells"):
        return np.full(len(names), np.nan), np.full(len(names), np.nan)
    cells = lake.read("cells", ["cell", "lat", "lon"])
    place = pc.index_in(names, value_set=cells["cell"].combine_chunks())
    lat, lon = (cells[name].combine_chunks().take(place).to_numpy(zero_copy_only=False) for name in ("lat", "lon"))
    return lat, lon


def _stores(lake: Lake, cell: np.ndarray, lat: np.ndarray, lon: np.ndarray, reach_m: int) -> tuple[pa.Array, pa.Array]:
    """The nearest store to each customer's cell and the whole metres to it; null beyond reach."""
    stores = lake.read("stores", ["store", "lat", "lon"]).sort_by("store") if lake.has("stores") else None
    placed = np.flatnonzero(~np.isnan(lat))
    if stores is None or not stores.num_rows or not len(placed):
        return pa.nulls(len(cell), pa.string()), pa.nulls(len(cell), pa.int64())
    found, metres = nearest(lat[placed], lon[placed], stores["lat"].to_numpy(), stores["lon"].to_numpy())
    store, far = np.full(len(lat) + 1, -1), np.zeros(len(lat) + 1)
    near = metres <= reach_m
    store[placed[near]], far[placed[near]] = found[near], metres[near]
    chosen = store[cell]  # a cell of -1 reads the last place, which has no store
    names = _named(stores["store"].combine_chunks(), chosen)
    return names, pa.array(np.rint(far[cell]).astype(np.int64), mask=chosen < 0)


def _named(names: pa.Array, place: np.ndarray) -> pa.Array:
    return names.take(pa.array(place, mask=place < 0))


def _known(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
