"""One random stream for each part of the sample, so that a change in one part leaves the others as they were."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """Independent generators by name, all from one seed.

    A stream depends on the seed, its name and its keys alone, never on the order of the calls.

    >>> streams = Streams(7)
    >>> first = streams("calls", 2).integers(0, 1000, 3).tolist()
    >>> _ = streams("bills", 0).random(5)
    >>> streams("calls", 2).integers(0, 1000, 3).tolist() == first
    True
    >>> streams("calls", 3).integers(0, 1000, 3).tolist() == first
    False
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, name: str, *keys: int) -> np.random.Generator:
        """The generator of part `name`; `keys` tell months or blocks of it apart."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()), *keys))
        return np.random.Generator(np.random.PCG64(sequence))
