"""Exact spread on tiny networks, by adding up every possible outcome."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from graph.calls.influence.network import Network


def ties(graph: Network) -> list[tuple[int, int, float]]:
    target = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    return [(int(u), int(v), float(p)) for u, v, p in zip(graph.source, target, graph.chance, strict=True)]


def worlds(graph: Network, model: str):
    """Every set of live ties with its probability; in the threshold model one live tie into each person at most."""
    all_ties = ties(graph)
    if model == "cascade":
        for live in product([False, True], repeat=len(all_ties)):
            chance = np.prod([p if on else 1 - p for on, (_, _, p) in zip(live, all_ties, strict=True)])
            yield chance, [(u, v) for on, (u, v, _) in zip(live, all_ties, strict=True) if on]
        return
    into = [[(u, p) for u, w, p in all_ties if w == v] for v in range(graph.size)]
    options = [[(None, 1 - sum(p for _, p in row)), *row] for row in into]
    for picked in product(*options):
        chance = np.prod([p for _, p in picked])
        yield chance, [(u, v) for v, (u, _) in enumerate(picked) if u is not None]


def spread(graph: Network, seeds, model: str = "cascade", counted=None) -> float:
    """Expected number reached."""
    total = 0.0
    for chance, live in worlds(graph, model):
        reached, grew = set(seeds), True
        while grew:
            more = {v for u, v in live if u in reached} - reached
            reached |= more
            grew = bool(more)
        total += chance * sum(1 for v in reached if counted is None or counted[v])
    return total


def best(graph: Network, k: int, model: str = "cascade", eligible=None) -> float:
    """The spread of the best k seeds."""
    able = [v for v in range(graph.size) if eligible is None or eligible[v]]
    return max(spread(graph, group, model) for group in combinations(able, min(k, len(able))))
