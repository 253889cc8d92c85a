"""Progress on stderr for work that may take over two seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

T = TypeVar("T")
console = Console(stderr=True)
WORTH_SAYING_S = 0.5


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a bar on a terminal; without one, nothing is printed."""
    if not console.is_terminal:
        yield from items
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        yield from bar.track(items, description=what, total=total)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what is being done: a spinner on a terminal; elsewhere a line with the seconds of what took its time."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(what):
            yield
    else:
        yield
    seconds = time.monotonic() - started
    if seconds >= WORTH_SAYING_S:
        console.print(f"{what}: {seconds:.1f} s", highlight=False)
