from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from embeddings.publish import make_current, write_snapshot
from embeddings.snapshot import ADDED, Snapshot, current_id
from lake.errors import NotReady

USERS = [bytes([1]) + bytes(15), bytes([1]) + bytes(14) + b"\1", bytes([2]) * 16]


def _parts(mark: float = 1.0) -> tuple[dict[str, np.ndarray], dict[str, pa.Table]]:
    arrays = {
        "users": np.frombuffer(b"".join(USERS), np.uint8).reshape(3, 16),
        "user_vectors": np.array([[mark, 0], [0, 2], [0, 0]], np.float32),
        "app_vectors": np.eye(2, dtype=np.float32),
        "app_popularity": np.array([0.75, 0.5], np.float32),
        "product_vectors": np.array([[0.0]], np.float32),
        "product_user_vectors": np.array([[1], [1], [0]], np.float32),
        "product_popularity": np.array([0.25], np.float32),
        "user_segment": np.array([0, -1, 0], np.int32),
        "segment_app_scores": np.array([[0.1, 0.9]], np.float32),
        "segment_product_scores": np.array([[0.75]], np.float32),
        "offer_users": np.array([[1], [2], [3]], np.float32),
        "offer_weights": np.zeros((1, 2)),
        "offer_slopes": np.ones(7),
        "use_starts": np.array([0, 1, 3, 3]),
        "use_apps": np.array([1, 0, 1], np.int32),
        "near_starts": np.array([0, 0, 1]),
        "near_apps": np.array([0], np.int32),
        "near_weights": np.array([3], np.float32),
        "user_pull": np.array([0.5, 1, 0], np.float32),
        "app_fold": np.eye(2, dtype=np.float32),
        "start_users": np.array([[1], [2], [3]], np.float16),
    }
    tables = {
        "apps": pa.table({"app": ["a", "b"]}),
        "products": pa.table({"product": ["p"]}),
        "segments": pa.table({"segment": ["all"]}),
        **{name: pa.table({"offer": pa.array([], pa.string())}) for name in ("offers", "offer_segments", "channels")},
    }
    return arrays, tables


def test_scores_with_the_fallbacks(home):
    id = write_snapshot(home, *_parts(), {"metrics": {}})
    snapshot = Snapshot.open(home, id)
    rows = snapshot.rows([USERS[1], USERS[2], bytes(16), USERS[0]])
    assert rows.tolist() == [1, 2, -1, 0]
    expected = np.array([[3, 2], [0.1, 0.9], [0.75, 0.5], [2.5, 0]], np.float32)
    assert np.array_equal(snapshot.app_scores(rows), expected)
    assert snapshot.product_scores(rows).ravel().tolist() == [0.5, 0.75, 0.5, 0.5]


def test_arrays_are_mapped_not_read(home):
    snapshot = Snapshot.open(home, write_snapshot(home, *_parts(), {}))
    assert isinstance(snapshot.user_vectors, np.memmap)


def test_without_what_was_learned_from_answers_it_opens_all_the_same(home):
    arrays, tables = _parts()
    kept = {name: values for name, values in arrays.items() if name not in ADDED}
    snapshot = Snapshot.open(home, write_snapshot(home, kept, tables, {}))
    assert (snapshot.offer_users.shape, len(snapshot.offer_weights), len(snapshot.offer_slopes)) == ((3, 0), 0, 0)


def test_there_is_none_at_first(home):
    assert current_id(home) is None
    with pytest.raises(NotReady, match="dumbbell embed"):
        Snapshot.current(home)
    with pytest.raises(NotReady):
        Snapshot.open(home, "gone")


def test_the_same_bytes_have_the_same_id_and_others_another(home):
    one = write_snapshot(home, *_parts(), {"metrics": {}})
    again = write_snapshot(home, *_parts(), {"metrics": {}})
    other = write_snapshot(home, *_parts(2.0), {"metrics": {}})
    assert one == again != other
    assert not list(home.snapshots.glob(".staging*"))


def test_writing_does_not_make_current_and_old_ones_go(home):
    first = write_snapshot(home, *_parts(0), {})
    make_current(home, first)
    ids = [write_snapshot(home, *_parts(float(i)), {}) for i in range(1, 5)]
    assert current_id(home) == first
    make_current(home, ids[-1])
    kept = {p.name for p in home.snapshots.iterdir() if p.is_dir()}
    assert kept == set(ids[-3:])
    assert Snapshot.current(home).id == ids[-1]


def test_opening_a_snapshot_loads_no_torch():
    code = "import sys, embeddings.snapshot; assert not any(m.split('.')[0] in ('torch', 'scipy') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("name", "left"), [("user_vectors.npy", 0), ("apps.parquet", 8), ("manifest.json", 1)])
def test_a_damaged_snapshot_is_refused_in_a_sentence_and_the_same_bytes_mend_it(home, name, left):
    id = write_snapshot(home, *_parts(), {"metrics": {}})
    make_current(home, id)
    file = home.snapshots / id / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(NotReady, match=rf"{id} .* cannot be read .*embed --force"):
        Snapshot.current(home)
    assert write_snapshot(home, *_parts(), {"metrics": {}}) == id
    assert Snapshot.current(home).apps == ["a", "b"]
