from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from lake.errors import HomeError, UnknownName
from lake.home import Home
from matching.decision import Decision, Item, MatchRequest
from matching.decisions import FILE, Decisions
from tests.matching.conftest import user

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def decision(id: str) -> Decision:
    path = [{"node": "Offer", "key": "o1"}]
    said = {"id": "o1", "score": 0.5, "channel": "sms", "reason": "because", "script": None, "path": path}
    item = Item.of(**said, factors={"prior": 0.1}, hours=[])
    return Decision(id, "snap", MatchRequest(user(0), "offer", 3), True, [item], None, 3, {"dates": 1})


def test_a_decision_can_be_looked_up(home):
    decisions = Decisions(home)
    decisions.record(decision("d1"), NOW)
    trace = decisions.get("d1")
    assert trace["items"][0]["factors"] == {"prior": 0.1}
    assert trace["removed"] == {"dates": 1}
    assert trace["at"] == "2026-06-01T00:00:00+00:00"
    assert Decisions(home).get("d1") == trace


def test_one_that_is_not_there_says_so(home):
    with pytest.raises(UnknownName, match="90 days"):
        Decisions(home).get("d1")


def test_decisions_are_kept_ninety_days(home):
    decisions = Decisions(home)
    decisions.record(decision("old"), NOW - dt.timedelta(days=91))
    decisions.record(decision("new"), NOW - dt.timedelta(days=90))
    assert decisions.prune(NOW) == 1
    assert decisions.get("new")["decision"] == "new"


def test_the_file_is_for_its_owner_alone(home):
    Decisions(home)
    assert (home.root / FILE).stat().st_mode & 0o777 == 0o600


def test_a_killed_process_leaves_what_it_recorded(home):
    script = textwrap.dedent(
        f"""
        import os, signal
        from lake.settings import load_settings
        from lake.home import Home
        from matching.decisions import Decisions
        from matching.decision import Decision, MatchRequest
        decisions = Decisions(Home.open(load_settings(home={str(home.root)!r})))
        for i in range(50):
            decisions.record(Decision(str(i), "s", MatchRequest(None), False, [], "none", 0, {{}}))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    decisions = Decisions(home)
    assert [decisions.get(str(i))["decision"] for i in range(50)] == [str(i) for i in range(50)]


def test_what_was_logged_is_settled_and_a_file_that_cannot_be_says_so(home: Home) -> None:
    decisions = Decisions(home)
    decisions.record(decision("d1"), NOW)
    decisions.settle()
    assert b"d1" in (home.root / FILE).read_bytes()
    decisions.close()
    (home.root / FILE).unlink()
    (home.root / FILE).mkdir()
    with pytest.raises(HomeError, match="cannot be written"):
        decisions.settle()


def test_a_file_in_the_order_of_ids_is_renewed(home: Home) -> None:
    with closing(sqlite3.connect(home.root / FILE)) as former, former:
        columns = "id TEXT PRIMARY KEY, at INTEGER NOT NULL, trace BLOB NOT NULL"
        former.execute(f"CREATE TABLE decisions ({columns}) WITHOUT ROWID")
        former.execute("CREATE INDEX decisions_at ON decisions (at)")
        rows = [("a", 2, b'{"n": 2}'), ("b", 1, b'{"n": 1}')]
        former.executemany("INSERT INTO decisions VALUES (?, ?, ?)", rows)
    for decisions in (Decisions(home), Decisions(home)):
        assert [decisions.get(id) for id in "ab"] == [{"n": 2}, {"n": 1}]
    assert decisions.prune(dt.datetime.fromtimestamp(2, dt.UTC) + dt.timedelta(days=90)) == 1
    assert decisions.get("a") == {"n": 2}
