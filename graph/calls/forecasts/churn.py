"""`churn.parquet`: who leaves in the next period or the one after, how near they are, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from graph.calls.forecasts import reasons, stage
from graph.calls.forecasts.forecast import deciles, explained, feature_names, foresee, learn
from graph.calls.forecasts.history import History
from graph.calls.forecasts.labels import CHURN
from graph.calls.forecasts.reports import keep
from graph.calls.forecasts.split import columns
from graph.calls.lifetimes import Customers
from graph.calls.state import Inputs, digest, writing
from lake.tables import Lake

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("period", pa.string()),
        ("probability", pa.float64()),
        ("decile", pa.int64()),
        ("stage", pa.string()),
        ("reasons", reasons.TYPE),
    ]
)
VERSION = 1


def build(lake: Lake, customers: Customers, inputs: Inputs) -> bool:
    """Write `churn.parquet`, sorted by user; false where its inputs did not change. The caller saves `inputs`.

    One row for each customer of the own network who was there at the end of the last period that is over, and for
    those who left (stage left, nothing else known). Without enough history `probability` and `decile` are null and the
    report says what is missing; the stage needs one period.
    """
    history = History(lake, customers)
    print_ = digest(history.left.tobytes(), lake.facts("features"), VERSION)
    if inputs.get("churn", "all") == print_ and lake.has("churn"):
        return False
    keep(lake, "churn", churn(lake, history))
    inputs.put("churn", "all", print_)
    return True


def churn(lake: Lake, history: History) -> dict[str, Any]:
    """Write the table; the facts of its model and how many are in each stage."""
    names = feature_names(history)
    model, facts = learn(history, CHURN, names)
    p = np.full(history.n, np.nan)
    decile = np.full(history.n, 11, np.int64)
    step = np.zeros(history.n, np.int8)
    gone = history.customers.on_net & (history.left < len(history.periods))
    step[gone] = stage.STAGES.index("left")
    here = history.staying()
    now = columns(history, history.last, list(stage.READS))
    step[here] = stage.stages({name: column[here] for name, column in now.items()})
    why = pa.chunked_array([], reasons.TYPE)
    if model is not None:
        at, values = foresee(history, model, names)
        p[at], decile[at] = values, deciles(values)
        why = pa.chunked_array([lists for _, lists in explained(history, model, names, decile)], reasons.TYPE)
    rows = np.flatnonzero(here | gone)
    place = np.where(here, np.cumsum(here) - 1, -1)[rows] if model is not None else np.full(len(rows), -1)
    every = pa.concat_arrays([*why.chunks, reasons.none(1)])
    table = pa.table(
        {
            "user": history.customers.users.take(pa.array(rows)),
            "period": pa.array([history.periods[history.last]]).take(pa.array(np.zeros(len(rows), np.int64))),
            "probability": pa.array(p[rows], mask=np.isnan(p[rows])),
            "decile": pa.array(decile[rows], mask=decile[rows] > 10),
            "stage": stage.names(step[rows]),
            "reasons": every.take(pa.array(np.where(place < 0, len(every) - 1, place))),
        },
        schema=SCHEMA,
    )
    with writing(lake.root / "churn.parquet", SCHEMA) as writer:
        writer.write(table)
    counted = np.bincount(step[rows], minlength=len(stage.STAGES)).tolist()
    return facts | {"stages": dict(zip(stage.STAGES, counted, strict=True))}
