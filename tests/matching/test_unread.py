"""A decision knows the same answers, whether the graph is asked for all of them or for those that the lake lacks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.answered import OUTCOMES
from matching.answers import SCHEMA
from matching.batch import match_all
from matching.state import MatchState
from matching.unread import unread_since
from tests.matching.conftest import TODAY
from tests.matching.random_operator import APPS, OFFERS, random_operator

YEAR_S = 365 * 86_400


def answers(*recorded: dt.datetime | None) -> pa.Table:
    return pa.table({f.name: pa.array(recorded, f.type) if f.name == "recorded" else pa.nulls(len(recorded), f.type)
                     for f in SCHEMA})  # fmt: skip


def test_all_are_asked_for_where_the_lake_has_none(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert unread_since(lake, TODAY) is None
    lake.write("answers", answers())
    assert unread_since(lake, TODAY) is None
    lake.write("answers", answers(None))
    assert unread_since(lake, TODAY) is None


def test_those_after_the_last_one_of_the_lake_and_those_of_the_last_days(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    early, late = dt.datetime(2026, 5, 1, 12), dt.datetime(2026, 5, 20, 12)
    lake.write("answers", answers(early, late))
    assert unread_since(lake, TODAY) == dt.datetime(2026, 5, 20, 11, 50)
    assert unread_since(lake, dt.date(2026, 5, 21)) == dt.datetime(2026, 5, 18)


def test_decisions_are_the_same_with_all_answers_and_with_those_that_are_asked_for(tmp_path: Path) -> None:
    _, users = random_operator(tmp_path, 1)
    settings = load_settings(home=tmp_path / "home1", today=TODAY)
    home, rng, rows = Home.open(settings), np.random.default_rng(3), 400
    now = dt.datetime.combine(TODAY, dt.time(12))
    recorded = sorted(now - dt.timedelta(seconds=int(s)) for s in rng.integers(0, YEAR_S, rows) ** 2 // YEAR_S)
    kind = rng.choice(["app", "offer"], rows)
    item = np.where(kind == "app", rng.integers(0, APPS, rows), rng.integers(0, OFFERS, rows))
    names = {"app": "a", "offer": "o"}
    told = {
        "user": [users[i] for i in rng.integers(0, len(users), rows)],
        "kind": kind,
        "item": [f"{names[of]}{i:02d}" for of, i in zip(kind, item, strict=True)],
        "channel": rng.choice(["sms", "shop"], rows),
        "at": recorded,
        "outcome": rng.choice(OUTCOMES, rows),
        "decision": [f"d{i // 2}" if i % 3 else None for i in range(rows)],
        "key": [f"k{i}" for i in range(rows)],
        "recorded": recorded,
    }
    table = pa.table({f.name: pa.array(told[f.name], f.type) if f.name in told else pa.nulls(rows, f.type)
                      for f in SCHEMA})  # fmt: skip
    held = table.filter(pc.less(table["recorded"], pa.scalar(now - dt.timedelta(days=5))))
    assert 0 < len(held) < rows
    lake = Lake(home.lake)
    lake.write("answers", held)
    since = unread_since(lake, TODAY)
    assert since is not None
    asked_for = table.filter(pc.greater(table["recorded"], pa.scalar(since)))
    assert len(asked_for) < rows / 2
    state = MatchState.load(home, settings, lake, Snapshot.current(home))
    changed = []
    for of in ("app", "offer"):
        found = match_all(state, of, APPS, answered=asked_for)
        assert found.equals(match_all(state, of, APPS, answered=table))
        changed.append(not found.equals(match_all(state, of, APPS)))
    assert any(changed)
