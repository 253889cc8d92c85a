"""A feed's file has to stay as it is while it is read: what an operator is still writing is no feed yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lake.errors import FeedError, FileChanged
from loaders.folder import FeedFile, unreadable


@contextmanager
def steady(file: FeedFile, before: os.stat_result) -> Iterator[None]:
    """While the block reads the file it may not disappear, grow, shrink or be replaced.

    Raises FileChanged where it did (also when that is why it could not be read), FeedError where it cannot be read.
    """
    try:
        yield
    except (FeedError, OSError) as error:
        check(file, before)
        if isinstance(error, FeedError):
            raise
        raise unreadable(file, error) from error
    check(file, before)


def check(file: FeedFile, before: os.stat_result) -> None:
    """Raise FileChanged unless the file is the one it was."""
    try:
        now = file.path.stat()
    except OSError as error:
        raise unreadable(file, error) from error
    if (now.st_ino, now.st_dev) != (before.st_ino, before.st_dev):
        how = "was replaced"
    elif now.st_size != before.st_size:
        how = "grew" if now.st_size > before.st_size else "shrank"
    elif now.st_mtime_ns != before.st_mtime_ns:
        how = "changed"
    else:
        return
    raise FileChanged(f"{file.name} {how} while it was read", "load again when it is whole")
