from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from embeddings import graph
from embeddings.catalogue import read_catalogue
from embeddings.graph import Graph, mapped, no_edges, read_uses
from embeddings.hetero import hetero_data
from embeddings.sides import read_sides


def _user(i: int) -> bytes:
    return i.to_bytes(8, "big") + bytes(8)


def test_the_whole_graph_of_a_lake(lake, write):
    write["customers"](lake, 3)
    write["usage"](lake, [(0, "maps", 0), (2, "chess", 1)])
    lake.write("products", pa.table({"product": ["p", "q"]}))
    items = {"item_kind": ["app", "app", "product"], "item": ["maps", "gone", "q"], "category": ["way", "way", "data"]}
    lake.write("categories", pa.table(items))
    lake.write("offers", pa.table({"offer": ["o1", "o2"], "product": ["q", "p"]}))
    lake.write("segments", pa.table({"user": [_user(0), _user(2)], "segment": ["s2", "s1"]}))
    at = [dt.datetime(2026, 1, day) for day in (1, 2, 3)]
    said = {"user": [_user(1)] * 3, "offer": ["o2", "o2", "o1"], "channel": ["sms"] * 3, "at": at}
    said |= {"outcome": ["refused", "accepted", "ignored"], "decision": pa.array([None] * 3, pa.string())}
    lake.write("responses", pa.table(said))
    nodes = read_catalogue(lake)
    sides = read_sides(lake, nodes)
    data = hetero_data(Graph(nodes, read_uses(lake, nodes), no_edges(3, 2)), sides)
    assert {kind: data[kind].num_nodes for kind in ("category", "offer", "segment")} == {
        "category": 2,
        "offer": 2,
        "segment": 2,
    }
    pairs = {
        relation: [
            (row, int(col))
            for row in range(len(data[relation].rowptr) - 1)
            for col in data[relation].col[data[relation].rowptr[row] : data[relation].rowptr[row + 1]]
        ]
        for relation in data.edge_types
    }
    assert pairs == {
        ("app", "used_by", "user"): [(0, 1), (2, 0)],
        ("app", "in_category", "category"): [(1, 1)],
        ("product", "in_category", "category"): [(1, 0)],
        ("offer", "of", "product"): [(0, 1), (1, 0)],
        ("user", "in_segment", "segment"): [(0, 1), (2, 0)],
        ("user", "was_shown", "offer"): [(1, 0), (1, 1)],
        ("user", "accepted", "offer"): [(1, 1)],
    }
    assert data["user", "was_shown", "offer"].strength.tolist() == [1, 2]


def test_large_arrays_are_mapped_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "LARGE", 8)
    found = mapped(np.arange(5), tmp_path)
    assert isinstance(found, np.memmap)
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert not list(tmp_path.iterdir())
    assert not isinstance(mapped(np.zeros(1, np.int32), tmp_path), np.memmap)
