from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from embeddings.catalogue import read_catalogue
from embeddings.graph import Edges
from embeddings.popularity import WEIGHT, Segments, popularity, read_segments, segment_shares


def _edges() -> Edges:
    users, items = np.array([0, 0, 1, 2], np.int32), np.array([0, 1, 0, 0], np.int32)
    return Edges(users, items, np.ones(4, np.float32), users, users, (4, 3))


def test_shares_are_of_the_users_who_use_any():
    assert popularity(_edges()).tolist() == pytest.approx([1.0, 1 / 3, 0.0])


def test_segments_lean_on_the_overall_share():
    segments = Segments(pa.array(["a", "b"]), np.array([0, 0, 1, -1], np.int32))
    shares = segment_shares(_edges(), segments)
    expected = [[1, (1 + WEIGHT / 3) / (2 + WEIGHT), 0], [1, (WEIGHT / 3) / (1 + WEIGHT), 0]]
    assert shares == pytest.approx(np.array(expected))


def test_without_segments_all_are_one(lake, write):
    write["customers"](lake, 2)
    found = read_segments(lake, read_catalogue(lake))
    assert found.names.to_pylist() == ["all"]
    assert found.of.tolist() == [0, 0]


def test_of_several_segments_the_first_by_name(lake, write):
    write["customers"](lake, 3)
    user = [i.to_bytes(8, "big") + bytes(8) for i in (0, 0, 2)]
    lake.write("segments", pa.table({"user": user, "segment": ["b", "a", "b"]}))
    found = read_segments(lake, read_catalogue(lake))
    assert found.names.to_pylist() == ["a", "b"]
    assert found.of.tolist() == [0, -1, 1]
