"""`features/period=…`: what was known of each customer at the end of a period, one float32 column a feature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from graph.calls.forecasts import bill_features, contact_features, holding_features, movement
from graph.calls.forecasts.history import Columns, History
from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.state import Inputs, digest, writing
from lake.progress import track
from lake.tables import Lake

PARTS: tuple[Callable[[History, int], Columns], ...] = (
    contact_features.features,
    movement.features,
    bill_features.features,
    holding_features.features,
)
KEEP = 13
"""Periods that models learn from: the last ones, a year of months."""
VERSION = 3
READS = ("bills", "subscriptions", "products", "user_handsets", "handsets", "circles", "communities", "customers")


def build(lake: Lake, customers: Customers, inputs: Inputs) -> list[str]:
    """Write the last `KEEP` periods, sorted by user; returns those made anew. The caller saves `inputs`.

    One row for each customer of the own network who was there at the period's end. Features hold what was known
    then, null where nothing was: `graph.calls.forecasts.history`.
    """
    history = History(lake, customers)
    made = []
    common = digest([lake.facts(name) for name in READS], history.left.tobytes(), VERSION)
    whole = range(len(customers.periods))
    for place in track(whole[-KEEP:], "features"):
        period = customers.periods[place]
        near = customers.periods[max(0, place - 3) : place + 1]
        who = as_words(customers.users)[history.present(place)].tobytes()
        print_ = digest(common, who, [lake.facts(name, one) for name in ("contacts", "movement") for one in near])
        if inputs.get("features", period) == print_ and lake.files("features", period):
            continue
        write(lake, history, place)
        inputs.put("features", period, print_)
        made.append(period)
    for period in set(lake.partitions("features")) - set(customers.periods[-KEEP:]):
        lake.drop("features", period)
        inputs.forget("features", period)
    return made


def write(lake: Lake, history: History, place: int) -> None:
    columns: Columns = {}
    rows = np.flatnonzero(history.present(place))
    for part in PARTS:
        columns |= {name: column[rows].astype(np.float32) for name, column in part(history, place).items()}
    schema = pa.schema([("user", pa.binary()), *((name, pa.float32()) for name in columns)])
    path = lake.root / "features" / f"period={history.periods[place]}" / "part-0.parquet"
    with writing(path, schema) as writer:
        for begin in range(0, len(rows), 1 << 18):
            some = slice(begin, begin + (1 << 18))
            users = history.customers.users.take(pa.array(rows[some]))
            known = {name: _known(column[some]) for name, column in columns.items()}
            writer.write(pa.table({"user": users, **known}))


def _known(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
