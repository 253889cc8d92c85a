"""What customers like: a mixture of interests from age, handset, city, community and the person alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.draws import softmax
from loaders.sample.people import People
from loaders.sample.streams import Streams

INTERESTS = ("games", "video", "music", "sport", "money", "shopping", "travel", "family", "study", "making")
NICHES = 4
"""Niches of each interest (kinds of games, of music); apps lie in niches."""
FAVOURITES = 5
APPS = 15.5
_SCALE = {"age": 0.75, "system": 0.45, "city": 0.35, "community": 0.75, "own": 0.85}


@dataclass(frozen=True)
class Tastes:
    """`interest` (n, 10): share of each interest, rows sum to 1. `niche`, `weight` (n, 5): a customer's
    favourite niches (interest * 4 + kind; one may come twice) and their shares. `count` (n,): apps in use.
    """

    interest: np.ndarray
    niche: np.ndarray
    weight: np.ndarray
    count: np.ndarray


def make_tastes(
    streams: Streams, people: People, age: np.ndarray, system: np.ndarray, cities: int, apps: float = APPS
) -> Tastes:
    """Draw tastes; several numbers of one person, and a returning customer's, share them.

    `apps`: the median of the apps in use.
    """
    rng = streams("tastes")
    n, k = people.n, len(INTERESTS)
    band = np.searchsorted([22, 32, 45, 60], age)
    parts = {"age": (5, band), "system": (3, system), "city": (cities, people.city),
             "community": (len(people.community_city), people.community[:n])}  # fmt: skip
    logit = rng.normal(0, _SCALE["own"], (n, k)).astype(np.float32)
    for name, (size, group) in parts.items():
        logit += rng.normal(0, _SCALE[name], (size, k)).astype(np.float32)[group]
    interest = softmax(logit)

    # each community leans to one kind of every interest
    lean = rng.integers(0, NICHES, (len(people.community_city), k))
    cumulative = np.cumsum(interest, axis=1)
    chosen = np.empty((n, FAVOURITES), np.int64)
    for slot in range(FAVOURITES):
        chosen[:, slot] = np.minimum((cumulative < rng.random(n)[:, None]).sum(axis=1), k - 1)
    kind = rng.integers(0, NICHES, (n, FAVOURITES))
    leaning = rng.random((n, FAVOURITES)) < 0.3
    kind = np.where(leaning, np.take_along_axis(lean[people.community[:n]], chosen, axis=1), kind)
    weight = rng.dirichlet(np.full(FAVOURITES, 1.2), n).astype(np.float32)
    count = np.clip(np.round(rng.lognormal(np.log(apps), 0.5, n)), 1, 90).astype(np.int32)
    count[system == 2] = np.minimum(count[system == 2], 3)
    root = people.first_number
    niche = (chosen * NICHES + kind).astype(np.int16)
    return Tastes(interest[root], niche[root], weight[root], count)
