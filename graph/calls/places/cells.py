"""One period's records by customer and cell, and on how many days which part of the day was spent there."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.ids import Positions
from graph.calls.records import months_of
from lake.periods import first_day, last_day
from lake.tables import Lake

TIMES = ("work", "rest", "weekday", "weekend")
"""Working hours (Monday to Friday, 9 to 17 o'clock), nights (20 to 7), any hour Monday to Friday, and of the rest."""


@dataclass(frozen=True)
class CellUse:
    """Rows sorted by customer and cell: `user` and `cell` (m,) int32 positions, `events` (m,) int32 records, and `days`
    (4, m) int32: a bit for each day of the period with a record at this cell, by `TIMES`."""

    user: np.ndarray
    cell: np.ndarray
    events: np.ndarray
    days: np.ndarray


def cell_names(lake: Lake, periods: list[str]) -> pa.Array:
    """All cells that records of the periods name, sorted."""
    months = sorted({month for period in periods for month in months_of(lake, period)})
    if not months:
        return pa.array([], pa.string())
    cells = lake.scan("calls", *months).select("cell").distinct()
    return cells.filter(cells.cell.notnull()).order_by("cell").to_pyarrow()["cell"].combine_chunks()


def cell_use(lake: Lake, period: str, positions: Positions, on_net: pa.Table, cells: pa.Array) -> CellUse:
    """Where each customer of the own network was in a period.

    A record's cell is that of the side which reports it: the caller's, the callee's when `record` is in; a record that
    does not say which side it is of is the caller's, or the callee's where the caller is of another network. Answered
    or not, a call tells where a phone was. `on_net` holds those customers in a column `user`.
    """
    rows = lake.scan("calls", *months_of(lake, period))
    rows = rows.filter(rows.day.between(first_day(period), last_day(period)), rows.cell.notnull(), rows.hour.notnull())
    own = ibis.memtable(on_net).user
    side = rows.record.fill_null("")
    callers = (side == "out") | ((side == "") & rows.caller.isin(own))
    rows = rows.select("cell", "day", "hour", user=ibis.ifelse(callers, rows.caller, rows.callee))
    rows = rows.filter(rows.user.isin(own))
    weekday = rows.day.day_of_week.index() < 5
    work = weekday & (rows.hour >= 9) & (rows.hour < 17)
    rest = (rows.hour >= 20) | (rows.hour < 7)
    bit = ibis.literal(1, "int64") << rows.day.delta(ibis.date(first_day(period)), unit="day").cast("int64")
    when = {"work": work, "rest": rest, "weekday": weekday, "weekend": ~weekday}
    bits = {name: bit.bit_or(where=when[name]).fill_null(0).cast("int64") for name in TIMES}
    found = rows.group_by("user", "cell").aggregate(events=rows.count().cast("int64"), **bits)
    parts = [_arrays(batch, positions, cells) for batch in found.to_pyarrow_batches()]
    if not parts:
        nothing = np.empty(0, np.int32)
        return CellUse(nothing, nothing, nothing, np.empty((4, 0), np.int32))
    columns = list(zip(*parts, strict=True))
    parts.clear()
    order = np.lexsort((np.concatenate(columns[1]), np.concatenate(columns[0])))
    return CellUse(*(np.concatenate(columns.pop(0), axis=-1)[..., order] for _ in range(4)))  # one at a time in memory


def _arrays(
    batch: pa.RecordBatch, positions: Positions, cells: pa.Array
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    user = positions.known(batch["user"])
    cell = pc.index_in(batch["cell"], value_set=cells).to_numpy()
    days = np.stack([batch[name].to_numpy().astype(np.int32) for name in TIMES])
    return user, cell, batch["events"].to_numpy().astype(np.int32), days
