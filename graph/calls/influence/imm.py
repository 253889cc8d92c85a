"""How many reverse-reachable sets are enough: influence maximisation by martingales (IMM).

Y. Tang, Y. Shi, X. Xiao, "Influence maximization in near-linear time: a martingale approach" (SIGMOD 2015), with the
correction of W. Chen, "An issue in the martingale analysis of the influence maximization algorithm IMM" (CSoNet 2018):
the sets that the seeds are chosen on are sampled afresh, after their number is known.

With probability 1 - delta the seeds' expected spread is at least (1 - 1/e - epsilon) of the best possible
((1 - 1/e) / 2 - epsilon where costs are given).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, e, log, log2, sqrt

import numpy as np
from scipy.special import gammaln

from graph.calls.influence.cover import Cover, by_budget
from graph.calls.influence.network import Model, Network, check_threshold
from graph.calls.influence.reverse_sets import ReverseSets, joined, sample
from lake.errors import BadValue

MOST_MEMBERS = 500_000_000
"""Members of all sets together: 4 bytes each, and 4 for the way back; past it the guarantee is not paid for."""


@dataclass(frozen=True)
class Choice:
    """Seeds (k,) int32, the expected spread each adds (k,), and the number of sets they were chosen on."""

    seeds: np.ndarray
    gains: np.ndarray
    sets: int

    @property
    def spread(self) -> float:
        """Expected number of customers reached, seeds included; estimated on the sets that the seeds were chosen on,
        so a little too high: `cascades.spread` gives it without that."""
        return float(self.gains.sum())


def choose(
    graph: Network,
    k: int | None = None,
    *,
    budget: float | None = None,
    cost: np.ndarray | None = None,
    eligible: np.ndarray | None = None,
    counted: np.ndarray | None = None,
    model: Model = "cascade",
    epsilon: float = 0.1,
    delta: float = 0.01,
    seed: int = 0,
) -> Choice:
    """The seeds that reach most: k of them, or those that a budget buys.

    `cost` (n,) of each seed, used with `budget`; `eligible` (n,) bool may be seeds (all by default);
    `counted` (n,) bool are those whom it counts to reach (all by default). `epsilon` in (0, 1 - 1/e) and
    `delta` in (0, 1) as above. Nobody eligible or nobody counted: no seeds.

    Raises BadValue for parameters outside their range, or where the network is so tight that the sets would
    not fit in memory (then a larger epsilon would do).
    """
    _check(k, budget, cost, epsilon, delta)
    if model == "threshold":
        check_threshold(graph)
    n = graph.size
    eligible = np.ones(n, bool) if eligible is None else eligible
    roots = np.arange(n, dtype=np.int32) if counted is None else np.flatnonzero(counted).astype(np.int32)
    if budget is None:
        cost, budget = np.ones(n), float(min(k or 0, int(eligible.sum())))
    assert cost is not None
    able = int((eligible & (cost <= budget)).sum())
    if not able or not len(roots):
        return Choice(np.empty(0, np.int32), np.empty(0), 0)
    cheap = np.sort(cost[eligible & (cost <= budget)])
    most = int(np.searchsorted(np.cumsum(cheap), budget, side="right"))  # seeds that the budget can buy at most
    ways = min(_log_choose(able, min(most, able)) + log(max(most, 1)), able * log(2))
    whole = len(roots)
    sure = log(4 / delta)  # three things may go wrong, each with a quarter of delta or less

    sets = ReverseSets(np.zeros(1, np.int64), np.empty(0, np.int32))
    least = 1.0
    rough = sqrt(2) * epsilon
    rounds = max(1, int(log2(max(whole, 2))) - 1)
    for round_ in range(1, rounds + 1):
        guess = whole / 2**round_
        need = (2 + 2 / 3 * rough) * (ways + sure + log(rounds)) * whole / rough**2 / guess
        sets = _up_to(graph, model, sets, ceil(need), 2 * seed, roots)
        reached = whole * by_budget(sets, eligible, cost, budget).met / len(sets)
        if reached >= (1 + rough) * guess:
            least = reached / (1 + rough)
            break
    alpha = sqrt(sure)
    beta = sqrt((1 - 1 / e) * (ways + sure))
    need = 2 * whole * ((1 - 1 / e) * alpha + beta) ** 2 / epsilon**2 / max(least, 1.0)
    nothing = ReverseSets(np.zeros(1, np.int64), np.empty(0, np.int32))
    sets = _up_to(graph, model, nothing, ceil(need), 2 * seed + 1, roots)
    cover: Cover = by_budget(sets, eligible, cost, budget)
    return Choice(cover.seeds, cover.gains * (whole / len(sets)), len(sets))


def _check(k: int | None, budget: float | None, cost: np.ndarray | None, epsilon: float, delta: float) -> None:
    if (k is None) == (budget is None):
        raise BadValue("seeds are asked for by number or by budget", "give one of k and budget")
    if k is not None and k < 1:
        raise BadValue(f"k is {k}", "a number above 0 would work")
    if budget is not None and (cost is None or budget <= 0 or not np.isfinite(cost).all() or (cost < 0).any()):
        raise BadValue("a budget needs a cost of each customer", "give costs of 0 or more, and a budget above 0")
    if not 0 < epsilon < 1 - 1 / e:
        raise BadValue(f"epsilon is {epsilon}", "a number between 0 and 0.63 would work, such as 0.1")
    if not 0 < delta < 1:
        raise BadValue(f"delta is {delta}", "a number between 0 and 1 would work, such as 0.01")


def _up_to(graph: Network, model: Model, sets: ReverseSets, count: int, seed: int, roots: np.ndarray) -> ReverseSets:
    """The sample with as many further sets as make `count`; part by part, so that it stops before memory ends."""
    while len(sets) < count:
        size = len(sets.members) / len(sets) if len(sets) else 1.0
        if size * count > MOST_MEMBERS:
            raise BadValue(
                f"{count:,} reverse-reachable sets of {size:,.0f} customers each do not fit in memory",
                "a larger epsilon, or weaker ties, would do",
            )
        more = min(count - len(sets), max(65_536, len(sets)))
        sets = joined(sets, sample(graph, model, len(sets), more, seed, roots))
    return sets


def _log_choose(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
