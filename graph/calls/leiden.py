"""Communities of one weighted graph by Leiden, in two levels, from a first guess where there is one.

Graphs are compressed rows, as in `graph.calls.position`: `starts` (n + 1,), `contact` (m,) with each tie in both rows,
`weight` (m,) float64, positive. Same input, same answer, on any machine: the kernels run on one thread.
"""

from __future__ import annotations

import numpy as np

from graph.calls.leiden_kernels import gather, move, numbered, refine, renumbered
from graph.calls.naming import canonical

SEED = 1
ROUNDS = 3
BLOCK = 2048
"""Nodes that are visited together: what is read of them and their neighbours stays in the cache."""
SMALL = 8
"""A coarse community of fewer members is not taken apart further."""

PARTED = 0.3
"""Modularity from which on a coarse community has parts of its own: any graph has a best split, a circle of friends
in which all know each other has no good one (M. E. J. Newman, M. Girvan, Phys. Rev. E 69 (2004))."""


def two_levels(
    starts: np.ndarray,
    contact: np.ndarray,
    weight: np.ndarray,
    coarse: np.ndarray | None = None,
    fine: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coarse and fine communities, both (n,) int64 as `canonical`; -1 for nodes without an edge.

    Coarse: Leiden at resolution 1. Fine: Leiden again within each coarse community taken alone, so every fine
    community lies in one coarse one and neither suffers from the size of the rest. `coarse` and `fine` (n,) are
    first guesses, -1 for none: what was found for a graph much like this one.
    """
    n = len(starts) - 1
    alone = np.diff(starts) == 0
    if alone.all():
        return np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    strength = _strengths(starts, weight)
    top = leiden(starts, contact, weight, strength / np.sqrt(strength.sum()), coarse)
    below = _within(top, starts, contact, weight, fine)
    return canonical(np.where(alone, -1, top)), canonical(np.where(alone, -1, below))


def leiden(
    starts: np.ndarray,
    contact: np.ndarray,
    weight: np.ndarray,
    mass: np.ndarray,
    first: np.ndarray | None = None,
    rounds: int = ROUNDS,
) -> np.ndarray:
    """(n,) int64 communities in which the sum of weight inside less squared mass is large (`leiden_kernels`).

    Begins with the communities of `first` (n,), by default each node alone, as are those with -1 and those without
    ties; done `rounds` times, each from what the last one found.
    """
    label = _guess(first, np.diff(starts) == 0)
    n, place = len(label), None
    for _ in range(rounds):
        if place is None and label.max(initial=-1) + 1 < n:  # some are together: they come to lie side by side
            order = np.argsort(label, kind="stable").astype(np.int32)
            place = np.empty(n, np.int32)
            place[order] = np.arange(n, dtype=np.int32)
            starts, contact, weight = renumbered(starts, contact, weight, order, place)
            mass, label = mass[order], label[order]
        before = numbered(label, n)[0]
        label = numbered(_round(starts, contact, weight, mass, before), n)[0]
        if (label == before).all():
            break
    return (label if place is None else label[place]).astype(np.int64)


def modularity(starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, label: np.ndarray) -> float:
    """Share of weight inside communities, less what chance puts there: between -1/2 and 1; 0 without ties."""
    inside, strength = _of_communities(starts, contact, weight, label)
    total = strength.sum()
    return float(inside.sum() / total - ((strength / total) ** 2).sum()) if total else 0.0


def _round(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, mass: np.ndarray, label: np.ndarray
) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    label = label.copy()
    of_node = None
    while True:
        n = len(starts) - 1
        move(starts, contact, weight, mass, _visits(rng, n), label)
        part, count = refine(starts, contact, weight, mass, _visits(rng, n), label)
        of_node = part if of_node is None else part[of_node]
        if count == n:
            return label[of_node]
        starts, contact, weight = gather(starts, contact, weight, part, count)
        mass = np.bincount(part, mass, count)
        community = np.empty(count, np.int32)
        community[part] = label
        label = numbered(community, n)[0]


def _visits(rng: np.random.Generator, n: int) -> np.ndarray:
    """All nodes in an order left to chance, but those numbered alike soon after each other: int32 (n,)."""
    block = rng.permutation(-(-n // BLOCK))[np.arange(n) // BLOCK]
    return np.argsort(block + rng.random(n)).astype(np.int32)


def _within(
    top: np.ndarray, starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, first: np.ndarray | None
) -> np.ndarray:
    """Each community taken apart, all at once: the ties between them are cut, and each has its own total of weight."""
    row = np.repeat(np.arange(len(top)), np.diff(starts))
    top = canonical(top)
    kept = (top[row] == top[contact]) & (np.bincount(top) >= SMALL)[top[row]]
    cut = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=len(top)))])
    contact, weight = contact[kept], weight[kept]
    strength = _strengths(cut, weight)
    total = np.bincount(top, strength)
    total[total == 0] = 1.0  # left whole, as quality is then 0
    mass = strength / np.sqrt(total)[top]
    guess = None if first is None else _pairs(top, first)
    below = canonical(_pairs(top, leiden(cut, contact, weight, mass, guess)))
    inside, held = _of_communities(cut, contact, weight, below)
    whole = np.empty(len(inside), np.int64)
    whole[below] = top
    quality = np.bincount(whole, inside, len(total)) / total - np.bincount(whole, held**2, len(total)) / total**2
    parted = quality >= PARTED
    return np.where(parted[top], below, len(top) + top)


def _of_communities(
    starts: np.ndarray, contact: np.ndarray, weight: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    row = np.repeat(np.arange(len(label)), np.diff(starts))
    count = int(label.max(initial=-1)) + 1
    inside = label[row] == label[contact]
    return (
        np.bincount(label[row[inside]], weight[inside], count),
        np.bincount(label, _strengths(starts, weight), count),
    )


def _strengths(starts: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.bincount(np.repeat(np.arange(len(starts) - 1), np.diff(starts)), weight, len(starts) - 1)


def _pairs(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
    """One number for each pair that occurs; -1 where `part` is -1."""
    number = np.unique(whole * (int(part.max(initial=-1)) + 2) + part, return_inverse=True)[1]
    return np.where(part < 0, -1, number)


def _guess(first: np.ndarray | None, alone: np.ndarray) -> np.ndarray:
    if first is None:
        return np.arange(len(alone))
    label = canonical(np.where(alone, -1, first))
    new = label < 0
    label[new] = int(label.max(initial=-1)) + 1 + np.arange(np.count_nonzero(new))
    return label
