from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from embeddings.catalogue import Catalogue, user_bytes
from embeddings.gnn import MatchingGNN
from embeddings.graph import Edges, Graph, no_edges
from embeddings.hetero import hetero_data
from embeddings.resume import kept, last_start
from embeddings.snapshot import Snapshot
from embeddings.train import train

DAY = dt.date(2026, 3, 1)


def nodes_of(users: list[int], apps: list[str]) -> Catalogue:
    ids = pa.array([i.to_bytes(8, "big") + bytes(8) for i in users], pa.binary())
    return Catalogue(ids, pa.array(apps, pa.string()), pa.array(["p"]), pa.array([], pa.string()))


def model_of(nodes: Catalogue, d: int = 3) -> MatchingGNN:
    zero = np.zeros(1, np.int32)
    uses = Edges(zero, zero, np.ones(1, np.float32), zero, zero, (len(nodes.users), len(nodes.apps)))
    return MatchingGNN(hetero_data(Graph(nodes, uses, no_edges(len(nodes.users), 1))), 1, d)


@pytest.fixture
def last(home):
    """A snapshot that keeps a model of users 1, 2, 5 and apps a, c; embeddings are their positions from 1."""
    nodes = nodes_of([1, 2, 5], ["a", "c"])
    model = model_of(nodes)
    for kind in ("user", "app"):
        weight = model.tables[kind].weight
        weight[:] = 1 + torch.arange(len(weight))[:, None]
    model.maps()["used_by"].data.fill_(7)
    arrays, said = kept(model, nodes, DAY)
    folder = home.snapshots / "one"
    folder.mkdir(parents=True)
    for name, array in {**arrays, "users": user_bytes(nodes.users)}.items():
        np.save(folder / f"{name}.npy", array)
    for kind in ("app", "product"):
        pq.write_table(pa.table({kind: getattr(nodes, f"{kind}s")}), folder / f"{kind}s.parquet")
    (folder / "manifest.json").write_text(json.dumps({"start": said}))
    return home


def test_a_later_fit_begins_with_what_is_known_of_the_same_ids(last):
    nodes = nodes_of([2, 3, 5], ["a", "b", "c"])
    id, start = last_start(last, nodes, DAY + dt.timedelta(days=30), 3)
    assert id == "one"
    assert start.users[:, 0].tolist() == [2, 0, 3]
    assert start.apps[:, 0].tolist() == [1, 0, 2]
    model = model_of(nodes)
    start.into(model)
    assert np.allclose(model.tables["user"].weight[:, 0], [2, 0, 3])
    assert (model.maps()["used_by"] == 7).all()


def test_days_that_the_last_fit_had_seen_are_not_measured_with_it(last):
    nodes = nodes_of([1], ["a"])
    assert last_start(last, nodes, DAY + dt.timedelta(days=1), 3) is not None
    assert last_start(last, nodes, DAY, 3) is None
    assert last_start(last, nodes, None, 3) is None
    assert last_start(last, nodes, DAY + dt.timedelta(days=1), 4) is None


def test_a_damaged_start_is_none(last):
    nodes, later = nodes_of([2], ["a"]), DAY + dt.timedelta(days=30)
    (last.snapshots / "one" / "start_users.npy").write_bytes(b"")
    assert last_start(last, nodes, later, 3) is None
    (last.snapshots / "one" / "manifest.json").write_text("{")
    assert last_start(last, nodes, later, 3) is None


def test_without_a_snapshot_or_a_cutoff_nothing_is_kept(home):
    nodes = nodes_of([1], ["a"])
    assert last_start(home, nodes, DAY, 3) is None
    assert kept(model_of(nodes), nodes, None) == ({}, {})


def test_a_later_month_begins_with_the_last_snapshot_and_the_same_lake_gives_the_same_bytes(
    lake, home, settings, write
):
    write["two_tastes"](lake, users=40, apps=30)
    first = train(lake, home, settings)["snapshot"]
    again = [(u, f"app{a:02d}", 31 + (u + a) % 28) for u in range(40) for a in range(u % 2, 30, 6)]
    write["usage"](lake, sorted(again), "2026-02")
    later = train(lake, home, settings)["snapshot"]
    assert Snapshot.open(home, later).manifest["start"]["from"] == first
    assert train(lake, home, settings, force=True)["snapshot"] == later
