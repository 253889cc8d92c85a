"""Reading one step ahead: while a batch is checked, the next is being read on another core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items in their order, each taken from `items` while the one before is at work; never more than one waits.

    What `items` raises is raised in its turn.

    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    source = iter(items)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = reader.submit(next, source, _END)
            yield item  # type: ignore[misc]
