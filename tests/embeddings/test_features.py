from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalogue import read_catalogue
from embeddings.features import BINS, current_handsets, encode_amount, encode_value, read_features


def _user(i: int) -> bytes:
    return i.to_bytes(8, "big") + bytes(8)


def test_every_value_has_its_own_code(lake, write):
    write["customers"](lake, 3, city=["Jena", None, "Ulm"], arpu=[1.0, float("nan"), 2.0])
    lake.write("apps", pa.table({"app": ["x"], "category": ["games"], "own": [True]}))
    features = read_features(lake, read_catalogue(lake))
    assert features.codes["user"].tolist() == [[1, 3], [0, 0], [2, 4]]
    assert features.codes["app"].tolist() == [[5, 6]]
    assert features.size == 7


def test_rare_values_count_as_unknown(monkeypatch):
    monkeypatch.setattr("embeddings.features.MOST_VALUES", 1)
    assert encode_value(pa.chunked_array([["a", "b", "b"]])).tolist() == [-1, 0, 0]


@given(st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=40))
def test_amounts_keep_their_order(values):
    codes = encode_amount(pa.chunked_array([pa.array(values, pa.float64())]))
    known = np.array([v is not None and np.isfinite(v) for v in values], bool)
    assert (codes[~known] == -1).all()
    assert codes.max(initial=-1) < BINS
    if known.any():
        amounts = np.array([v for v, k in zip(values, known, strict=True) if k])
        order = np.argsort(amounts, kind="stable")
        assert (np.diff(codes[known][order]) >= 0).all()
        assert codes[known].min() == 0


def test_the_handset_taken_last(lake, write):
    write["customers"](lake, 3)
    day = dt.date(2026, 1, 1)
    rows = {"user": [_user(0), _user(0), _user(2)], "handset": ["new", "old", "old"]}
    lake.write("user_handsets", pa.table({**rows, "since": [day + dt.timedelta(days=9), day, day]}))
    assert current_handsets(lake, read_catalogue(lake)).tolist() == [0, -1, 1]
