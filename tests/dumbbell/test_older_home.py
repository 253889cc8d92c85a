"""A home that the version before this one filled: what the same feeds make of it is what they make of a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.calls import contacts
from graph.dumbbell import build as build_dumbbell
from lake.home import Home
from lake.settings import Settings, load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample import write_sample


def steps(feeds: Path, settings: Settings) -> Home:
    """What `load` does to the lake."""
    home = Home.open(settings, create=True)
    with home.writing("load"):
        load(feeds, home, settings)
        build_dumbbell(Lake(home.lake), settings)
        contacts.build(Lake(home.lake), settings)
    return home


def lay_out_as_format_1(home: Home) -> None:
    """Bring a home to the form of format 1: no tables and notes that came later."""
    for later in ("numbers", "web_use", "web_untranslated", "segment_profiles", "successions"):
        Lake(home.lake).drop(later)
    lake = Lake(home.lake)
    lake.write("segments", lake.read("segments", ["user", "segment"]))
    files = home.lake / "files.json"
    facts = json.loads(files.read_text())
    files.write_text(json.dumps({name: facts[name] for name in ("files", "in_force", "keyed")}))
    (home.lake / ".calls-inputs.json").write_text(json.dumps({"version": 1, "contacts": {"2026-01": "stale"}}))
    home.runs.unlink()
    format_ = home.root / "format"
    format_.write_text(json.dumps({**json.loads(format_.read_text()), "format": 1}))


def tables(home: Home) -> dict[str, pa.Table]:
    return {p.relative_to(home.lake).as_posix(): pq.ParquetFile(p).read() for p in sorted(home.lake.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("older") / "feeds"
    write_sample(folder, users=60, months=2, seed=3)
    return folder


def test_it_is_upgraded_and_the_same_feeds_make_the_same_of_it(feeds: Path, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    home = steps(feeds, settings)
    new = tables(home)
    lay_out_as_format_1(home)
    assert set(tables(home)) < set(new)
    again = tables(steps(feeds, settings))
    assert json.loads((home.root / "format").read_text())["format"] == 2
    assert set(again) == set(new)
    for name, table in again.items():
        assert table.replace_schema_metadata().equals(new[name].replace_schema_metadata()), name
