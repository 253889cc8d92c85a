"""When each command last ran, and how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake import runs
from lake.errors import HomeError, NotReady
from lake.home import Home
from lake.settings import load_settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(load_settings(home=tmp_path / "home"), create=True)


def test_the_last_run_of_each_command_is_kept(home: Home) -> None:
    with home.writing("load"):
        assert runs.read(home.runs)["load"]["result"] == runs.UNFINISHED  # what a killed one leaves
    with pytest.raises(NotReady), home.writing("embed"):
        raise NotReady("nothing", "load")
    with pytest.raises(KeyboardInterrupt), home.writing("analyse"):
        raise KeyboardInterrupt
    with home.writing("recovery"):
        pass
    found = runs.read(home.runs)
    assert {name: run["result"] for name, run in found.items()} == {
        "load": "done",
        "embed": "not_ready",
        "analyse": "interrupted",
    }
    assert set(found["load"]) == {"started", "seconds", "result"}


def test_a_home_halfway_is_for_the_command_that_finishes_it(home: Home) -> None:
    settings = load_settings(home=home.root)
    home.begin("forget", users=["u"])
    assert home.unfinished.stat().st_mode & 0o777 == 0o600
    with pytest.raises(HomeError, match=r"halfway through `dumbbell forget`.*run `dumbbell forget` again") as refused:
        Home.open(settings)
    assert refused.value.code == "home_unfinished"
    again = Home.open(settings, finishing="forget")
    assert again.begun() == {"command": "forget", "users": ["u"]}
    again.end()
    assert Home.open(settings).begun() is None
