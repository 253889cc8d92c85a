"""What apps and customers are alike by, made when first asked for, kept until the matching state is another."""

from __future__ import annotations

import threading

import ibis
import numpy as np

from embeddings.alike import Alike
from lake.home import Home
from lake.tables import Lake
from matching.arrays import sixteen
from matching.state import MatchState

NO_PEOPLE = ["service", "machine"]


class Likeness:
    """One worker's; safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: tuple[MatchState, Alike, np.ndarray] | None = None
        self._making = threading.Lock()

    def of(self, state: MatchState) -> tuple[Alike, np.ndarray]:
        """The vectors ready to compare, and which customers (n) may be listed: consenting people of the own network who
        have not left."""
        with self._making:
            if self._known is None or self._known[0] is not state:
                vectors = state.vectors
                told = np.arange(len(vectors.apps)) < vectors.learned  # of new apps nobody's use says what is like them
                alike = Alike.of(vectors.apps, vectors.popularity * told, vectors.users, vectors.product_users)
                self._known = (state, alike, self._listable(state))
            return self._known[1:]

    def _listable(self, state: MatchState) -> np.ndarray:
        customers = state.customers
        may: np.ndarray = (customers.consent & ~customers.off_net & ~customers.left)[: customers.n]
        lake = Lake(self._home.lake)  # of its own: its connection is not shared between threads
        kinds = lake.scan("customers").filter(ibis._.kind.isin(NO_PEOPLE)).select("user").to_pyarrow()["user"]
        place = np.searchsorted(customers.users, sixteen(kinds))
        may[place[place < customers.n]] = False
        return may
