"""Now and then an offer is left to chance: nothing else tells what the others would have been answered.

With a share e, and n offers that may be shown, a decision draws the offer for its first place with the chance e, each
of the n alike. So the best offer comes first with the probability 1 - e + e / n, each other one with e / n; that of the
one shown is kept in the decision's trace, and with what is answered to it. The other places are filled as always, by
falling score, with what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

import numpy as np


@dataclass(frozen=True)
class Explore:
    """A `share` above 0, and where chance comes from: a number from 0 up to 1, another one each time."""

    share: float
    draw: Callable[[], float] = SystemRandom().random  # of its own in every worker

    def place(self, n: int) -> int | None:
        """The place, among n, of the offer that is drawn; None where the best is to be taken.

        >>> Explore(0.2, draw=lambda: 0.16).place(4), Explore(0.2, draw=lambda: 0.2).place(4)
        (3, None)
        """
        drawn = self.draw()
        return min(int(drawn / self.share * n), n - 1) if drawn < self.share else None

    def probability(self, n: int, *, best: bool) -> float:
        """Of having been shown first, for the best of n offers or for another one.

        >>> Explore(0.2).probability(4, best=True), Explore(0.2).probability(4, best=False)
        (0.8500000000000001, 0.05)
        """
        return (1 - self.share if best else 0.0) + self.share / n


@dataclass(frozen=True)
class First:
    """How the offer in the first place came there: drawn or not, and with which probability."""

    explored: bool
    probability: float


def lead(
    explore: Explore, scores: np.ndarray, allowed: np.ndarray, items: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, First | None]:
    """`items` (1, k) and their `values` with an offer in the lead that may have been drawn from all `allowed` (o), of
    `scores` (o); None where there is none to show."""
    may = np.flatnonzero(allowed)
    if not len(may) or not items.shape[1]:
        return items, values, None
    best, place = int(items[0, 0]), explore.place(len(may))
    first = best if place is None else int(may[place])
    if first != best:
        rest = items[0][items[0] != first]
        items = np.append(first, rest)[None, : items.shape[1]].astype(items.dtype)
        values = np.where(items >= 0, scores[items], np.nan)
    return items, values, First(place is not None, explore.probability(len(may), best=first == best))
