"""A home in one file and back: whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lake import backup
from lake.errors import BadValue, DiskFull, HomeError
from lake.home import Home
from lake.settings import load_settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with its key elsewhere, a table, a secret, leftovers and a server's folder."""
    home = Home.open(load_settings(home=tmp_path / "home", key_file=tmp_path / "keys" / "k"), create=True)
    home.pseudonyms(create=True)
    for name, data in {
        "lake/calls/month=2026-05/a.parquet": os.urandom(200_000),
        "snapshots/current": b"one\n",
        "lake/.staging-1/lake/b.parquet": b"left",
        "neo4j/data/store": b"graph",
    }.items():
        (home.root / name).parent.mkdir(parents=True, exist_ok=True)
        (home.root / name).write_bytes(data)
    home.write_text(home.keys, '{"keys": []}', secret=True)
    os.utime(home.keys, ns=(1, 1_700_000_000_123_456_789))
    return home


@pytest.fixture
def archive(home: Home, tmp_path: Path) -> Path:
    backup.write(home, tmp_path / "home.backup")
    return tmp_path / "home.backup"


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    empty = Home(tmp_path / "back")
    empty.root.mkdir()
    return empty


def files(home: Home) -> dict[str, tuple[bytes, int, int]]:
    found = {}
    for path in home.root.rglob("*"):
        name = path.relative_to(home.root).as_posix()
        if path.is_file() and not name.startswith(("neo4j", "lake/.staging", "lock", "runs.json", "number.key")):
            found[name] = (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_mtime_ns)
    return found


def test_everything_comes_back_with_its_mode_and_time(home: Home, archive: Path, empty: Home) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    found = backup.unpack(archive, empty)
    assert found["files"] == 5
    backup.put_in_place(empty)
    assert files(empty) == files(home)
    assert empty.key_file.read_bytes() == home.key_file.read_bytes()
    assert empty.key_file.stat().st_mode & 0o777 == 0o600
    assert not (empty.root / "neo4j").exists()


def test_the_key_goes_where_the_settings_want_it(home: Home, archive: Path, tmp_path: Path) -> None:
    other = Home(tmp_path / "back", tmp_path / "elsewhere" / "k")
    other.root.mkdir()
    backup.unpack(archive, other)
    backup.put_in_place(other)
    assert other.key_file.read_bytes() == home.key_file.read_bytes()
    assert not (other.root / "number.key").exists()
    third = Home(tmp_path / "third", tmp_path / "another")
    third.root.mkdir()
    third.key_file.write_text("ab" * 32)
    backup.unpack(archive, third)
    with pytest.raises(HomeError, match="another key for numbers"):
        backup.put_in_place(third)


def test_one_that_was_cut_short_or_altered_is_refused(archive: Path, empty: Home, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    broken = [whole[: len(whole) * part // 10] for part in range(10)]
    broken += [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(50, len(whole), 20_011)
    ]
    for data in [*broken, b"", b"PK\x03\x04", whole[:-1]]:
        path = tmp_path / "broken"
        path.write_bytes(data)
        with pytest.raises(HomeError, match=r"broken (is no backup|was cut short|was altered)") as refused:
            backup.unpack(path, empty)
        assert refused.value.code == "bad_backup"
        assert list(empty.root.iterdir()) == []


def made(path: Path, *members: tuple[str, bytes | str]) -> Path:
    """An archive of these members; a text is a link's target."""
    with (
        pa.OSFile(str(path), "wb") as raw,
        pa.CompressedOutputStream(raw, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as tar,
    ):
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def head(**facts: Any) -> tuple[str, bytes]:
    known = {"is": backup.KIND, "version": 1, "format": 2, "files": 1, "bytes": 1}
    return backup.HEAD, json.dumps({**known, **facts}).encode()


def tail(**contents: bytes) -> tuple[str, bytes]:
    facts = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "mode": 0o600, "changed_ns": 1}
        for name, data in contents.items()
    }
    return backup.TAIL, json.dumps(facts).encode()


@pytest.mark.parametrize(
    "name",
    ["home/../../out", "/tmp/out", "home//etc/../../../out", "home//tmp/out", "../out", "out", "home/", "home/.."],
)
def test_nothing_leaves_the_home(empty: Home, tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "evil", head(), (name, b"x"), tail(**{name: b"x"}))
    with pytest.raises(HomeError, match="evil"):
        backup.unpack(path, empty)
    assert list(empty.root.iterdir()) == []
    assert not list(tmp_path.glob("**/out"))


def test_links_are_refused(empty: Home, tmp_path: Path) -> None:
    path = made(tmp_path / "evil", head(), ("home/format", "/etc/passwd"))
    with pytest.raises(HomeError, match="holds something that no backup holds"):
        backup.unpack(path, empty)


@pytest.mark.parametrize("facts", [{"version": 2}, {"format": 99}])
def test_one_of_a_newer_version_is_refused(empty: Home, tmp_path: Path, facts: dict[str, int]) -> None:
    path = made(tmp_path / "new", head(**facts), ("home/format", b"{}"), tail(**{"home/format": b"{}"}))
    with pytest.raises(HomeError, match="made by a newer version of dumbbell: use that version"):
        backup.unpack(path, empty)


def test_one_of_something_else_is_refused(empty: Home, tmp_path: Path) -> None:
    for members in ([("letter.txt", b"dear")], [head(**{"is": "something else"})], []):
        with pytest.raises(HomeError, match="is no backup of a home"):
            backup.unpack(made(tmp_path / "other", *members), empty)


Usage = namedtuple("Usage", "total used free")


def test_too_little_disk_is_said_before(
    home: Home, archive: Path, empty: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lake.backup.shutil.disk_usage", lambda _: Usage(10**6, 10**6, 1000))
    for work in (lambda: backup.write(home, tmp_path / "second"), lambda: backup.unpack(archive, empty)):
        with pytest.raises(DiskFull, match="free some space, or name another disk"):
            work()
    assert not (tmp_path / "second").exists()
    assert list(empty.root.iterdir()) == []


def test_a_backup_is_whole_or_absent(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(*_: Any) -> Callable[..., Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lake.backup._add_file", dying)
    with pytest.raises(DiskFull):
        backup.write(home, tmp_path / "home.backup")
    assert not list(tmp_path.glob("*home.backup*"))
    with pytest.raises(BadValue, match="there is no folder"):
        backup.write(home, tmp_path / "nowhere" / "home.backup")
