"""What a feed folder holds: the files of each feed in path order, and the names that were ignored."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lake.errors import FeedError, FileChanged
from loaders.feeds import FEEDS

SUFFIXES = (".csv", ".parquet")
MONTH_NAME = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class FeedFile:
    """One file of a feed; `name` is its path inside the folder (`calls/2026-05.csv`)."""

    feed: str
    path: Path
    name: str

    @property
    def month(self) -> str | None:
        """The month that a part of an event feed is named for, and replaces whole."""
        named = MONTH_NAME.fullmatch(self.path.stem) if "/" in self.name else None
        return self.path.stem if named and FEEDS[self.feed].event else None

    @cached_property
    def sha256(self) -> str:
        """Digest of the file's bytes. Raises FeedError where it cannot be read."""
        try:
            with open(self.path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self, error) from error


@dataclass
class Folder:
    """The files of each feed present (in the order of `FEEDS`), and what was ignored."""

    files: dict[str, list[FeedFile]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def unreadable(file: FeedFile, error: Exception) -> FeedError:
    if isinstance(error, FileNotFoundError):
        return FileChanged(f"{file.name} disappeared while it was read", "load again when it is there")
    return FeedError(f"{file.name} cannot be read ({type(error).__name__})", "check that it is there, whole and yours")


def look_into(root: Path) -> Folder:
    """List a feed folder.

    Raises FeedError where there is no folder or no feed in it, a feed comes twice (as a file and a
    folder, or as two files), or a feed's folder holds no part.
    """
    if not root.is_dir():
        raise FeedError(f"there is no feed folder {root}", "name the folder that holds files like users.csv")
    folder = Folder()
    found: dict[str, list[Path]] = {}
    for path in sorted(root.iterdir()):
        feed = path.name if path.is_dir() else path.stem
        if feed in FEEDS and (path.is_dir() or path.suffix in SUFFIXES):
            found.setdefault(feed, []).append(path)
        else:
            folder.warnings.append(f"{path.name} is no feed and was ignored")
    for feed in FEEDS:
        if feed in found:
            folder.files[feed] = _files(feed, found[feed], folder.warnings)
    if not folder.files:
        raise FeedError(f"{root} holds no feed", "put files like users.csv or calls/2026-05.parquet into it")
    return folder


def _files(feed: str, paths: list[Path], warnings: list[str]) -> list[FeedFile]:
    if len(paths) > 1:
        names = " and ".join(p.name + ("/" if p.is_dir() else "") for p in paths)
        raise FeedError(f"feed {feed} comes twice, as {names}", "keep one file, or one folder of parts")
    (path,) = paths
    if not path.is_dir():
        return [FeedFile(feed, path, path.name)]
    parts = []
    for part in sorted(path.iterdir()):
        if part.is_file() and part.suffix in SUFFIXES and not part.name.startswith("."):
            parts.append(FeedFile(feed, part, f"{feed}/{part.name}"))
        else:
            warnings.append(f"{feed}/{part.name} is no part of a feed and was ignored")
    if not parts:
        raise FeedError(f"the folder of feed {feed} is empty", "put its parts (.csv, .parquet) in, or take it away")
    return parts
