"""Reverse-reachable sets: for a customer drawn at random, everyone who would have reached them in one random outcome.

A group of seeds meets such a set with the probability that it reaches a random customer, so its expected spread is
the number of customers times the share of sets it meets. C. Borgs, M. Brautbar, J. Chayes, B. Lucier (SODA 2014).

In the cascade, ties lie in falling order of chance, so that from any place on, the next tie that could be live is found
by one geometric jump with that place's chance and kept with the ratio of the two: Q. Guo et al., "Influence
maximization revisited" (SIGMOD 2020), by thinning.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from graph.calls.influence.network import Model, Network
from graph.calls.influence.random import step, stream, unit

BLOCK = 8192
"""Sets sampled by one thread at a time; the result does not depend on it."""
_JUMP_BELOW = 0.25
"""Above this chance a coin a tie is quicker than a logarithm a jump."""


@dataclass(frozen=True)
class ReverseSets:
    """`members` (s,) int32 of all sets one after the other; `starts` (sets + 1,) int64."""

    starts: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1


def sample(graph: Network, model: Model, first: int, count: int, seed: int, roots: np.ndarray) -> ReverseSets:
    """Sets number `first` to `first + count - 1` of the sequence that `seed` stands for.

    `roots` (r,) int32: whom it counts to reach, each as likely. Same arguments, same sets, whatever the threads.
    A threshold's network has passed `check_threshold`.
    """
    blocks = [(begin, min(BLOCK, first + count - begin)) for begin in range(first, first + count, BLOCK)]
    kernel = _cascade_sets if model == "cascade" else _threshold_sets
    graph_arrays = (graph.starts, graph.source, graph.chance)

    def one(block: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        return kernel(*block, seed, roots, *graph_arrays)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(one, blocks))
    sizes = np.concatenate([np.zeros(1, np.int64), *[sizes for sizes, _ in found]])
    return ReverseSets(np.cumsum(sizes), np.concatenate([np.empty(0, np.int32), *[members for _, members in found]]))


def joined(one: ReverseSets, other: ReverseSets) -> ReverseSets:
    """Two samples as one."""
    return ReverseSets(
        np.concatenate([one.starts, one.starts[-1] + other.starts[1:]]), np.concatenate([one.members, other.members])
    )


@numba.njit(cache=True, nogil=True)
def _room(members: np.ndarray, used: int) -> np.ndarray:
    if used < members.shape[0]:
        return members
    more = np.empty(2 * members.shape[0], np.int32)
    more[:used] = members
    return more


@numba.njit(cache=True, nogil=True)
def _cascade_sets(
    first: int,
    count: int,
    seed: int,
    roots: np.ndarray,
    starts: np.ndarray,
    source: np.ndarray,
    chance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.empty(count, np.int64)
    members = np.empty(max(4 * count, 16), np.int32)
    seen = np.full(starts.shape[0] - 1, -1, np.int32)
    used = 0
    for one in range(count):
        state = stream(seed, first + one)
        root = roots[int(unit(state) * roots.shape[0])]
        begin = used
        members = _room(members, used)
        members[used] = root
        used += 1
        seen[root] = one
        place = begin
        while place < used:
            v = members[place]
            place += 1
            i, end = starts[v], starts[v + 1]
            while i < end:
                bound = chance[i]
                state = step(state)
                if bound < _JUMP_BELOW:
                    jump = np.floor(np.log1p(-unit(state)) / np.log1p(-bound))
                    if jump >= end - i:
                        break
                    i += int(jump)
                    if chance[i] < bound:
                        state = step(state)
                        live = unit(state) * bound < chance[i]
                    else:
                        live = True
                else:
                    live = unit(state) < bound
                u = source[i]
                i += 1
                if live and seen[u] != one:
                    seen[u] = one
                    members = _room(members, used)
                    members[used] = u
                    used += 1
        sizes[one] = used - begin
    return sizes, members[:used].copy()


@numba.njit(cache=True, nogil=True)
def _threshold_sets(
    first: int,
    count: int,
    seed: int,
    roots: np.ndarray,
    starts: np.ndarray,
    source: np.ndarray,
    chance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.empty(count, np.int64)
    members = np.empty(max(4 * count, 16), np.int32)
    seen = np.full(starts.shape[0] - 1, -1, np.int32)
    used = 0
    for one in range(count):
        state = stream(seed, first + one)
        v = roots[int(unit(state) * roots.shape[0])]
        begin = used
        while v >= 0 and seen[v] != one:  # each is followed back to at most one who tipped the scales
            seen[v] = one
            members = _room(members, used)
            members[used] = v
            used += 1
            state = step(state)
            drawn = unit(state)
            found = -1
            for i in range(starts[v], starts[v + 1]):
                drawn -= chance[i]
                if drawn < 0:
                    found = source[i]
                    break
            v = found
        sizes[one] = used - begin
    return sizes, members[:used].copy()
