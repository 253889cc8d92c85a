"""Communities of one weighted graph, by networkit's Leiden: in two levels, the same for the same input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import networkit
import numpy as np

from graph.calls.naming import canonical

SEED = 1
ROUNDS = 3
SMALL = 8
"""A coarse community of fewer members is not taken apart further."""

PARTED = 0.3
"""Modularity from which on a coarse community has parts of its own: any graph has a best split, a circle of friends
in which all know each other has no good one (M. E. J. Newman, M. Girvan, Phys. Rev. E 69 (2004))."""


def two_levels(n: int, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coarse and fine communities, both (n,) int64 as `canonical`; -1 for nodes without an edge.

    Coarse: Leiden at resolution 1. Fine: Leiden again within each coarse community taken alone, so every fine
    community lies in one coarse one and neither suffers from the size of the rest.

    `source`, `target` (m,) each undirected edge once, `weight` (m,) positive.
    """
    nodes, ends = np.unique(np.concatenate([source, target]), return_inverse=True)
    source, target = ends[: len(source)], ends[len(source) :]
    coarse = np.full(n, -1, np.int64)
    fine = np.full(n, -1, np.int64)
    if not len(nodes):
        return coarse, fine
    with _repeatable():
        top = canonical(_leiden(len(nodes), source, target, weight)[0])
        below = _within(top, source, target, weight)
    coarse[nodes], fine[nodes] = top, canonical(below)
    return coarse, fine


def _within(top: np.ndarray, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    sizes = np.bincount(top)
    inside = (top[source] == top[target]) & (sizes[top[source]] >= SMALL)
    source, target, weight = source[inside], target[inside], weight[inside]
    order = np.argsort(top[source], kind="stable")
    source, target, weight = source[order], target[order], weight[order]
    member = np.argsort(top, kind="stable")
    place = np.empty(len(top), np.int64)
    place[member] = np.arange(len(top)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    edges = np.searchsorted(top[source], np.arange(len(sizes) + 1))
    begins = np.concatenate([[0], np.cumsum(sizes)])
    below = np.empty(len(top), np.int64)
    used = 0
    for one, size in enumerate(sizes):
        found = np.zeros(size, np.int64)
        if size >= SMALL:
            part = slice(edges[one], edges[one + 1])
            split, quality = _leiden(int(size), place[source[part]], place[target[part]], weight[part])
            found = canonical(split) if quality >= PARTED else found
        below[member[begins[one] : begins[one + 1]]] = found + used
        used += int(found.max()) + 1
    return below


def _leiden(n: int, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Communities of one graph, and their modularity."""
    networkit.setSeed(SEED, False)
    ends = source.astype(np.int64), target.astype(np.int64)  # it crashes on 32-bit positions
    graph = networkit.GraphFromCoo((weight.astype(np.float64), ends), n=n, weighted=True, directed=False)
    found = networkit.community.ParallelLeiden(graph, iterations=ROUNDS, randomize=True, gamma=1.0).run()
    communities = found.getPartition()
    quality = networkit.community.Modularity().getQuality(communities, graph)
    return np.array(communities.getVector(), np.int64), float(quality)


@contextmanager
def _repeatable() -> Iterator[None]:
    """On several threads networkit's Leiden gives another answer each time."""
    threads = networkit.getMaxNumberOfThreads()
    networkit.setNumberOfThreads(1)
    try:
        yield
    finally:
        networkit.setNumberOfThreads(threads)
