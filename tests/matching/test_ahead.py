"""Lists made ahead: decisions with them are those without, whatever is asked and was said since."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pytest

from lake.errors import DiskFull
from lake.home import Home
from matching.ahead import FOLDER, LENGTH, Ahead
from matching.answered import Answered
from matching.decision import MatchRequest
from matching.match import match
from tests.matching.random_operator import TODAY, random_operator

NOON, NIGHT = (dt.datetime.combine(TODAY, dt.time(hour)) for hour in (12, 2))


def a_home(folder: Path) -> Home:
    (folder / "home").mkdir(exist_ok=True)
    return Home(folder / "home")


@pytest.mark.parametrize("seed", [1, 2])
def test_decisions_are_those_without_lists(tmp_path: Path, seed: int) -> None:
    state, users = random_operator(tmp_path, seed)
    ahead = Ahead(a_home(tmp_path), state, "one")
    rng = np.random.default_rng(seed)
    answered = Answered()
    apps, channels = state.apps.ids.to_pylist(), [None, *state.channels.ids.to_pylist()]
    for user in users[::5]:
        for outcome in ("refused", "shown"):
            answered.add(user, "app", apps[int(rng.integers(len(apps)))], outcome, NOON, f"decision {outcome}")
    known: set[int] = set()
    for _ in range(3):
        for user in [*users, None, b"nobody knows me "]:
            asked = MatchRequest(
                user=user,
                k=int(rng.integers(1, LENGTH + 5)),
                channel=channels[int(rng.integers(len(channels)))],
                slots=int(rng.integers(1, 6)) if rng.random() < 0.3 else None,
                context_used=tuple(rng.choice(apps, 2)) if rng.random() < 0.2 else (),
                at=NIGHT if rng.random() < 0.3 else NOON,
            )
            plain, listed = (match(state, asked, answered, lists).trace() for lists in (None, ahead))
            assert {**plain, "decision": ""} == {**listed, "decision": ""}
            known.add(len(ahead.missing()))
    assert min(known) < max(known)  # lists were made on the way


def test_lists_are_shared_and_belong_to_one_state(tmp_path: Path) -> None:
    state, _ = random_operator(tmp_path, 3)
    home = a_home(tmp_path)
    one, two = Ahead(home, state, "one"), Ahead(home, state, "one")
    assert len(two.missing()) == state.customers.n + 1  # the unknown number too
    for user in one.missing().tolist():
        one.best(user, 0)
    assert not len(two.missing())
    one.let_go()
    assert not len(one.missing())
    assert two.best(0, LENGTH).values.tobytes() == one.best(0, LENGTH).values.tobytes()
    other = Ahead(home, state, "another")
    assert len(other.missing()) == state.customers.n + 1
    assert len(list((home.root / FOLDER).iterdir())) == 1  # those of the former state are gone


def test_one_sweeps_at_a_time(tmp_path: Path) -> None:
    state, _ = random_operator(tmp_path, 3)
    one, two = (Ahead(a_home(tmp_path), state, "one") for _ in range(2))
    with one.sweeping() as first, two.sweeping() as second:
        assert (first, second) == (True, False)
    with two.sweeping() as again:
        assert again


def test_no_room_is_said_before_anything_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    state, _ = random_operator(tmp_path, 3)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DiskFull):
        Ahead(a_home(tmp_path), state, "one")
