"""Columns and numbers of nodes for the importer."""

from __future__ import annotations

import csv
import tempfile
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.importer.columns import CsvFile, header, values
from graph.importer.ids import NodeIds

KEYS = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        (pa.binary(), "string"),
        (pa.date32(), "date"),
        (pa.bool_(), "boolean"),
        (pa.uint8(), "long"),
        (pa.float32(), "double"),
        (pa.null(), "string"),
        (pa.timestamp("ms"), "datetime{timezone:Z}"),
        (pa.list_(pa.int64()), "long[]"),
    ],
)
def test_headers_say_what_bolt_would_write(kind, type_):
    assert header("x", kind) == f"x:{type_}"


def test_numbers_that_are_none_are_written_as_java_reads_them():
    column = pa.chunked_array([[0.1, None, float("nan")], [float("-inf"), 1e300]])
    assert values(column).to_pylist() == ["0.1", None, "NaN", "-Infinity", "1e+300"]


@settings(deadline=None)
@given(st.lists(st.lists(st.text("a\"',;\n\\\té ", max_size=5), min_size=2, max_size=2), max_size=20))
def test_text_comes_back_from_csv(rows):
    with tempfile.TemporaryDirectory() as folder:
        file = CsvFile(Path(folder) / "x.csv")
        table = pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate("ab")})
        file.write(["a:string", "b:string"], table)
        file.write(["a:string", "b:string"], table)
        file.close()
        with open(file.path, newline="", encoding="utf-8") as lines:
            assert list(csv.reader(lines))[1:] == rows * 2
        assert file.has_lines == any("\n" in text for row in rows for text in row)


@settings(deadline=None)
@given(
    st.sets(st.binary(min_size=16, max_size=16), max_size=30), st.sets(st.binary(min_size=16, max_size=16), max_size=5)
)
def test_nodes_are_found_by_label_and_key(users, others):
    ids = NodeIds()
    users = sorted(users)
    ids.add("App", pa.chunked_array([pa.array(["a", "b"])]))
    ids.add("User", pa.chunked_array([pa.array(users, pa.binary())]))
    later = sorted(others - set(users))
    ids.add("User", pa.chunked_array([pa.array([str(uuid.UUID(bytes=user)) for user in later], pa.string())]))
    asked = [*users, *later, b"?" * 16]
    found = ids.of("User", pa.chunked_array([pa.array(asked, pa.binary())]))
    expected = [*range(2, 2 + len(users) + len(later)), -1]
    assert np.array_equal(found[: len(expected) - 1], expected[:-1])
    assert ids.count == 2 + len(users) + len(later)
