"""Homes with one key agree, homes with two share nothing, and a wrong key is noticed before anything is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lake.errors import WrongKey
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "users.csv").write_text("number,person\n4915100000001,P1\n4915100000002,\n")
    (folder / "calls.csv").write_text("caller,callee,at,seconds\n4915100000001,4915100000009,2026-05-01,60\n")
    return folder


def pseudonyms(home: Home) -> dict[str, list[bytes]]:
    lake = Lake(home.lake)
    return {"numbers": lake.read("customers")["user"].to_pylist(), "persons": lake.read("users")["person"].to_pylist()}


def filled(feeds: Path, root: Path, key_file: Path | None = None) -> Home:
    settings = load_settings(home=root, key_file=key_file)
    home = Home.open(settings, create=True)
    with home.writing("load"):
        load(feeds, home, settings)
    return home


def test_homes_with_one_key_agree(feeds: Path, tmp_path: Path) -> None:
    one = filled(feeds, tmp_path / "one", tmp_path / "keys" / "shared")
    two = filled(feeds, tmp_path / "two", tmp_path / "keys" / "shared")
    third = Home.open(load_settings(home=tmp_path / "third"), create=True)
    shutil.copy(one.key_file, third.key_file)
    assert pseudonyms(one) == pseudonyms(two) == pseudonyms(filled(feeds, third.root))
    assert not (one.root / "number.key").exists()
    assert one.key_file.stat().st_mode & 0o777 == 0o600


def test_homes_with_two_keys_share_nothing(feeds: Path, tmp_path: Path) -> None:
    one, two = (pseudonyms(filled(feeds, tmp_path / name)) for name in ("one", "two"))
    for name in one:
        assert not ({*one[name]} & {*two[name]}) - {None}


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_wrong_key_is_noticed_at_once(feeds: Path, tmp_path: Path, elsewhere: bool) -> None:
    home = filled(feeds, tmp_path / "home", tmp_path / "key" if elsewhere else None)
    before = {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()}
    home.key_file.write_text(os.urandom(32).hex())
    (feeds / "users.csv").write_text("number\n4915100000003\n")
    with pytest.raises(
        WrongKey, match="is not the one home was filled with: name the right one with DUMBBELL_KEY_FILE"
    ):
        filled(feeds, home.root, home.key_file if elsewhere else None)
    home.key_file.unlink()
    with pytest.raises(WrongKey, match="there is no key for numbers"):
        filled(feeds, home.root, home.key_file if elsewhere else None)
    assert {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()} == before
