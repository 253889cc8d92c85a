"""Random numbers inside kernels: a stream of its own for each sample, so that threads and order do not matter.

SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
"""

from __future__ import annotations

import numba
import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(inline="always")
def mixed(state: np.uint64) -> np.uint64:
    """The output function: 64 bits that look random for states one step apart."""
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(inline="always")
def stream(seed: int, number: int) -> np.uint64:
    """Where the stream of one sample begins."""
    return mixed(mixed(np.uint64(seed) + _GOLDEN) ^ mixed(np.uint64(number) * _GOLDEN + np.uint64(1)))


@numba.njit(inline="always")
def step(state: np.uint64) -> np.uint64:
    return state + _GOLDEN


@numba.njit(inline="always")
def unit(state: np.uint64) -> float:
    """A number in [0, 1) from a state."""
    return float(mixed(state) >> np.uint64(11)) * 1.1102230246251565e-16
