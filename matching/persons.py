"""Natural persons with several numbers: what one of them refused, and how often it was contacted, counts for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from lake.tables import Lake
from matching.arrays import Ragged
from matching.customers import whole


@dataclass(frozen=True)
class Persons:
    """`place` int32 (n + 1): row of `numbers` (customers of one person, by position), -1 for who has no other number.

    >>> two = Persons(np.array([0, -1, 0, -1], np.int32), Ragged.of(np.array([0, 0]), np.array([0, 2]), rows=1))
    >>> two.numbers_of(2).tolist(), two.numbers_of(1).tolist()
    ([0, 2], [1])
    >>> [part.tolist() for part in two.spread(np.array([1, 2]))]
    [[0, 1, 1], [1, 0, 2]]
    """

    place: np.ndarray
    numbers: Ragged

    def numbers_of(self, position: int) -> np.ndarray:
        """All customers that are the same person as the one at `position`, that one included."""
        place = int(self.place[position])
        return np.array([position]) if place < 0 else self.numbers.row(place)

    def spread(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For customers `rows`: (place in `rows`, customer), one for each number of each person."""
        place = self.place[rows]
        alone, several = np.flatnonzero(place < 0), np.flatnonzero(place >= 0)
        within, numbers = self.numbers.pairs(place[several])
        return np.append(alone, several[within]), np.append(rows[alone], numbers).astype(np.int64)


def load_persons(lake: Lake, n: int) -> Persons:
    """Who is whom, by the column `person` of the customers."""
    place = np.full(n + 1, -1, np.int32)
    table = lake.read("customers")
    if "person" not in table.column_names or not n:
        return Persons(place, Ragged.of(np.array([], np.int64), np.array([], np.int64), rows=0))
    person = np.asarray(pc.fill_null(whole(pc.dictionary_encode(whole(table["person"]))).indices, -1), np.int64)
    counts = np.bincount(person[person >= 0])
    shared = np.flatnonzero(counts > 1)
    rank = np.full(len(counts) + 1, -1, np.int64)  # the last is for customers without a person
    rank[shared] = np.arange(len(shared))
    place[:-1] = rank[person]
    some = np.flatnonzero(place >= 0)
    return Persons(place, Ragged.of(place[some], some, rows=len(shared)))
