"""Lake tables: whole or not at all, untouched when unchanged, partitions, fingerprints."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lake.errors import DiskFull, NotReady
from lake.tables import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def table(*values: int) -> pa.Table:
    return pa.table({"x": list(values)})


def files(lake: Lake) -> dict[str, int]:
    return {p.relative_to(lake.root).as_posix(): p.stat().st_ino for p in lake.root.rglob("*") if p.is_file()}


def test_a_table_is_replaced_whole_and_unchanged_bytes_are_not_touched(lake: Lake) -> None:
    lake.write("t", table(1, 2))
    first, mark = files(lake), lake.fingerprint(["t"])
    lake.write("t", table(1, 2))
    assert (files(lake), lake.fingerprint(["t"])) == (first, mark)
    lake.write("t", table(3))
    assert lake.read("t").column("x").to_pylist() == [3]
    assert lake.fingerprint(["t"]) != mark
    assert list(files(lake)) == ["t.parquet"]


def test_a_table_that_is_replaced_at_once_is_read_as_it_is(lake: Lake) -> None:
    """The engine must not take files of one path, size and second for the same."""
    for value in range(40):
        lake.write("t", table(value))
        assert lake.scan("t").x.max().to_pyarrow().as_py() == value


def test_partitions_are_replaced_one_by_one(lake: Lake) -> None:
    lake.write_partition("t", "month", "2026-05", table(1))
    lake.write_partition("t", "month", "2026-06", table(2))
    lake.write_partition("t", "month", "2026-05", table(3))
    assert lake.partitions("t") == ["2026-05", "2026-06"]
    assert lake.read("t").column("x").to_pylist() == [3, 2]
    assert lake.read("t", partition="2026-06").column("x").to_pylist() == [2]
    assert lake.scan("t").x.sum().execute() == 5
    lake.drop("t", "2026-05")
    assert lake.partitions("t") == ["2026-06"]
    lake.drop("t")
    assert not lake.has("t")
    lake.drop("t")


def test_a_table_that_is_not_there_is_not_ready(lake: Lake) -> None:
    for ask in (lake.read, lake.scan):
        with pytest.raises(NotReady, match="the lake has no table t"):
            ask("t")


def test_a_full_disk_leaves_the_old_table(lake: Lake) -> None:
    lake.write("t", table(1))
    big = pa.table({"x": np.random.default_rng(0).random(200_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DiskFull):
            lake.write("t", big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert lake.read("t").column("x").to_pylist() == [1]
    assert list(files(lake)) == ["t.parquet"]


def test_a_writer_that_fails_leaves_the_old_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write("t", table(1))

    def failing(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(KeyboardInterrupt):
        lake.write("t", table(2))
    monkeypatch.undo()
    assert lake.read("t").column("x").to_pylist() == [1]
    assert list(files(lake)) == ["t.parquet"]


def test_a_long_query_prints_no_bar_where_answers_are_printed(tmp_path: Path) -> None:
    shown = Lake(tmp_path).connection.raw_sql("SELECT current_setting('enable_progress_bar')").fetchall()
    assert shown == [(False,)]
