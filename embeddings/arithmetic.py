"""Dense products at a fixed number of threads: the same bytes on the same kind of CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

MOST_THREADS = 4


def thread_count() -> int:
    """Threads that training uses: the machine's processors, at most `MOST_THREADS`; recorded in the snapshot.

    Of several processes of `torchrun` each has its share.
    """
    return max(1, min(MOST_THREADS, os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


@contextmanager
def fixed_threads() -> Iterator[int]:
    """Set torch's threads to `thread_count()`, insist on repeatable kernels, and put both back afterwards."""
    import torch

    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(thread_count())
    torch.use_deterministic_algorithms(True)
    try:
        yield thread_count()
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict)


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left (a, d) times right (d, b), by torch, whose threads are fixed; numpy's are not.

    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
    [[11.0]]
    """
    import torch

    return torch.mm(torch.from_numpy(np.ascontiguousarray(left)), torch.from_numpy(np.ascontiguousarray(right))).numpy()
