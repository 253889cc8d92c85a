"""Small worlds for forecasts: tables as the loaders write them, and features planted by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from graph.calls import circles, communities, contacts, lifetimes
from graph.calls.forecasts import features, movement
from graph.calls.forecasts.history import History
from graph.calls.ids import Positions
from graph.calls.lifetimes import Customers
from graph.calls.state import Inputs
from lake.tables import Lake
from loaders.feeds import FEEDS
from tests.graph.calls.world import number, settings

TODAY = dt.date(2026, 7, 1)


def put(lake: Lake, feed: str, *rows: dict[str, object]) -> None:
    """A keyed table; `user` may be a name."""
    schema = FEEDS[feed].schema
    given = [{**row, **({"user": number(str(row["user"]))} if "user" in row else {})} for row in rows]
    lake.write(feed, pa.Table.from_pylist([{**dict.fromkeys(schema.names), **row} for row in given], schema))


def featured(lake: Lake, period: str = "month", today: dt.date = TODAY) -> History:
    """The lake after all that the features stand on has been made."""
    contacts.build(lake, settings(period))
    customers = lifetimes.read(lake, period, today)  # type: ignore[arg-type]
    inputs = Inputs(lake)
    for step in (circles, communities, movement, features):
        step.build(lake, customers, inputs)
    inputs.save()
    return History(lake, customers)


def planted(folder: Path, n: int, left: np.ndarray, values: dict[str, np.ndarray], periods: int) -> History:
    """Customers who leave in the periods `left` (n,), and features (n, periods) by name."""
    lake = Lake(folder / "lake")
    users = pa.array([bytes([0]) * 8 + i.to_bytes(8, "big") for i in _spread(n)], pa.binary())
    users = users.take(pa.compute.array_sort_indices(users))
    names = [f"2026-{m + 1:02d}" for m in range(periods)]
    customers = Customers(
        users=users,
        positions=Positions(users),
        on_net=np.ones(n, bool),
        person=np.ones(n, bool),
        gone=left < periods,
        periods=names,
        first=np.zeros(n, np.int32),
        last=np.minimum(left, periods - 1).astype(np.int32),
    )
    for place, period in enumerate(names):
        here = pa.array(left > place)
        columns = {name: pa.array(value[:, place].astype(np.float32)).filter(here) for name, value in values.items()}
        lake.write_partition("features", "period", period, pa.table({"user": users.filter(here), **columns}))
    return History(lake, customers)


def _spread(n: int) -> list[int]:
    """Numbers as evenly spread as pseudonyms."""
    return np.random.default_rng(0).integers(0, 2**62, n).tolist()
