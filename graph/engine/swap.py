"""A store made beside the one in use takes its place: by a marker and renames, so that a kill leaves one or the other.

`HOME/neo4j/staged` is a server's folder of its own. Once `swap` exists the store in it counts: whoever comes
next (the keeper, before it starts the server) finishes the renames. The old store and its logs are deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graph.engine.folder import EngineFolder

PARTS = ("databases/neo4j", "transactions/neo4j")


@contextmanager
def staged(folder: EngineFolder) -> Iterator[EngineFolder]:
    """An empty server's folder to make a store in; it takes the place of the one in use when the block ends well.

    For whoever holds the home's graph alone, its server stopped.
    """
    finish(folder)
    fresh = EngineFolder(_staged(folder))
    shutil.rmtree(fresh.root, ignore_errors=True)
    fresh.make()
    try:
        yield fresh
        for path in sorted(fresh.data.rglob("*")):
            _to_disk(path)
        beside = folder.root / f".swap.{os.getpid()}"
        beside.touch()
        os.replace(beside, _marker(folder))
        _to_disk(folder.root)
        finish(folder)
    finally:
        if not _marker(folder).exists():
            shutil.rmtree(fresh.root, ignore_errors=True)


def finish(folder: EngineFolder) -> bool:
    """Finish the swap that a killed process had begun; whether there was one. Call while no server runs."""
    if not _marker(folder).exists():
        return False
    for part in PARTS:
        fresh, place = _staged(folder) / "data" / part, folder.data / part
        if fresh.exists():  # else it is in place, and this finishes a killed run
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(place, ignore_errors=True)
            fresh.rename(place)
            _to_disk(place.parent)
    _marker(folder).unlink()
    shutil.rmtree(_staged(folder))
    return True


def _staged(folder: EngineFolder) -> Path:
    return folder.root / "staged"


def _marker(folder: EngineFolder) -> Path:
    return folder.root / "swap"


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
