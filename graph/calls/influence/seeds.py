"""Seed customers for an offer: read the lake, choose, and say how far they would carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.calls import adoptions, lifetimes
from graph.calls.ids import Positions
from graph.calls.influence import cascades, imm, weights
from graph.calls.influence.network import Model, Network
from graph.calls.network import strengths
from lake.clock import today
from lake.errors import BadValue, NotReady
from lake.settings import Settings
from lake.tables import Lake

Weights = Literal["strength", "learned"]


@dataclass(frozen=True)
class Seeds:
    """`users` (k,) binary pseudonyms in the order chosen, the spread that each adds, and what all of them reach."""

    users: pa.Array
    gains: np.ndarray
    spread: cascades.Spread
    sets: int
    eligible: int


@dataclass(frozen=True)
class Reach:
    """The call graph ready for seeds: made once, asked often."""

    network: Network
    users: pa.Array
    person: np.ndarray
    """(n,) bool: customers, persons, not gone: whom it counts to reach."""
    willing: np.ndarray
    """(n,) bool: of them, who consents to be selected and contacted."""


def read(lake: Lake, settings: Settings, kind: Weights = "strength") -> Reach:
    """The influence network of the last periods. Raises NotReady without contacts or adoptions to learn from."""
    if not lake.partitions("contacts"):
        raise NotReady("the lake has no contacts", "load calls, then run `dumbbell analyse`")
    customers = lifetimes.read(lake, settings.period, today(settings, lake))
    ties = strengths(lake, customers)
    if kind == "learned":
        found = adoptions.read(lake, customers.positions)
        if found is None:
            raise NotReady("there are no adoptions to learn from", "use weights by strength, or load app_usage")
        graph = weights.learned(ties, found)
    elif kind == "strength":
        graph = weights.by_strength(ties)
    else:
        raise BadValue(f"weights are {kind!r}", "strength or learned would work")
    table = lake.read("customers", ["consent", "no_contact"])
    consents = pc.and_(pc.fill_null(table["consent"], True), pc.invert(pc.fill_null(table["no_contact"], False)))
    person = customers.on_net & customers.person & ~customers.gone
    return Reach(graph, customers.users, person, person & consents.to_numpy().astype(bool))


def seeds(
    reach: Reach,
    k: int | None = None,
    *,
    eligible: pa.Array | None = None,
    budget: float | None = None,
    cost: np.ndarray | None = None,
    model: Model = "cascade",
    epsilon: float = 0.1,
    delta: float = 0.01,
    runs: int = 10_000,
    seed: int = 0,
) -> Seeds:
    """Choose seeds among the `eligible` pseudonyms (everyone who consents, by default), by `k` or by `budget`.

    `cost` (eligible,) of each eligible customer, in their order. Customers who left or do not consent are never seeds.
    The spread, with its 95 % interval, is simulated afresh from the seeds (`runs` cascades). `imm.choose` has the other
    parameters and the errors.
    """
    n = len(reach.users)
    may, costs = reach.willing, None
    if eligible is not None:
        place = Positions(reach.users).of(eligible)
        known = place >= 0
        named = np.zeros(n, bool)
        named[place[known]] = True
        may = may & named
        if cost is not None:
            costs = np.ones(n)
            costs[place[known]] = np.asarray(cost, np.float64)[known]
    elif cost is not None:
        raise BadValue("costs are given without the customers that they are of", "give eligible too")
    found = imm.choose(
        reach.network,
        k,
        budget=budget,
        cost=costs,
        eligible=may,
        counted=reach.person,
        model=model,
        epsilon=epsilon,
        delta=delta,
        seed=seed,
    )
    spread = cascades.spread(reach.network, found.seeds, counted=reach.person, model=model, runs=runs, seed=seed)
    return Seeds(reach.users.take(pa.array(found.seeds)), found.gains, spread, found.sets, int(may.sum()))
