from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.catalogue import read_catalogue, user_bytes
from embeddings.graph import Edges, read_calls, read_uses


def _user(i: int) -> bytes:
    return i.to_bytes(8, "big") + bytes(8)


def test_uses_are_summed_and_others_left_out(lake, write):
    write["customers"](lake, 4, off_net=(3,))
    lake.write("apps", pa.table({"app": ["unused", "maps"]}))
    rows = [(0, "maps", 0, 2, 60.0), (0, "maps", 5, 1, 120.0), (1, "news", 1), (3, "maps", 0), (9, "maps", 0)]
    write["usage"](lake, rows)
    nodes = read_catalogue(lake)
    assert nodes.apps.to_pylist() == ["maps", "news", "unused"]
    assert nodes.users.to_pylist() == [_user(0), _user(1), _user(2)]
    uses = read_uses(lake, nodes)
    assert uses.matrix().toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert uses.strength[0] == pytest.approx(1 + np.log(4) + np.log(4))
    assert uses.last[0] - uses.first[0] == 5


def test_values_that_cannot_be_count_as_none(lake, write):
    write["customers"](lake, 1)
    write["usage"](lake, [(0, "a", 0, -5, float("nan"), float("nan")), (0, "b", 0, 0, -60.0, -1.0)])
    uses = read_uses(lake, read_catalogue(lake))
    assert uses.strength.tolist() == [1.0, 1.0]


def test_without_usage_there_are_no_edges(lake, write):
    write["customers"](lake, 2)
    uses = read_uses(lake, read_catalogue(lake))
    assert uses.shape == (2, 0)
    assert len(uses) == 0
    assert uses.matrix().shape == (2, 0)


def test_calls_keep_the_strongest_contacts_of_the_latest_periods(lake, write):
    write["customers"](lake, 4)
    ones = [(0, 1, 5), (0, 2, 1), (0, 3, 9), (0, 8, 99)]
    for period, scale in (("2026-01", 1000), ("2026-02", 1), ("2026-03", 1)):
        table = pa.table(
            {
                "user": pa.array([_user(u) for u, _, _ in ones], pa.binary()),
                "contact": pa.array([_user(v) for _, v, _ in ones], pa.binary()),
                **{name: [0] * 4 for name in ("calls_in", "messages_out", "messages_in")},
                "calls_out": [scale * c for _, _, c in ones],
            }
        )
        lake.write_partition("contacts", "period", period, table)
    calls = read_calls(lake, read_catalogue(lake), periods=2, most=2)
    assert calls.items.tolist() == [1, 3]
    assert calls.strength.tolist() == [10, 18]


def test_pseudonyms_as_bytes():
    assert user_bytes(pa.array([_user(258)], pa.binary())).tolist() == [[0] * 6 + [1, 2] + [0] * 8]
    assert user_bytes(pa.array([], pa.binary())).shape == (0, 16)


def test_matrices_share_what_the_edges_hold():
    items, none = np.array([0, 2, 1], np.int32), np.full(3, -1, np.int32)
    edges = Edges(np.array([0, 0, 2], np.int32), items, np.array([1, 2, 3], np.float32), none, none, (3, 4))
    ones, strengths = edges.matrix(), edges.matrix(binary=False)
    assert ones.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert strengths.toarray().tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [0, 3, 0, 0]]
    assert all(np.shares_memory(matrix.indices, items) for matrix in (ones, strengths))
