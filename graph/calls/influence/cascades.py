"""What follows from given seeds: cascades simulated forwards, and the spread they have on average."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from graph.calls.influence.network import Model, Network, check_threshold
from graph.calls.influence.random import step, stream, unit
from lake.errors import BadValue

BLOCK = 256
"""Runs simulated by one thread at a time; the result does not depend on it."""
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Spread:
    """Mean number of customers reached, seeds included; 95 % interval of that mean (normal); standard deviation."""

    mean: float
    low: float
    high: float
    deviation: float
    runs: int
    reached: np.ndarray
    """(n,) share of runs in which each customer was reached."""


def spread(
    graph: Network,
    seeds: np.ndarray,
    *,
    counted: np.ndarray | None = None,
    model: Model = "cascade",
    runs: int = 10_000,
    seed: int = 0,
) -> Spread:
    """Simulate `runs` cascades from the `seeds` (k,); only `counted` (n,) bool customers count as reached.

    >>> from graph.calls.influence.network import network
    >>> chain = network(3, np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]))
    >>> spread(chain, np.array([0]), runs=10).mean
    3.0
    """
    if runs < 2:
        raise BadValue(f"runs is {runs}", "2 or more would work; 10,000 is usual")
    seeds = np.unique(np.asarray(seeds, np.int32))
    counted = np.ones(graph.size, bool) if counted is None else counted
    if model == "threshold":
        check_threshold(graph)
    starts, target, chance = outward(graph)
    kernel = _cascades if model == "cascade" else _thresholds

    def one(begin: int) -> tuple[np.ndarray, np.ndarray]:
        return kernel(begin, min(BLOCK, runs - begin), seed, seeds, counted, starts, target, chance)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sizes, reached = zip(*pool.map(one, range(0, runs, BLOCK)), strict=True)
    size = np.concatenate(sizes)
    mean, deviation = float(size.mean()), float(size.std(ddof=1))
    half = _Z95 * deviation / runs**0.5
    return Spread(mean, mean - half, mean + half, deviation, runs, np.sum(reached, axis=0) / runs)


def outward(graph: Network) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same ties by who influences: `starts` (n + 1,), `target` (m,) and `chance` (m,)."""
    influenced = np.repeat(np.arange(graph.size, dtype=np.int32), np.diff(graph.starts))
    order = np.argsort(graph.source, kind="stable")
    starts = np.zeros(graph.size + 1, np.int64)
    np.cumsum(np.bincount(graph.source, minlength=graph.size), out=starts[1:])
    return starts, influenced[order], graph.chance[order]


@numba.njit(cache=True, nogil=True)
def _begin(run: int, seeds: np.ndarray, seen: np.ndarray, queue: np.ndarray) -> int:
    """Queue the seeds of a run; how many there are."""
    for used in range(seeds.shape[0]):
        seen[seeds[used]] = run
        queue[used] = seeds[used]
    return seeds.shape[0]


@numba.njit(cache=True, nogil=True)
def _count(queue: np.ndarray, used: int, counted: np.ndarray, reached: np.ndarray) -> int:
    """How many of those queued in a run count; each is noted in `reached`."""
    size = 0
    for i in range(used):
        if counted[queue[i]]:
            size += 1
            reached[queue[i]] += 1
    return size


@numba.njit(cache=True, nogil=True)
def _cascades(
    first: int,
    runs: int,
    seed: int,
    seeds: np.ndarray,
    counted: np.ndarray,
    starts: np.ndarray,
    target: np.ndarray,
    chance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    n = counted.shape[0]
    sizes, reached = np.zeros(runs, np.int64), np.zeros(n, np.int64)
    seen, queue = np.full(n, -1, np.int32), np.empty(n, np.int32)
    for run in range(runs):
        state = stream(seed, first + run)
        used = _begin(run, seeds, seen, queue)
        place = 0
        while place < used:
            u = queue[place]
            place += 1
            for i in range(starts[u], starts[u + 1]):
                v = target[i]
                if seen[v] != run:
                    state = step(state)
                    if unit(state) < chance[i]:
                        seen[v] = run
                        queue[used] = v
                        used += 1
        sizes[run] = _count(queue, used, counted, reached)
    return sizes, reached


@numba.njit(cache=True, nogil=True)
def _thresholds(
    first: int,
    runs: int,
    seed: int,
    seeds: np.ndarray,
    counted: np.ndarray,
    starts: np.ndarray,
    target: np.ndarray,
    chance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    n = counted.shape[0]
    sizes, reached = np.zeros(runs, np.int64), np.zeros(n, np.int64)
    seen, touched, queue = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.empty(n, np.int32)
    weight, threshold = np.zeros(n), np.zeros(n)
    for run in range(runs):
        state = stream(seed, first + run)
        used = _begin(run, seeds, seen, queue)
        place = 0
        while place < used:
            u = queue[place]
            place += 1
            for i in range(starts[u], starts[u + 1]):
                v = target[i]
                if seen[v] == run:
                    continue
                if touched[v] != run:
                    touched[v] = run
                    weight[v] = 0.0
                    state = step(state)
                    threshold[v] = unit(state)
                weight[v] += chance[i]
                if weight[v] > threshold[v]:
                    seen[v] = run
                    queue[used] = v
                    used += 1
        sizes[run] = _count(queue, used, counted, reached)
    return sizes, reached
