"""The folder as a whole: complete, valid, the same again, as large as asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lake.errors import BadValue
from lake.pseudonyms import Pseudonyms
from lake.settings import load_settings
from loaders.feeds import FEEDS
from loaders.load import check
from loaders.sample import Scale, write_sample

Read = Callable[[str], pl.DataFrame]


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_all_feeds_are_there_and_no_row_is_refused(sample: Path) -> None:
    report = check(sample, load_settings(), Pseudonyms(bytes(32))).to_json()
    counts = report["feeds"]
    assert set(counts) == set(FEEDS)
    assert len(counts) == 18
    assert report["quarantined"] == []
    assert report["off"] == []
    for feed, count in counts.items():
        assert count["read"] > 0, feed
        assert count["values_dropped"] == 0, feed
        assert not count["dangling"], feed
        assert feed == "users" or count["repeated"] == 0, feed  # a recycled number has two rows


def test_every_column_of_every_feed_is_given(read: Read) -> None:
    for name, feed in FEEDS.items():
        assert {column.name for column in feed.columns} == set(read(name).columns) - {"part"}, name


@pytest.mark.parametrize(("users", "months"), [(1, 1), (50, 1), (130, 2), (400, 4)])
def test_small_samples_are_whole_too(tmp_path: Path, users: int, months: int) -> None:
    answer = write_sample(tmp_path / "feeds", users=users, months=months, seed=3, start="2025-11")
    assert answer["feeds"]["users"] == users
    report = check(tmp_path / "feeds", load_settings(), Pseudonyms(bytes(32))).to_json()
    assert len(report["feeds"]) == 18
    assert report["quarantined"] == []


def test_same_seed_same_bytes_other_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_sample(tmp_path / name, users=300, months=3, seed=seed)
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    same = {name for name in first if first[name] == other[name] and not name.startswith("truth/")}
    assert same == {"products.csv", "channels.csv", "offers.csv", "questions.csv"}  # these depend on no chance


def test_rows_grow_with_users_and_months(tmp_path: Path) -> None:
    small = write_sample(tmp_path / "a", users=400, months=2, seed=1)["feeds"]
    wide = write_sample(tmp_path / "b", users=1600, months=2, seed=1)["feeds"]
    long = write_sample(tmp_path / "c", users=400, months=4, seed=1)["feeds"]
    for feed in ("calls", "app_usage", "bills", "touches", "responses"):
        assert 3.2 < wide[feed] / small[feed] < 5, feed
        assert 1.6 < long[feed] / small[feed] < 2.4, feed


def test_volumes_are_those_of_the_page(sample: Path, contacts: pl.DataFrame) -> None:
    rows = json.loads((sample / "truth" / "sample.json").read_text())["feeds"]
    assert 8 < rows["calls"] / 3000 / 5 < 16
    assert 7 < rows["app_usage"] / 3000 / 5 < 13
    assert 6 < contacts["size"].mean() < 11  # type: ignore[operator]


def test_sizes_that_are_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    scale = Scale(apps=900, calls_per_month=30, app_uses_per_month=5, channels=20)
    rows = write_sample(folder, users=600, months=1, seed=3, scale=scale)
    assert rows["apps"] == 900
    assert rows["channels"] == 20
    assert rows["feeds"]["apps"] == 900
    assert rows["feeds"]["channels"] == 20
    assert 24 < rows["feeds"]["calls"] / 600 < 36
    assert 4 < rows["feeds"]["app_usage"] / 600 < 7
    channels = pl.read_csv(folder / "channels.csv")
    touched = pl.read_parquet(folder / "touches").select("number", "channel").unique()
    assert set(touched["channel"]) <= set(channels["channel"])
    assert touched["channel"].n_unique() > 8
    kinds = touched.join(channels.select("channel", "kind"), on="channel")
    assert kinds.group_by("number", "kind").len()["len"].max() == 1  # a customer has one channel of each kind
    assert write_sample(folder, users=600, months=1, seed=3, scale=scale) == rows
    with pytest.raises(BadValue, match="not empty"):
        write_sample(folder, users=600, months=1, seed=3)
    with pytest.raises(BadValue, match="ask for 8 to 200"):
        Scale(channels=3)


def test_the_same_sample_again_is_left_and_another_refused(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a", users=50, months=1, seed=1)
    before = digest(tmp_path / "a")
    assert write_sample(tmp_path / "a", users=50, months=1, seed=1) == first
    assert digest(tmp_path / "a") == before
    with pytest.raises(BadValue, match="is not empty"):
        write_sample(tmp_path / "a", users=60, months=1, seed=1)


def test_a_killed_run_leaves_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "a" / ".writing" / "calls").mkdir(parents=True)
    write_sample(tmp_path / "a", users=20, months=1, seed=1)
    assert not (tmp_path / "a" / ".writing").exists()


@pytest.mark.parametrize(
    ("users", "months", "start"), [(0, 1, "2026-01"), (10, 0, "2026-01"), (10, 1, "2026-13"), (10, 1, "2026-W05")]
)
def test_bad_arguments_write_nothing(tmp_path: Path, users: int, months: int, start: str) -> None:
    with pytest.raises(BadValue):
        write_sample(tmp_path / "a", users=users, months=months, seed=1, start=start)
    assert not (tmp_path / "a").exists()


def test_the_page_names_every_table_of_the_truth(sample: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "sample.md").read_text(encoding="utf-8")
    for path in (sample / "truth").iterdir():
        assert f"`{path.stem}`" in page or f"`{path.stem}/" in page or f"truth/{path.name}" in page, path.name
