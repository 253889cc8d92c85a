"""The home: made once, one writer at a time, its key and period checked, small files whole."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lake.errors import DiskFull, HomeError, HomeHeld, SettingError, WrongKey
from lake.home import Home, as_filled, enough_disk
from lake.settings import load_settings

HOLD = """
import sys, time
from lake.home import Home
from lake.settings import load_settings
with Home.open(load_settings(home=sys.argv[1])).writing("load feeds"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(load_settings(home=tmp_path / "home"), create=True)


def test_there_is_no_home_until_one_is_made(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    with pytest.raises(
        HomeError, match=r"there is no home in .*: name one with --home, or fill it with `dumbbell load`"
    ):
        Home.open(settings)
    assert not settings.home.exists()
    Home.open(settings, create=True)
    Home.open(settings)


def test_a_folder_with_other_files_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("x")
    with pytest.raises(HomeError, match="holds other files"):
        Home.open(load_settings(home=tmp_path), create=True)


def test_a_home_of_another_format_is_refused(home: Home) -> None:
    (home.root / "format").write_text(json.dumps({"format": 99}))
    with pytest.raises(HomeError, match="has format 99, this version reads 2 and older"):
        Home.open(load_settings(home=home.root))


def test_the_key_is_made_once_with_mode_0600_and_another_is_noticed(home: Home) -> None:
    with pytest.raises(WrongKey, match="there is no key"):
        home.pseudonyms()
    made = home.pseudonyms(create=True)
    assert home.key_file.stat().st_mode & 0o777 == 0o600
    assert home.pseudonyms().check == made.check
    home.key_file.write_text("ab" * 32)
    with pytest.raises(
        WrongKey, match="is not the one home was filled with: name the right one with DUMBBELL_KEY_FILE"
    ):
        home.pseudonyms()
    home.key_file.unlink()
    with pytest.raises(WrongKey, match="there is no key"):
        home.pseudonyms(create=True)  # a filled home never gets a second key
    home.key_file.write_text("no key")
    with pytest.raises(WrongKey, match="should hold 64 hexadecimal characters"):
        home.pseudonyms()


def test_the_period_is_kept(home: Home) -> None:
    weeks = load_settings(home=home.root, period="week")
    Home.open(weeks).keep_period(weeks)
    Home.open(weeks).keep_period(weeks)
    with pytest.raises(SettingError, match="set DUMBBELL_PERIOD=week, or load the feeds into a new home"):
        Home.open(load_settings(home=home.root, period="month"))


def test_a_second_writer_is_told_who_holds_the_home_and_a_killed_one_lets_go(home: Home) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home.root)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        wanted = rf"is held by `dumbbell load feeds` \(process {holder.pid}\): wait for it to end, or add --wait"
        with pytest.raises(HomeHeld, match=wanted), home.writing("analyse"):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with home.writing("analyse"):
        pass


def test_a_writer_that_waits_gets_the_home_in_the_end(home: Home) -> None:
    got: list[float] = []

    def second() -> None:
        with home.writing("second", wait=True):
            got.append(time.monotonic())

    with home.writing("first"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.5)
        released = time.monotonic()
    thread.join()
    assert got[0] >= released


def test_opening_while_a_writer_publishes_leaves_its_journal_alone(home: Home) -> None:
    journal = home.lake / ".journal.json"
    with home.writing("load"):
        home.lake.mkdir()
        journal.write_text(json.dumps({"staging": ".staging-1", "renames": [], "deletes": []}))
        Home.open(load_settings(home=home.root))
        assert journal.exists()
    Home.open(load_settings(home=home.root))
    assert not journal.exists()


def test_small_files_are_written_whole_with_their_mode(home: Home) -> None:
    home.write_text(home.keys, "secret", secret=True)
    assert (home.keys.read_text(), home.keys.stat().st_mode & 0o777) == ("secret", 0o600)
    home.write_text(home.steps, "{}")
    assert home.steps.stat().st_mode & 0o777 == 0o644
    assert sorted(p.name for p in home.root.iterdir()) == ["format", "keys.json", "steps.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_left_is_a_full_disk(home: Home, number: int) -> None:
    with pytest.raises(DiskFull, match=r"no space left for .* MB free\): free some space"), enough_disk(home.root):
        raise OSError(number, os.strerror(number))


def test_other_errors_of_the_system_stay_what_they_are(home: Home) -> None:
    with pytest.raises(PermissionError), enough_disk(home.root):
        raise PermissionError(errno.EACCES, "no")


def test_the_period_is_the_homes_where_none_is_set(tmp_path: Path) -> None:
    weekly = load_settings(home=tmp_path / "home", period="week")
    assert as_filled(weekly).period == "week"
    Home.open(weekly, create=True).keep_period(weekly)
    assert as_filled(load_settings(home=tmp_path / "home")).period == "week"
    said = load_settings(home=tmp_path / "home", period="month")
    with pytest.raises(SettingError, match="DUMBBELL_PERIOD=week"):
        Home.open(as_filled(said))
