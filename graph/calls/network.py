"""The network of the last periods: who talks with whom, older periods counting less.

One month's calls are a small sample of whom people know: of two who speak every other month half the months show
nothing. Added up over `PERIODS` periods, each counting `DECAY` of the next, the ties are those of the network, and
still follow it when it changes (C. Cortes, D. Pregibon, C. Volinsky, "Communities of interest" (2001)).
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from scipy.sparse import csr_array

from graph.calls import ties
from graph.calls.lifetimes import Customers
from graph.calls.ties import Ties
from lake.tables import Lake

PERIODS = 3
DECAY = 0.5


def strengths(lake: Lake, customers: Customers) -> csr_array:
    """(n, n) calls and messages from row to column between customers, as of the last period."""
    n = len(customers.users)
    total = csr_array((n, n), dtype=np.float64)
    for back, period in enumerate(reversed(customers.periods[-PERIODS:])):
        one = ties.load(lake, period, customers.positions, customers.on_net)
        total = total + DECAY**back * _between(one, one.out, customers.on_net)
    return total


class Talk:
    """Calls and messages either way between customers followed in a period; keeps the ties that the next needs too."""

    def __init__(self, lake: Lake, customers: Customers, periods: int = PERIODS) -> None:
        self._lake, self._customers, self._periods = lake, customers, periods
        self._near: OrderedDict[str, Ties] = OrderedDict()

    def of(self, place: int) -> csr_array:
        """(n, n), symmetric, as of the period at that place."""
        customers = self._customers
        window = customers.periods[max(0, place - self._periods + 1) : place + 1]
        for old in [period for period in self._near if period not in window]:
            del self._near[old]
        here = customers.listed(place)
        total = csr_array((len(here), len(here)), dtype=np.float64)
        for back, period in enumerate(reversed(window)):
            if period not in self._near:
                self._near[period] = ties.load(self._lake, period, customers.positions, customers.on_net)
            one = self._near[period]
            total = total + DECAY**back * _between(one, one.out + one.in_, here)
        total.sort_indices()
        return total


def _between(one: Ties, strength: np.ndarray, kept: np.ndarray) -> csr_array:
    """The rows and columns of those who are kept; the others' are empty."""
    n = len(kept)
    row = np.repeat(np.arange(n), one.sizes)
    known = kept[row] & kept[one.contact]
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[known], minlength=n))])
    return csr_array((strength[known].astype(np.float64), one.contact[known], starts), shape=(n, n))
