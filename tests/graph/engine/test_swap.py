"""A store made beside the one in use: a kill at any step leaves one of them, whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from graph.engine import swap
from graph.engine.folder import EngineFolder

FILES = ("databases/neo4j/nodes", "transactions/neo4j/log")


def write(data: Path, text: str) -> None:
    for name in FILES:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)


def read(data: Path) -> list[str]:
    return [(data / name).read_text() for name in FILES]


@pytest.fixture
def folder(tmp_path: Path) -> EngineFolder:
    folder = EngineFolder(tmp_path / "neo4j")
    folder.make()
    write(folder.data, "old")
    return folder


class Killed(BaseException):
    pass


@pytest.mark.parametrize("steps", range(30))
def test_a_kill_at_any_step_leaves_the_old_store_or_the_new(folder, monkeypatch, steps):
    done = 0

    def dying(real):
        def call(*arguments, **options):
            nonlocal done
            done += 1
            if done > steps:
                raise Killed
            return real(*arguments, **options)

        return call

    monkeypatch.setattr(os, "replace", dying(os.replace))
    monkeypatch.setattr(os, "fsync", dying(os.fsync))
    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    monkeypatch.setattr(shutil, "rmtree", dying(shutil.rmtree))
    ended = False
    try:
        with swap.staged(folder) as fresh:
            write(fresh.data, "new")
        ended = True
    except Killed:
        pass
    monkeypatch.undo()
    begun = (folder.root / "swap").exists()
    assert swap.finish(folder) == begun
    assert read(folder.data) in ((["new"] * 2,) if ended or begun else (["old"] * 2, ["new"] * 2))
    assert not swap.finish(folder)


def test_what_was_made_for_nothing_is_swept_away(folder):
    making = swap.staged(folder)
    write(making.__enter__().data, "new")
    assert not making.__exit__(ValueError, ValueError("failed"), None)
    assert read(folder.data) == ["old"] * 2
    assert not (folder.root / "staged").exists()
