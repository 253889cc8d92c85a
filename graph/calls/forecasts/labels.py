"""What is forecast: of whom it can be said, and whether it came to be in the periods after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls.forecasts.history import History


@dataclass(frozen=True)
class Label:
    """A yes or no about the `horizon` periods that follow a period."""

    name: str
    horizon: int
    came: Callable[[History, int, int], np.ndarray]
    """`came(history, place, horizon)`: (n,) bool."""
    needs: tuple[str, ...] = ()
    """Tables without which nothing can be said."""

    def of(self, history: History, place: int) -> np.ndarray:
        """(n,) bool; only for periods whose `horizon` is over."""
        return self.came(history, place, self.horizon)


def leaves(history: History, place: int, horizon: int) -> np.ndarray:
    """Leaves in one of the next periods (`history.left_place`)."""
    return (history.left > place) & (history.left <= min(place + horizon, len(history.periods) - 1))


def changes_handset(history: History, place: int, horizon: int) -> np.ndarray:
    """Begins to use a handset in the next periods, after another one."""
    known = history.lake.read("user_handsets", ["user", "since"])
    before = _any(history, known, None, history.day(place))
    return before & _any(history, known, history.day(place), history.day(place + horizon))


def orders_pack(history: History, place: int, horizon: int) -> np.ndarray:
    """Orders a data pack in the next periods."""
    products = history.lake.read("products", ["product", "kind"])
    packs = products["product"].filter(pc.equal(products["kind"], "data_pack"))
    orders = history.lake.read("subscriptions", ["user", "since", "product"])
    orders = orders.filter(pc.is_in(orders["product"], value_set=packs.combine_chunks()))
    return _any(history, orders, history.day(place), history.day(place + horizon))


def _any(history: History, rows: pa.Table, after: dt.date | None, until: dt.date) -> np.ndarray:
    """(n,) bool: who has a row that began after one day and until another."""
    inside = pc.less_equal(rows["since"], pa.scalar(until))
    if after is not None:
        inside = pc.and_(inside, pc.greater(rows["since"], pa.scalar(after)))
    at = history.customers.positions.of(rows["user"].filter(inside))
    found = np.zeros(history.n, bool)
    found[at[at >= 0]] = True
    return found


CHURN = Label("churn", 2, leaves)
HANDSET_CHANGE = Label("handset_change", 1, changes_handset, ("user_handsets",))
DATA_PACK = Label("data_pack", 1, orders_pack, ("subscriptions", "products"))
