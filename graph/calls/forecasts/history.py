"""What was known of customers at the end of a period: columns by position, nothing from later."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graph.calls import ties
from graph.calls.lifetimes import Customers
from graph.calls.ties import Ties
from lake.clock import last_days
from lake.periods import first_day, last_day
from lake.tables import Lake

EARLIER = 3
"""Earlier periods, or bills, that make up what is usual for a customer."""

Columns = dict[str, np.ndarray]
"""(n,) float32 a feature, by position; nan where it is not known."""


def left_place(customers: Customers) -> np.ndarray:
    """(n,) int64: the period each customer left in; the number of periods for who has not, -1 before the first.

    The day is `left_on`; a customer whose status alone says so, or who fell silent, left in the first
    whole silent period, as `graph.calls.lifetimes` has it.
    """
    return np.where(customers.gone, customers.last, len(customers.periods)).astype(np.int64)


@dataclass
class History:
    """The lake as it was at the end of each period of `customers.periods`."""

    lake: Lake
    customers: Customers
    left: np.ndarray = field(init=False)
    last: int = field(init=False)
    """The last period that is over: what is foreseen begins after it."""
    _near: dict[str, Ties] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = left_place(self.customers)
        until = last_days(self.lake).get("calls")
        over = [place for place, period in enumerate(self.periods) if until is None or _over(period, until)]
        self.last = over[-1] if over else len(self.periods) - 1

    @property
    def n(self) -> int:
        return len(self.customers.users)

    @property
    def periods(self) -> list[str]:
        return self.customers.periods

    def day(self, place: int) -> dt.date:
        """The last day of a period: what is known is known then."""
        return last_day(self.periods[place])

    def present(self, place: int) -> np.ndarray:
        """(n,) bool: customers of the own network who were there at the period's end."""
        return self.customers.listed(place) & (self.left > place)

    def staying(self) -> np.ndarray:
        """(n,) bool: who was there at the end of the last period, and has not left since as far as is known."""
        return self.present(self.last) & (self.left == len(self.periods))

    def ties(self, place: int) -> Ties:
        """Contacts of a period; the last few read stay in memory."""
        period = self.periods[place]
        if period not in self._near:
            for old in list(self._near)[: -EARLIER + 1]:
                del self._near[old]
            self._near[period] = ties.load(self.lake, period, self.customers.positions, self.customers.on_net)
        return self._near[period]

    def rows(self, name: str, place: int, columns: list[str]) -> tuple[np.ndarray, pa.Table]:
        """Rows of one period of a plain table, and the position of each row's customer."""
        path = self.lake.root / f"{name}.parquet"
        table = pq.read_table(path, columns=["user", *columns], filters=[("period", "==", self.periods[place])])
        at = self.customers.positions.of(table["user"])
        return at[at >= 0], table.filter(pa.array(at >= 0))

    def spread(self, at: np.ndarray, column: pa.ChunkedArray | pa.Array | np.ndarray) -> np.ndarray:
        """(n,) float32: a column's values at the positions of its rows, nan elsewhere."""
        values = column if isinstance(column, np.ndarray) else pc.cast(column, pa.float64()).to_numpy()
        found = np.full(self.n, np.nan, np.float32)
        found[at] = values
        return found


def _over(period: str, until: dt.date) -> bool:
    """Whether records reach to the end of a period, or near it: a tenth of its days may be without any.

    >>> _over("2026-06", dt.date(2026, 6, 28)), _over("2026-06", dt.date(2026, 6, 15))
    (True, False)
    """
    end = last_day(period)
    return (end - until).days <= ((end - first_day(period)).days + 1) // 10


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below as float32, nan where that is not defined."""
    out = np.full(len(above), np.nan, np.float32)
    return np.divide(above, below, out=out, where=np.asarray(below) > 0, casting="unsafe")


def mean(columns: list[np.ndarray], n: int) -> np.ndarray:
    """The mean of what is known, nan where nothing is."""
    if not columns:
        return np.full(n, np.nan, np.float32)
    known = np.sum([~np.isnan(one) for one in columns], axis=0)
    return ratio(np.nansum(columns, axis=0), known)


def against_network(change: np.ndarray) -> np.ndarray:
    """A ratio to the own past over the network's median that period: a holiday month says nothing of anybody."""
    known = change[~np.isnan(change)]
    return change / np.float32(np.median(known)) if len(known) and np.median(known) > 0 else change
