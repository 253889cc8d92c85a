"""Where customers live and work, and which cell a call comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.geography import Geography
from loaders.sample.lifecycle import Life
from loaders.sample.people import SIM_BOX, People
from loaders.sample.streams import Streams


@dataclass(frozen=True)
class Places:
    """Cell positions: `rest` at night, `work` in working hours; the same for one customer in seven."""

    rest: np.ndarray
    work: np.ndarray


def make_places(streams: Streams, geography: Geography, people: People) -> Places:
    """Households share the cell where they live; one in ten works in another city."""
    rng = streams("places")
    n = people.n
    _, first, home = np.unique(people.household, return_index=True, return_inverse=True)
    head = first[home]
    rest = geography.cells_in(rng, people.city)
    together = people.city == people.city[head]
    rest = np.where(together, rest[head], rest)
    away = np.where(rng.random(n) < 0.1, rng.integers(0, geography.cities, n), people.city)
    work = geography.cells_in(rng, away)
    still = (rng.random(n) < 1 / 7) | (people.fake == SIM_BOX)
    root = people.first_number
    return Places(rest[root].astype(np.int32), np.where(still, rest, work)[root].astype(np.int32))


def bad_service(streams: Streams, geography: Geography, months: int) -> np.ndarray:
    """(cells, months): one cell in twenty serves badly for two months on end."""
    rng = streams("bad cells")
    begin = rng.integers(0, max(1, months), geography.cells)
    begin[rng.random(geography.cells) >= 0.05] = -9
    month = np.arange(months)[None, :]
    return (month >= begin[:, None]) & (month < begin[:, None] + 2)


def cell_at(
    rng: np.random.Generator,
    geography: Geography,
    places: Places,
    people: People,
    life: Life,
    user: np.ndarray,
    weekday: np.ndarray,
    hour: np.ndarray,
    stays: np.ndarray,
) -> np.ndarray:
    """The cell a customer calls from: nights at rest, working hours mostly at work, else also anywhere in the city.

    `stays` (n,): those who move less this month.
    """  # fmt: skip
    rest, work = places.rest[user], places.work[user]
    night = (hour < 7) | (hour >= 22)
    working = (weekday < 5) & (hour >= 9) & (hour < 17)
    u = rng.random(len(user))
    roam = geography.cells_in(rng, people.city[user])
    at_work = np.where(working, u < 0.8, (u < 0.12) & ~night)
    roaming = ~at_work & ~night & (u > 0.82)
    cell = np.where(at_work, work, np.where(roaming, roam, rest))
    cell = np.where(night & (u > 0.94), roam, cell)
    keep = (stays[user] & (u > 0.25)) | (people.fake[user] == SIM_BOX)
    return np.where(keep, rest, cell)
