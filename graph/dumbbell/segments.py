"""Segments: customers alike in age, spending, taste and use, under names that say so and last from run to run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graph.dumbbell.attributes import Attribute, age_band, city, handset_brand, spend_tier, tastes, use_tier
from graph.dumbbell.holdings import Holdings
from graph.dumbbell.names import kept_names
from graph.dumbbell.population import Population
from lake.tables import Lake

AGE, SPEND, FAVOURITE, SECOND, USE, BRAND, CITY = range(7)
LEVELS: tuple[tuple[int, ...], ...] = (
    (AGE, SPEND, FAVOURITE, SECOND, USE),
    (AGE, SPEND, FAVOURITE, SECOND),
    (AGE, SPEND, FAVOURITE, USE),
    (AGE, SPEND, FAVOURITE),
    (AGE, FAVOURITE, SECOND),
    (AGE, FAVOURITE),
    (SPEND, FAVOURITE),
    (FAVOURITE, SECOND),
    (FAVOURITE,),
    (AGE, SPEND),
    (AGE,),
    (SPEND,),
    (BRAND,),
    (CITY,),
)
"""What a segment is told by, finest first: taste is given up last, as it says most about what fits."""
REST = "other customers"
SMALLEST = 20
"""No segment of fewer customers than this, unless the operator is smaller: a segment must not point at persons."""
REMEMBERED = {"spend": SPEND, "favourite": FAVOURITE, "second": SECOND, "use": USE}
"""Columns of the table `segments` with what customers were last time: they move only when behaviour clearly says so."""
STAYS, ARRIVES = 0.8, 1.25
"""A segment of the last run stays down to this share of the least size, a new one has to exceed it by as much."""
LEAST = b"dumbbell_least"


@dataclass(frozen=True)
class Segments:
    """`codes[i]` is the place of customer i's segment in `labels` (sorted); everybody has one."""

    labels: tuple[str, ...]
    """What they are called for good: the keys of the nodes."""
    codes: np.ndarray
    names: tuple[str, ...] = ()
    """What each is made of today, in the order of `labels`; it can differ from the label that a segment once got."""
    least: int = 0
    """The least size that they were made with."""
    remembered: dict[str, Attribute] = field(default_factory=dict)

    def of_users(self) -> pa.Array:
        """The segment of each customer, as text."""
        return pa.array(self.labels, pa.string()).take(pa.array(self.codes))

    def table(self, population: Population) -> pa.Table:
        """The lake's table: `user`, `segment`, `name`, and what the next run has to remember."""
        columns = {
            "user": population.users,
            "segment": self.of_users(),
            "name": pa.array(self.names, pa.string()).take(pa.array(self.codes)),
            **{name: attribute.text() for name, attribute in self.remembered.items()},
        }
        return pa.table(columns).replace_schema_metadata({LEAST: str(self.least).encode()})


