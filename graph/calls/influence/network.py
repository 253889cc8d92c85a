"""Who influences whom: a directed graph with a probability on each tie, by who is influenced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lake.errors import BadValue

Model = Literal["cascade", "threshold"]
"""Independent cascade: who has adopted tries once to convince each contact. Linear threshold: a contact follows once
the weights of those who adopted pass a threshold of the contact's own, drawn evenly from 0 to 1."""


@dataclass(frozen=True)
class Network:
    """Ties into each of n people: row v holds who influences v.

    `starts` (n + 1,) int64; `source` (m,) int32; `chance` (m,) float64 in (0, 1], falling within a row.
    """

    starts: np.ndarray
    source: np.ndarray
    chance: np.ndarray

    @property
    def size(self) -> int:
        """n, the number of people."""
        return len(self.starts) - 1


def network(size: int, source: np.ndarray, target: np.ndarray, chance: np.ndarray) -> Network:
    """A network of `size` people from ties `source` -> `target` (m,) with a `chance` (m,) each.

    Ties to oneself and ties without any chance are left out. Raises BadValue for a chance outside 0 to 1, or for a
    tie that is there twice.

    >>> network(3, np.array([0, 1, 1]), np.array([1, 2, 0]), np.array([0.5, 1.0, 0.0])).starts
    array([0, 0, 1, 2])
    """
    chance = np.asarray(chance, np.float64)
    if len(chance) and not (chance.min() >= 0 and chance.max() <= 1):
        raise BadValue("a tie has a chance outside 0 to 1", "give probabilities")
    kept = (source != target) & (chance > 0)
    source, target, chance = np.asarray(source)[kept], np.asarray(target)[kept], chance[kept]
    order = np.lexsort((source, -chance, target))
    source, target, chance = source[order].astype(np.int32), target[order], chance[order]
    pairs = np.sort(target.astype(np.int64) * size + source)
    if (pairs[1:] == pairs[:-1]).any():
        raise BadValue("a tie is there twice", "add its weights up first")
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(target, minlength=size), out=starts[1:])
    return Network(starts, source, chance)


def weighted_cascade(size: int, source: np.ndarray, target: np.ndarray) -> Network:
    """The usual benchmark: each of v's d ties in has the chance 1 / d. Kempe, Kleinberg, Tardos (KDD 2003)."""
    degree = np.bincount(target, minlength=size)
    return network(size, source, target, 1.0 / degree[target])


def check_threshold(graph: Network) -> None:
    """Raise BadValue where the weights into somebody add up to more than 1, as a linear threshold cannot have."""
    sums = np.add.reduceat(np.append(graph.chance, 0.0), graph.starts[:-1]) * (np.diff(graph.starts) > 0)
    if len(sums) and sums.max() > 1 + 1e-9:
        raise BadValue(f"weights into one person add up to {sums.max():.3f}", "scale them so that they pass 1 nowhere")
