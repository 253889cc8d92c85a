"""Whether the customers fit into memory, asked before hours are spent."""

from __future__ import annotations

import psutil

from lake.errors import NotEnoughMemory

PER_CUSTOMER = 4_000
"""Bytes that training takes a customer at least, with use or without: vectors of all of them, and what their training
needs. (Measured from 50,000 to 250,000 customers without use: 5,400.)"""


def enough_memory(customers: int, free: int | None = None) -> None:
    """Raise NotEnoughMemory where `customers` take more than what is `free` (bytes; by default, as the system says).

    >>> enough_memory(2_200_000, free=12 * 10**9)
    >>> enough_memory(10_000_000, free=20 * 10**9)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lake.errors.NotEnoughMemory: 10,000,000 customers need 40 GB of memory ...
    """
    if free is None:
        free = psutil.virtual_memory().available
    needed = customers * PER_CUSTOMER
    if needed > free:
        need, left = (f"{size / 1e9:.0f} GB" for size in (needed, free))
        found = f"{customers:,} customers need {need} of memory for their vectors, and {left} are free"
        raise NotEnoughMemory(found, "run `dumbbell embed` where there is more memory; what was there before stands")
