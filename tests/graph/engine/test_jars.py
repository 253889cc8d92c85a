"""Lock files: what they hold, and what they must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.engine.jars import FOLDER, Jar, lock_path, lock_text, path_of, read_lock
from graph.engine.lock import ROOTS
from graph.engine.releases import RELEASES
from lake.errors import EngineError

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize("release", RELEASES.values(), ids=str)
def test_every_release_is_locked_whole(release) -> None:
    path = lock_path(release.version)
    jars = read_lock(path)
    assert {f"{root}:{release.version}" for root in ROOTS} <= {jar.name for jar in jars}
    assert len({(jar.group, jar.artifact, jar.classifier) for jar in jars}) == len(jars) > 200
    assert jars == sorted(jars)
    assert "/" not in path.read_text()  # no address, no path
    assert not {jar.artifact for jar in jars} & {"junit", "junit-jupiter-api", "mockito-core"}


def test_every_lock_belongs_to_a_release() -> None:
    assert set(FOLDER.glob("*.lock")) == {lock_path(release.version) for release in RELEASES.values()}


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    jars = [Jar("g.h", "a", "1", "", 10, A), Jar("g.h", "b", "2", "linux-x86_64", 20, B)]
    path = tmp_path / "x.lock"
    path.write_text(lock_text("two jars", reversed(jars)))
    assert path.read_text() == f"# two jars\ng.h:a:1 10 {A}\ng.h:b:2:linux-x86_64 20 {B}\n"
    assert read_lock(path) == jars
    assert path_of(jars[1], Path("cache")) == Path("cache/g/h/b/2/b-2-linux-x86_64.jar")


@pytest.mark.parametrize("line", ["g:a:1", "g:a 1 " + A, "g:a:1 x " + A, "g:a:1 1 abc", f"g:a:1:c:d 1 {A}"])
def test_a_damaged_lock_names_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.lock"
    path.write_text(f"# title\n{line}\n")
    with pytest.raises(EngineError, match=r"line 2 of x.lock"):
        read_lock(path)
