"""Feed folders as dictionaries of file name to text, and homes to load them into."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.home import Home
from lake.pseudonyms import Pseudonyms
from lake.settings import Settings, load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.report import Report

KEY = bytes(range(32))


class Bench:
    """One home, and a way to hand folders in."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.settings: Settings = load_settings(home=root / "home", key_file=root / "number.key", **settings)
        self.settings.key_file.write_text(KEY.hex())  # type: ignore[union-attr]
        self.home = Home.open(self.settings, create=True)
        self.lake = Lake(self.home.lake)
        self.folders = 0

    def folder(self, files: dict[str, str | bytes | pa.Table]) -> Path:
        """A new feed folder with these files; a table is written as Parquet."""
        self.folders += 1
        folder = self.root / f"feeds{self.folders}"
        folder.mkdir()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, pa.Table):
                pq.write_table(content, path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_bytes(content.encode())
        return folder

    def load(self, files: dict[str, str | bytes | pa.Table], **options: Any) -> Report:
        return load(self.folder(files), self.home, self.settings, **options)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a lake table with pseudonyms turned back to numbers, sorted."""
        read = self.lake.read(table)
        names = list(columns) or read.column_names
        found = []
        for row in read.to_pylist():
            found.append(tuple(number(row[n]) if isinstance(row[n], bytes) else row[n] for n in names))
        return sorted(found, key=repr)

    def quarantine(self, feed: str) -> list[tuple[Any, ...]]:
        """(file, line, column, reason) of a feed's quarantined rows."""
        path = self.home.quarantine / f"{feed}.parquet"
        if not path.exists():
            return []
        return [(r["file"], r["line"], r["column"], r["reason"]) for r in pq.read_table(path).to_pylist()]

    def state(self) -> dict[str, tuple[str, int]]:
        """Every file below the lake with digest and time of change."""
        return {
            str(p.relative_to(self.home.lake)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
            for p in self.home.lake.rglob("*")
            if p.is_file()
        }


def number(block: bytes) -> str:
    """The number behind a pseudonym of the tests' key."""
    return Pseudonyms(KEY).numbers_of(pa.array([block]))[0]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def make_bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Bench]:
    return lambda **settings: Bench(tmp_path_factory.mktemp("bench"), **settings)
