"""Many files at once: all in place or none, whatever moment the writer dies at."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import publish

BEFORE = {"lake/a": "1", "lake/t/month=2026-05/x": "2", "lake/t/month=2026-06/y": "3", "quarantine/q": "4"}
STAGED = {"lake/a": "1", "lake/b": "new", "lake/t/month=2026-06/y": "changed", "quarantine/n": "5"}
DELETES = ["lake/t/month=2026-05/x", "quarantine/q", "lake/none"]
AFTER = {"lake/a": "1", "lake/b": "new", "lake/t/month=2026-06/y": "changed", "quarantine/n": "5"}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def read(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def begin(root: Path) -> Path:
    write(root, BEFORE)
    staging = publish.stage(root)
    write(staging, STAGED)
    return staging


def test_everything_is_put_in_place_and_emptied_partitions_go(tmp_path: Path) -> None:
    publish.publish(tmp_path, begin(tmp_path), DELETES)
    assert read(tmp_path) == AFTER
    assert not (tmp_path / "lake/t/month=2026-05").exists()
    assert not publish.recover(tmp_path)


def test_what_did_not_change_is_not_touched(tmp_path: Path) -> None:
    staging = begin(tmp_path)
    inode = (tmp_path / "lake/a").stat().st_ino
    publish.publish(tmp_path, staging)
    assert (tmp_path / "lake/a").stat().st_ino == inode


class Killed(BaseException):
    pass


STEPS = ("replace", "unlink", "rmdir", "fsync")


@pytest.mark.parametrize("moment", range(1, 25))
def test_a_writer_killed_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    staging, steps = begin(tmp_path), []

    def dying(real):
        def step(*arguments, **options):
            steps.append(real)
            if len(steps) == moment:
                raise Killed
            return real(*arguments, **options)

        return step

    monkeypatch.setattr("lake.publish.os.replace", dying(os.replace))
    monkeypatch.setattr("lake.publish.os.fsync", dying(os.fsync))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    monkeypatch.setattr(Path, "rmdir", dying(Path.rmdir))
    with contextlib.suppress(Killed):
        publish.publish(tmp_path, staging, DELETES)
    monkeypatch.undo()
    begun = publish.unfinished(tmp_path)
    assert publish.recover(tmp_path) is begun
    found = read(tmp_path)
    assert found in (BEFORE, AFTER)
    if begun:
        assert found == AFTER
    assert not publish.recover(tmp_path)
    assert not list(tmp_path.glob("lake/.*"))


def test_what_was_only_staged_is_swept_away_by_the_next_writer(tmp_path: Path) -> None:
    begin(tmp_path)
    staging = publish.stage(tmp_path)
    assert list(staging.iterdir()) == []
    staging.rmdir()
    assert read(tmp_path) == BEFORE


@settings(max_examples=30)
@given(st.binary(max_size=50), st.binary(max_size=50))
def test_same_bytes(tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes) -> None:
    root = tmp_path_factory.mktemp("same")
    (root / "a").write_bytes(one)
    (root / "b").write_bytes(other)
    assert publish.same_bytes(root / "a", root / "b") is (one == other)
    assert not publish.same_bytes(root / "a", root / "none")
