"""The sample operator, written and loaded: what benchmarks against its planted truth begin with."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from graph.calls.analyse import analyse
from lake.home import Home
from lake.settings import Settings, load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample import write_sample
from loaders.sample.scale import Scale


class Sample(NamedTuple):
    feeds: Path
    home: Home
    settings: Settings
    lake: Lake


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """Which sample: --users, --months and --seed."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("users", 20_000), ("months", 6), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser


def loaded(folder: Path, users: int, months: int, seed: int, scale: Scale | None = None) -> Sample:
    """The sample in a home of its own under `folder`, loaded but not analysed."""
    feeds = folder / "feeds"
    write_sample(feeds, users=users, months=months, seed=seed, scale=scale)
    settings = load_settings(home=folder / "home")
    home = Home.open(settings, create=True)
    load(feeds, home, settings)
    return Sample(feeds, home, settings, Lake(home.lake))


def print_quality(name: str, doc: str | None, quality: Callable[[Sample], dict[str, object]]) -> None:
    """The benchmark's line of JSON: which sample, and what `quality` says of it once it is analysed."""
    options = vars(arguments(doc).parse_args())
    with tempfile.TemporaryDirectory() as folder:
        sample = loaded(Path(folder), **options)
        analyse(sample.lake, sample.settings)
        print(json.dumps({"benchmark": name, **options, **quality(sample)}))
