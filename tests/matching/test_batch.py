from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lake.errors import BadValue
from matching import batch
from matching.answered import Answered
from matching.decision import MatchRequest
from matching.match import match
from matching.scores import _shares
from tests.matching.conftest import TODAY, user
from tests.matching.random_operator import random_operator


def rows_of(state, who: bytes, kind: str, k: int, answered=None) -> list[tuple]:
    """One customer's decision as rows of the table that a batch gives."""
    items = match(state, MatchRequest(user=who, kind=kind, k=k), answered).items
    return [(who, kind, i.id, rank, i.score, i.channel, i.reason) for rank, i in enumerate(items, 1)]


def as_rows(table: pa.Table) -> list[tuple]:
    return list(zip(*(table[name].to_pylist() for name in batch.SCHEMA.names), strict=True))


@pytest.mark.parametrize("kind", ["app", "offer"])
def test_everybody_of_the_own_network_gets_what_each_would_get_alone(state, kind):
    table = batch.match_all(state, kind, 3)
    assert table.schema == batch.SCHEMA
    assert as_rows(table) == [row for i in range(6) for row in rows_of(state, user(i), kind, 3)]


@pytest.mark.parametrize("kind", ["app", "offer"])
def test_a_list_of_pseudonyms_unknown_ones_too(state, kind):
    table = batch.match_all(state, kind, 2, users=[user(77), user(0), user(0), user(6)])
    assert as_rows(table) == [row for i in (0, 6, 77) for row in rows_of(state, user(i), kind, 2)]


def test_answers_since_the_load_count_as_a_table_or_in_memory(state):
    at = dt.datetime.combine(TODAY, dt.time())
    said = [(user(0), "app", "game"), (user(77), "app", "game"), (user(0), "offer", "o1")]
    facts = {"user": [s[0] for s in said], "kind": [s[1] for s in said], "item": [s[2] for s in said]}
    table = pa.table({**facts, "outcome": ["refused"] * 3, "at": [at] * 3})
    for answered in (table, Answered.of(table)):
        apps = batch.match_all(state, "app", 1, users=[user(0), user(77)], answered=answered)
        assert apps["item"].to_pylist() == ["chat", "chat"]
        assert batch.match_all(state, "offer", 1, users=[user(0)], answered=answered)["item"].to_pylist() == ["o2"]


@pytest.mark.parametrize("seed", range(4))
def test_the_same_as_alone_for_random_customers_whatever_the_block(tmp_path, monkeypatch, seed):
    state, users = random_operator(tmp_path, seed)
    answered = Answered()
    rng = np.random.default_rng(seed)
    for i in rng.integers(0, len(users), 20):
        kind = ("app", "offer")[i % 2]
        item = state.items(kind)[int(rng.integers(0, len(state.items(kind))))].as_py()
        answered.add(users[i], kind, item, "refused", dt.datetime.combine(state.today, dt.time()))
    for kind in ("app", "offer"):
        alone = [row for u in users for row in rows_of(state, u, kind, 5, answered)]
        for cells in (1, 7 * len(state.items(kind)), 1 << 24):
            monkeypatch.setattr(batch, "BLOCK_CELLS", cells)
            assert as_rows(batch.match_all(state, kind, 5, users=users, answered=answered)) == alone


def test_a_file_is_written_whole_and_nothing_beside_it(state, tmp_path):
    out = tmp_path / "folder" / "out.parquet"
    rows = batch.write_matches(out, state, "app", 3)
    assert pq.read_table(out).equals(batch.match_all(state, "app", 3))
    assert rows == pq.read_table(out).num_rows
    assert [p.name for p in out.parent.iterdir()] == ["out.parquet"]
    with pytest.raises(BadValue):
        batch.write_matches(out, state, "app", 0)
    assert pq.read_table(out).num_rows == rows
    assert [p.name for p in out.parent.iterdir()] == ["out.parquet"]


def test_nobody_to_decide_for(state):
    empty = batch.match_all(state, "offer", 3, users=[])
    assert empty.num_rows == 0
    assert empty.schema == batch.SCHEMA
    assert batch.match_all(state, "app", 3, users=[user(3)]).num_rows == 0


def test_without_apps_nobody_gets_one(state):
    """Of a catalogue without apps, whose arrays are mapped and cannot be written."""
    none = np.zeros(0, np.float32)
    none.flags.writeable = False
    vectors = replace(
        state.vectors, apps=state.vectors.apps[:0], popularity=none, segment_apps=state.vectors.segment_apps[:, :0]
    )
    left, scores = np.zeros((2, vectors.apps.shape[1]), np.float32), np.zeros((2, 0), np.float32)
    assert _shares(replace(state, vectors=vectors), np.array([0, 1]), left, scores).tolist() == [True, True]


def test_ranks_begin_at_one_and_scores_fall(state):
    table = batch.match_all(state, "app", 5)
    first = table.filter(pc.equal(table["rank"], 1))
    assert first["user"].to_pylist() == [user(i) for i in (0, 1, 2, 4)]
