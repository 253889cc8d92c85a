"""Segments: customers alike in age, spending and taste, under names that say so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graph.dumbbell.attributes import Attribute, age_band, favourite_category, handset_brand, spend_tier
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.population import Population
from lake.tables import Lake

AGE, SPEND, FAVOURITE, BRAND = range(4)
LEVELS: tuple[tuple[int, ...], ...] = (
    (AGE, SPEND, FAVOURITE),
    (AGE, FAVOURITE),
    (SPEND, FAVOURITE),
    (FAVOURITE,),
    (AGE, SPEND),
    (AGE,),
    (SPEND,),
    (BRAND,),
)
"""What a segment is told by, finest first: taste is given up last, as it says most about what fits."""
REST = "other customers"
SMALLEST = 5


@dataclass(frozen=True)
class Segments:
    """`codes[i]` is the place of customer i's segment in `labels` (sorted); everybody has one."""

    labels: tuple[str, ...]
    codes: np.ndarray

    def of_users(self) -> pa.Array:
        """The segment of each customer, as text."""
        return pa.array(self.labels, pa.string()).take(pa.array(self.codes))


def wanted_number(customers: int) -> int:
    """How many segments at most: grows with the square root, about 800 for 2.2 million customers.

    >>> wanted_number(300), wanted_number(20_000), wanted_number(2_200_000)
    (9, 76, 801)
    """
    return max(1, round(0.54 * customers**0.5))


def assign_segments(
    lake: Lake, population: Population, apps: Holdings, categories: pa.Table, today: dt.date
) -> Segments:
    """Every on-net customer's segment, as `25-34 · high spend · games`.

    Age band × spend tier × favourite category; a combination with too few customers loses an attribute,
    level by level, until it has enough; who is left has the handset's brand, or is among the `other customers`.
    What 'too few' means follows from the number of segments wanted. Where the catalogue has no
    categories, the favourites are the groups of apps learned from co-use, so customers of whom nothing is known but
    use still get segments by taste.
    """
    return coarsen(
        [
            age_band(population, today),
            spend_tier(lake, population, today),
            favourite_category(apps, categories),
            handset_brand(lake, population, today),
        ],
        wanted_number(len(population)),
    )


def coarsen(attributes: list[Attribute], wanted: int) -> Segments:
    """At most `wanted` segments (and at least one) from the attributes, in the order of LEVELS.

    The least size is the smallest, from a quarter of the mean size upwards in steps of a fifth, that keeps to `wanted`.
    Customers are counted as cells (one a combination that occurs), so trying a size costs next to nothing.
    """
    sizes = [len(attribute.labels) + 1 for attribute in attributes]
    cell = np.zeros(len(attributes[0].codes), np.int64)
    for attribute, size in zip(attributes, sizes, strict=True):
        cell = cell * size + attribute.codes + 1
    cells, cell_of, count = np.unique(cell, return_inverse=True, return_counts=True)
    codes = np.empty((len(cells), len(attributes)), np.int64)
    rest = cells
    for place in reversed(range(len(attributes))):
        codes[:, place], rest = rest % sizes[place] - 1, rest // sizes[place]

    least = max(SMALLEST, len(cell) // (4 * wanted))
    names = _names(codes, count, attributes, least)
    while len(set(names)) > wanted:
        least += max(1, least // 5)
        names = _names(codes, count, attributes, least)
    labels, label_of_cell = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return Segments(tuple(labels.tolist()), label_of_cell[cell_of].astype(np.int64))


def _names(codes: np.ndarray, count: np.ndarray, attributes: list[Attribute], least: int) -> list[str]:
    """The segment's name for each cell (row of `codes`) when a segment holds at least `least` customers."""
    names = [REST] * len(codes)
    left = np.ones(len(codes), bool)
    for level in LEVELS:
        able = np.flatnonzero(left & (codes[:, level] >= 0).all(axis=1))
        if not len(able):
            continue
        groups, group_of = np.unique(codes[able][:, level], axis=0, return_inverse=True)
        enough = np.bincount(group_of, weights=count[able]) >= least
        for place, group in zip(able[enough[group_of]], group_of[enough[group_of]], strict=True):
            names[place] = " · ".join(attributes[a].labels[c] for a, c in zip(level, groups[group], strict=True))
        left[able[enough[group_of]]] = False
    return names
