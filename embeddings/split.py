"""What is held out to measure by: by time where there is time, else at random for each user."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from embeddings.catalogue import Catalogue
from embeddings.graph import Edges, Graph, read_holds, read_uses
from lake.tables import Lake

RECENT = 0.2
"""Share of the days, at the end, whose newly used apps are held out."""
SHARES = (0.005, 0.5)
"""A time split that holds out less or more of all pairs than this measures nothing; then pairs are drawn at random."""
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Split:
    """`train` is the graph that a scorer may see, `held` the app edges that it has to find.

    `how` says in words what was held out; `cutoff` is the first held-out day, None for a random cut.
    """

    train: Graph
    held: Edges
    held_products: Edges
    how: str
    cutoff: dt.date | None


def split(lake: Lake, graph: Graph, seed: int) -> Split:
    """Hold out the pairs first seen in the last fifth of the days, or a random fifth of each user's where that fails.

    Nothing of the held-out days is left in the training graph: strengths are summed again over the days before.
    """
    cutoff = cutoff_day(graph.uses)
    if cutoff is not None:
        day = EPOCH + dt.timedelta(days=cutoff)
        nodes: Catalogue = graph.nodes
        train = replace(graph, uses=read_uses(lake, nodes, day), holds=read_holds(lake, nodes, day))
        held = graph.uses.keep(graph.uses.first >= cutoff)
        held_products = graph.holds.keep(graph.holds.first >= cutoff)
        if not len(held_products):
            mask = random_cut(graph.holds, seed)
            train, held_products = replace(train, holds=graph.holds.keep(~mask)), graph.holds.keep(mask)
        return Split(train, held, held_products, f"apps first used from {day} on", day)
    mask = random_cut(graph.uses, seed)
    products = random_cut(graph.holds, seed + 1)
    train = replace(graph, uses=graph.uses.keep(~mask), holds=graph.holds.keep(~products))
    how = "a random fifth of each user's apps" if mask.any() else "nothing, as no customer uses two apps"
    return Split(train, graph.uses.keep(mask), graph.holds.keep(products), how, None)


def cutoff_day(uses: Edges) -> int | None:
    """The day from which newly used apps are held out; None where days do not tell (all on one day, or nothing new)."""
    if not len(uses) or uses.last.max() == uses.first.min():
        return None
    first, last = int(uses.first.min()), int(uses.last.max())
    cutoff = last + 1 - max(1, round((last + 1 - first) * RECENT))
    share = float(np.mean(uses.first >= cutoff))
    return cutoff if cutoff > first and SHARES[0] <= share <= SHARES[1] else None


def random_cut(edges: Edges, seed: int) -> np.ndarray:
    """Mask (e,) of a random fifth of each user's edges, rounded; users with one edge keep it, with two lose one."""
    if not len(edges):
        return np.zeros(0, bool)
    order = np.lexsort((np.random.default_rng(seed).random(len(edges)), edges.users))
    degree = edges.degrees()[0][edges.users]
    start = np.searchsorted(edges.users, edges.users)
    place = np.empty(len(edges), np.int64)
    place[order] = np.arange(len(edges))
    quota = np.where(degree < 2, 0, np.maximum(1, np.rint(degree * RECENT)))
    return (place - start) < quota
