"""Whether a file is another one than before, without reading it."""

from __future__ import annotations

import os

Stamp = tuple[int, int, int]


def stamp(path: str | os.PathLike[str]) -> Stamp | None:
    """What differs between two states of a file: its moment of change, its place on the disk, its size; None where
    there is no file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