@dataclass(frozen=True)
class Former:
    """The segments of the last run, seen from today's customers; without a last run everything is empty."""

    labels: list[str]
    codes: np.ndarray
    """(n,) places in `labels`, -1 for who was in none."""
    names: frozenset[str]
    least: int
    remembered: dict[str, pa.Array]

    @classmethod
    def read(cls, lake: Lake, population: Population) -> Former:
        if not lake.has("segments"):
            return cls([], np.full(len(population), -1), frozenset(), 0, {})
        table = lake.read("segments")
        where = pc.index_in(population.users, value_set=table["user"].combine_chunks().cast(pa.binary()))
        segment = table["segment"].combine_chunks().take(where)
        labels = pc.unique(segment).drop_null().sort()
        codes = pc.fill_null(pc.index_in(segment, value_set=labels), -1).to_numpy().astype(np.int64)
        known = table.column_names
        names = pc.unique(table["name"]).to_pylist() if "name" in known else []
        metadata = pq.read_schema(lake.files("segments")[0]).metadata or {}
        remembered = {name: table[name].combine_chunks().take(where) for name in REMEMBERED if name in known}
        return cls(labels.to_pylist(), codes, frozenset(names), int(metadata.get(LEAST, b"0")), remembered)


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

    Age band × spend tier × favourite category × the second favourite × how much is used; a combination with too few
    customers loses an attribute, level by level, until it has enough; who is left, as one without any behaviour, has
    the handset's brand or the city, or is among the `other customers`. What 'too few' means follows from the number of
    segments wanted. Where the catalogue has no categories, the favourites are the groups of apps learned from co-use.

    From run to run: a customer keeps tier and favourite until another is clearly nearer (`attributes`); a segment that
    is there stays until it is clearly too small, and keeps its label while most of its customers stay together,
    even where what it is made of has got another name.
    """
    former = Former.read(lake, population)
    favourite, second = tastes(apps, categories, former.remembered.get("favourite"), former.remembered.get("second"))
    attributes = [
        age_band(population, today),
        spend_tier(lake, population, today, former.remembered.get("spend")),
        favourite,
        second,
        use_tier(apps, former.remembered.get("use")),
        handset_brand(lake, population, today),
        city(population),
    ]
    found = coarsen(attributes, wanted_number(len(population)), former=former.names, former_least=former.least)
    proposed = list(found.labels)
    labels = np.array(kept_names(former.codes, former.labels, found.codes, proposed), dtype=object)
    order = np.argsort(labels.astype(str), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Segments(
        tuple(labels[order].tolist()),
        place[found.codes],
        tuple(proposed[i] for i in order),
        found.least,
        {name: attributes[a] for name, a in REMEMBERED.items()},
    )


def coarsen(
    attributes: list[Attribute],
    wanted: int,
    smallest: int = SMALLEST,
    former: frozenset[str] = frozenset(),
    former_least: int = 0,
) -> Segments:
    """At most `wanted` segments (and at least one) from the attributes, in the order of LEVELS.

    The least size is the smallest, from a quarter of the mean size upwards in steps of a fifth, that keeps to `wanted`;
    that of the last run holds on while the two lie within a half of each other, so the number can then exceed `wanted`
    a little. No segment is smaller than `smallest`: too few other customers take the smallest segment in.
    Customers are counted as cells (one a combination that occurs), so trying a size costs next to nothing.
    """
    cell_of, count, codes = _cells(attributes)
    smallest = min(smallest, len(cell_of))
    levels = [_Level(level, codes, count) for level in LEVELS]
    least = max(smallest, len(cell_of) // (4 * wanted))
    segment = _assign(levels, count, [least] * len(levels))
    while len(np.unique(segment)) > wanted:
        least += max(1, least // 5)
        segment = _assign(levels, count, [least] * len(levels))
    if former:
        if 2 / 3 <= least / max(former_least, 1) <= 3 / 2:
            least = former_least
        stays, arrives = max(smallest, STAYS * least), max(smallest, ARRIVES * least)
        known = [level.named(former, stays, codes, attributes) for level in levels]
        segment = _assign(levels, count, [np.where(named, stays, arrives) for named in known])
    found, place = np.unique(segment, return_inverse=True)
    size = np.bincount(place, weights=count)
    if len(found) > 1 and found[0] < 0 and size[0] < smallest:
        segment[place == 1 + size[1:].argmin()] = -1
    found, first, place = np.unique(segment, return_index=True, return_inverse=True)
    names = np.array([_name(levels, segment[cell], codes[cell], attributes) for cell in first])
    order = np.argsort(names, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    labels = tuple(names[order].tolist())
    return Segments(labels, rank[place][cell_of], labels, least)


class _Level:
    """How one set of attributes groups the cells: `group` (k,), -1 where a cell lacks one of them."""

    def __init__(self, attributes: tuple[int, ...], codes: np.ndarray, count: np.ndarray) -> None:
        self.attributes = attributes
        self.able = (codes[:, attributes] >= 0).all(axis=1)
        key = np.zeros(len(codes), np.int64)
        for a in attributes:
            key = key * (codes[:, a].max(initial=0) + 2) + codes[:, a] + 1
        found, first, group = np.unique(key[self.able], return_index=True, return_inverse=True)
        self.group = np.full(len(codes), -1, np.int64)
        self.group[self.able] = group
        self.cell = np.flatnonzero(self.able)[first]
        """A cell of each group."""
        self.size = np.bincount(group, weights=count[self.able], minlength=len(found))

    def named(self, names: frozenset[str], least: float, codes: np.ndarray, attributes: list[Attribute]) -> np.ndarray:
        """Which groups go by one of `names`; those that have fewer customers than `least` are not looked at."""
        known = np.zeros(len(self.cell), bool)
        for g in np.flatnonzero(self.size >= least):
            known[g] = self.name(codes[self.cell[g]], attributes) in names
        return known

    def name(self, codes: np.ndarray, attributes: list[Attribute]) -> str:
        return " · ".join(attributes[a].labels[codes[a]] for a in self.attributes)


def _cells(attributes: list[Attribute]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The combinations that occur: each customer's cell (n,), customers of each cell (k,), its codes (k, a)."""
    sizes = [len(attribute.labels) + 1 for attribute in attributes]
    cell = np.zeros(len(attributes[0].codes), np.int64)
    for attribute, size in zip(attributes, sizes, strict=True):
        cell = cell * size + attribute.codes + 1
    cells, cell_of, count = np.unique(cell, return_inverse=True, return_counts=True)
    codes = np.empty((len(cells), len(attributes)), np.int64)
    for place in reversed(range(len(attributes))):
        codes[:, place], cells = cells % sizes[place] - 1, cells // sizes[place]
    return cell_of, count, codes


def _assign(levels: list[_Level], count: np.ndarray, least: Sequence[int | np.ndarray]) -> np.ndarray:
    """The segment of each cell, (k,): a number of its level and group, -1 where no level has enough customers left."""
    segment = np.full(len(count), -1, np.int64)
    offset = 0
    for level, enough in zip(levels, least, strict=True):
        able = level.able & (segment < 0)
        group = level.group[able]
        size = np.bincount(group, weights=count[able], minlength=len(level.cell))
        segment[able] = np.where((size >= enough)[group], offset + group, -1)
        offset += len(level.cell)
    return segment


def _name(levels: list[_Level], segment: int, codes: np.ndarray, attributes: list[Attribute]) -> str:
    for level in levels:
        if 0 <= segment < len(level.cell):
            return level.name(codes, attributes)
        segment -= len(level.cell) if segment >= 0 else 0
    return REST
