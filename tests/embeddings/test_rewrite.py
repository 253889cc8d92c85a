"""Snapshots with other pseudonyms or fewer customers: every row stays with its customer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dumbbell.alone import _kept_rows, _renamed_rows
from embeddings import rewrite
from embeddings.publish import digest, make_current, write_snapshot
from embeddings.snapshot import Snapshot
from lake import publish
from lake.errors import NotReady
from lake.pseudonyms import Pseudonyms
from tests.embeddings.test_snapshot import USERS, _parts

OLD, NEW = Pseudonyms(bytes(32)), Pseudonyms(bytes(range(32)))


def changed(home, change):
    staging = publish.stage(home.root)
    ids, gone = rewrite.stage_snapshots(home, staging, change)
    publish.publish(home.root, staging, gone)
    rewrite.sweep(home)
    return ids


def used_by(snapshot, row):
    return snapshot.use_apps[snapshot.use_starts[row] : snapshot.use_starts[row + 1]].tolist()


def test_under_another_key_every_customer_keeps_their_vectors(home):
    old = write_snapshot(home, *_parts(), {"metrics": {}})
    other = write_snapshot(home, *_parts(2.0), {})
    make_current(home, old)
    ids = changed(home, lambda users: _renamed_rows(users, OLD, NEW))
    assert sorted(ids) == sorted([old, other])
    assert sorted(p.name for p in home.snapshots.iterdir()) == sorted([*ids.values(), "current"])
    snapshot = Snapshot.current(home)
    assert snapshot.id == ids[old] == digest(snapshot.folder)
    names = OLD.changed(pa.array(USERS, pa.binary()), NEW).to_pylist()
    assert [bytes(row) for row in snapshot.users] == sorted(names)
    rows = snapshot.rows(names)
    arrays, _ = _parts()
    for name in rewrite.BY_USER:
        assert np.array_equal(np.load(snapshot.folder / f"{name}.npy")[rows], arrays[name])
    assert [used_by(snapshot, row) for row in rows] == [[1], [0, 1], []]


def test_a_forgotten_customer_has_no_row(home):
    id = write_snapshot(home, *_parts(), {})
    make_current(home, id)
    assert changed(home, lambda users: _kept_rows(users, pa.array([bytes(16)], pa.binary()))) == {}
    changed(home, lambda users: _kept_rows(users, pa.array([USERS[1]], pa.binary())))
    snapshot = Snapshot.current(home)
    assert snapshot.rows(USERS).tolist() == [0, -1, 1]
    assert snapshot.user_segment.tolist() == [0, 0]
    assert [used_by(snapshot, row) for row in range(2)] == [[1], []]
    assert USERS[1] not in b"".join(p.read_bytes() for p in home.snapshots.rglob("*") if p.is_file())
    with pytest.raises(NotReady):
        Snapshot.open(home, id)
