"""Too little disk is said before anything is read, and a disk that runs full takes nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.errors import DiskFull
from loaders import room
from loaders.folder import FeedFile, look_into
from loaders.load import load

ROWS = "number,channel,at\n" + "".join(f"{i},sms,2026-05-{i % 28 + 1:02d}T10:00:00Z\n" for i in range(200_000))
FILES = {"touches.csv": ROWS, "users.csv": "number\n1\n"}


def test_what_a_load_may_take_grows_with_its_files_and_the_graph(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(bytes(10**6))
    (tmp_path / "users.parquet").write_bytes(bytes(10**6))
    files = [FeedFile(p.stem, p, p.name) for p in tmp_path.iterdir()]
    assert room.needed(files, graph=False) == room.SPARE + 3_400_000
    assert room.needed(files, graph=True) == room.SPARE + 9_000_000
    assert room.needed([], graph=True) == room.SPARE


def test_the_lake_is_no_larger_than_foretold_where_each_short_row_is_another_customer(bench) -> None:
    csv = bench.folder(FILES)
    load(csv, bench.home, bench.settings)
    here = sum(p.stat().st_size for p in bench.home.lake.rglob("*") if p.is_file())
    assert here < room.LAKE * sum(p.stat().st_size for p in csv.iterdir())


def test_too_little_disk_is_said_before_and_nothing_is_taken(bench) -> None:
    folder = bench.folder(FILES)
    wanted = room.needed([f for files in look_into(folder).files.values() for f in files], graph=True)
    with pytest.raises(DiskFull, match=r"may take 71 MB of disk, and .* has 60 MB: free some space") as caught:
        load(folder, bench.home, bench.settings, free=60 * 10**6)
    assert caught.value.code == "disk_full"
    assert bench.state() == {}
    assert not list(bench.home.lake.glob(".*"))
    load(folder, bench.home, bench.settings, free=wanted)
    load(folder, bench.home, bench.settings, free=0)  # nothing of it is new


def test_a_graph_on_another_server_needs_no_room_here(make_bench) -> None:
    bench = make_bench(neo4j_uri="bolt://elsewhere")
    load(bench.folder(FILES), bench.home, bench.settings, free=room.SPARE + 11 * 10**6)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB in memory, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_runs_full_takes_nothing_and_the_same_load_ends_well_on_a_larger_one(
    small_disk: Path, bench
) -> None:
    from tests.loaders.conftest import Bench

    on_disk = Bench(small_disk)
    on_disk.load({"users.csv": "number\n1\n"}, free=10**12)
    before = on_disk.state()
    folder = bench.folder(FILES)
    with pytest.raises(DiskFull, match=r"no space left for .* free some space and run the same command again"):
        load(folder, on_disk.home, on_disk.settings, free=10**12)
    assert on_disk.state() == before
    assert not list(on_disk.home.lake.glob(".*"))
    assert load(folder, bench.home, bench.settings).feeds["touches"].taken == 200_000
