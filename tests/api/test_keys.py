"""Keys: shown once, kept hashed in a private file, seen by running servers."""

import json
from pathlib import Path

import pytest

from api.keys import KeyStore
from lake.errors import AccessDenied, BadValue, HomeError, UnknownName
from lake.home import Home
from lake.settings import load_settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(load_settings(home=tmp_path / "home"), create=True)


def test_a_key_is_kept_hashed_with_mode_0600(home: Home) -> None:
    key = KeyStore(home).add("shop", ["match", "query", "match"])
    assert key.startswith("db_")
    assert len(key) > 40
    assert key not in home.keys.read_text()
    assert home.keys.stat().st_mode & 0o777 == 0o600
    assert [(row["name"], row["scopes"]) for row in KeyStore(home).list()] == [("shop", ["match", "query"])]
    assert set(KeyStore(home).list()[0]) == {"name", "scopes", "made"}


def test_check(home: Home) -> None:
    keys = KeyStore(home)
    key = keys.add("shop", ["match"])
    found = keys.check(key)
    assert found.name == "shop"
    assert found.may("match")
    assert not found.may("query")
    assert keys.check(keys.add("root", ["admin"])).may("explore")
    for wrong in ("", key[:-1], key + "x", "db_"):
        with pytest.raises(AccessDenied):
            keys.check(wrong)


def test_another_process_sees_a_change_at_once(home: Home) -> None:
    serving, command = KeyStore(home), KeyStore(home)
    key = command.add("shop", ["match"])
    assert serving.check(key).name == "shop"
    command.revoke("shop")
    with pytest.raises(AccessDenied):
        serving.check(key)


def test_refusals(home: Home) -> None:
    keys = KeyStore(home)
    keys.add("shop", ["match"])
    with pytest.raises(BadValue, match="already"):
        keys.add("shop", ["match"])
    with pytest.raises(BadValue, match=r"'write'.*match, query, explore, admin"):
        keys.add("other", ["match", "write"])
    with pytest.raises(BadValue, match="needs a scope"):
        keys.add("other", [])
    for name in ("", "a b", "x" * 65, "4915100000001", "../x"):
        with pytest.raises(BadValue, match="name"):
            keys.add(name, ["match"])
    with pytest.raises(UnknownName, match="the keys are shop"):
        keys.revoke("other")
    home.keys.write_text(json.dumps({"nothing": 1}))
    with pytest.raises(HomeError, match="not a list of keys"):
        KeyStore(home).list()
