"""Whether the customers fit into memory, asked before hours are spent."""

from __future__ import annotations

import psutil

from lake.errors import NotEnoughMemory

PER_CUSTOMER = 3_600
"""Bytes that training takes a customer at least, with use or without: vectors of all of them, and what their training
needs. (Measured from 220,000 to 880,000 customers with hardly any use: 3,600, beside 1.5 GB that are always needed; 2.2
million customers with 53 million pairs of use took 9.5 GB in all.)"""


def enough_memory(customers: int, free: int | None = None) -> None:
    """Raise NotEnoughMemory where `customers` take more than what is `free` (bytes; by default, as the system says).

    >>> enough_memory(2_200_000, free=12 * 10**9)
    >>> enough_memory(10_000_000, free=20 * 10**9)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lake.errors.NotEnoughMemory: 10,000,000 customers need 36 GB of memory ...
    """
    if free is None:
        free = psutil.virtual_memory().available
    needed = customers * PER_CUSTOMER
    if needed > free:
        need, left = (f"{size / 1e9:.0f} GB" for size in (needed, free))
        found = f"{customers:,} customers need {need} of memory for their vectors, and {left} are free"
        raise NotEnoughMemory(found, "run `dumbbell embed` where there is more memory; what was there before stands")
