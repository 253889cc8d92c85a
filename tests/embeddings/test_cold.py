"""Customers and apps without use: by hand on a few, and on made tastes that attributes and friends share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from embeddings.catalogue import Catalogue
from embeddings.cold import groups, in_lists, measure_new, new_split, rows_of_new
from embeddings.evaluate import Quality, measure
from embeddings.features import Features
from embeddings.filter import GraphFilter
from embeddings.graph import Edges, Graph, no_edges
from embeddings.newcomers import with_newcomers
from embeddings.popularity import Segments
from embeddings.ridge import fit_ridge, known_of_users
from embeddings.scorer import Vectors, standardised
from embeddings.social import hearing, smoothed
from embeddings.split import Split
from embeddings.trial import Newcomers, Trial

USERS, APPS = 600, 60


def edges(pairs: set[tuple[int, int]], shape: tuple[int, int]) -> Edges:
    users, items = np.array(sorted(pairs), np.int32).reshape(-1, 2).T
    return Edges(users, items, np.ones(len(users), np.float32), users * 0, users * 0, shape)


def two_tastes(seed: int = 0, *, features: bool = True, calls: bool = True) -> Graph:
    """Even users use even apps, and call even users; a code of user and of app says which they are."""
    rng = np.random.default_rng(seed)
    uses = {(u, int(a)) for u in range(USERS) for a in rng.permutation(np.arange(u % 2, APPS, 2))[:8]}
    talks = {(u, int(v)) for u in range(USERS) for v in rng.choice(np.arange(u % 2, USERS, 2), 4) if v != u}
    talks |= {(v, u) for u, v in talks}
    strings = [pa.array([f"{i:03d}" for i in range(size)]) for size in (APPS, 0, 0)]
    nodes = Catalogue(pa.array([i.to_bytes(16, "big") for i in range(USERS)]), *strings)
    codes = {"user": np.arange(USERS)[:, None] % 2 + 1, "app": np.arange(APPS)[:, None] % 2 + 3}
    codes = {kind: column.astype(np.int32) for kind, column in codes.items()}
    codes |= {kind: np.zeros((0, 0), np.int32) for kind in ("product", "handset")}
    return Graph(
        nodes,
        edges(uses, (USERS, APPS)),
        no_edges(USERS, 0),
        Features(codes, 5) if features else None,
        None,
        edges(talks, (USERS, USERS)) if calls else None,
    )


@pytest.fixture(scope="module")
def everybody() -> Segments:
    return Segments(pa.array(["all"]), np.zeros(USERS, np.int32))


def test_nothing_of_the_new_is_left_in_the_graph():
    graph = two_tastes()
    split = new_split(graph, seed=0)
    assert len(split.users) == USERS // 10
    assert len(split.apps) == APPS // 10
    assert not np.isin(split.train.uses.users, split.users).any()
    assert not np.isin(split.train.uses.items, split.apps).any()
    assert not np.isin(split.buyers, split.users).any()
    assert np.isin(split.buyers, split.train.uses.users).all()


def test_attributes_tell_the_taste_of_newcomers(everybody):
    split = new_split(two_tastes(calls=False), seed=0)
    vectors = standardised(GraphFilter(4).fit(split.train))
    chosen, metrics = measure_new(split, vectors, None, everybody, seed=0)
    assert metrics["cold"]["attributes"]["ndcg@20"] > 1.2 * metrics["cold"]["popularity"]["ndcg@20"]
    # The one attribute tells everything, so popularity among those alike is as good: that is what is served.
    assert metrics["cold"]["segment"]["ndcg@20"] > 1.2 * metrics["cold"]["popularity"]["ndcg@20"]
    assert chosen.users == "segment"
    assert metrics["calls"]["cold"] == {}
    assert chosen.apps == "attributes"
    assert metrics["cold_items"]["attributes"]["ndcg@1"] > metrics["cold_items"]["segment"]["ndcg@1"]


def test_the_people_called_tell_it_where_there_are_no_attributes(everybody):
    graph = two_tastes(features=False)
    split = new_split(graph, seed=0)
    vectors = standardised(GraphFilter(4).fit(split.train))
    chosen, metrics = measure_new(split, vectors, None, everybody, seed=0)
    assert chosen.users == "attributes"
    assert chosen.calls > 0
    assert chosen.apps == "none"
    assert metrics["calls"]["cold"]["kept"]
    assert metrics["calls"]["cold"]["lift"] > 1.2
    served = with_newcomers(vectors, split.train, chosen, seed=0)
    even = np.arange(APPS) % 2 == 0
    scores = served.scores(split.users)
    agrees = (scores[:, even].mean(axis=1) > scores[:, ~even].mean(axis=1)) == (split.users % 2 == 0)
    assert agrees.mean() > 0.95


def test_who_has_neither_attributes_nor_people_has_no_vector():
    graph = two_tastes(features=False, calls=False)
    split = new_split(graph, seed=0)
    vectors = standardised(GraphFilter(4).fit(split.train))
    served = with_newcomers(vectors, split.train, Newcomers("attributes", calls=1.0), seed=0)
    assert not served.users[split.users].any()
    assert served.users[split.buyers].any(axis=1).all()


def test_apps_without_use_stand_in_lists_where_that_helps(everybody):
    graph = two_tastes(calls=False)
    new = graph.uses.items < 4  # two apps of each taste, only seen later
    train = replace(graph, uses=graph.uses.keep(~new))
    trial = Trial(Split(train, graph.uses.keep(new), no_edges(USERS, 0), "four apps", None), everybody, 0)
    kept, figures = in_lists(trial, GraphFilter(4).fit(train), 3.0)
    assert kept
    assert figures["apps"] == 4
    assert figures["with"] > figures["without"] == 0
    assert figures["lift"] is None
    # Where the new apps stay without use, lists that show them are worse.
    trial = Trial(Split(train, graph.uses.keep(~new), no_edges(USERS, 0), "none of them", None), everybody, 0)
    trial.known = trial.known * 0
    trial.known.eliminate_zeros()
    assert not in_lists(trial, GraphFilter(4).fit(train), 3.0)[0]


def test_intervals_of_newcomers_are_those_of_the_same_draws():
    values = np.arange(40) / 40
    half, whole = Quality(20, values, values / 2), Quality(20, values, values)
    rows = rows_of_new({"segment": half, "attributes": whole}, seed=0)
    assert "lift" not in rows["segment"]
    # Twice as good for every customer is twice as good in every draw.
    assert (rows["attributes"]["lift"], rows["attributes"]["lift_interval"]) == (2.0, [2.0, 2.0])
    assert rows["attributes"]["interval"]["recall@20"] == rows["attributes"]["interval"]["ndcg@20"]
    low, high = rows["segment"]["interval"]["ndcg@20"]
    assert low < rows["segment"]["ndcg@20"] < high
    nowhere = Quality(20, values * 0, values * 0)
    assert "lift" not in rows_of_new({"segment": nowhere, "attributes": whole}, seed=0)["attributes"]


def test_popularity_among_customers_alike():
    graph = two_tastes()

    def reached(score):
        return measure(score, no_edges(USERS, APPS).matrix(), graph.uses.matrix(), np.arange(USERS)).ndcg.sum()

    alike, *_ = groups(graph, reached)
    even, odd = alike(np.array([0, 1]))
    assert (even[::2] > odd[::2]).all()
    assert (even[1::2] < odd[1::2]).all()


def test_the_ridge_is_that_of_the_normal_equations():
    rng = np.random.default_rng(0)
    x, y = (rng.random((40, 5)) < 0.4).astype(float), rng.standard_normal((40, 3))
    ridge = fit_ridge(sp.csr_array(x), y, np.arange(40), 2.0, seed=0)
    mean = x.mean(axis=0)
    weights = np.linalg.solve((x - mean).T @ (x - mean) + 2 * np.eye(5), (x - mean).T @ (y - y.mean(axis=0)))
    assert np.allclose(ridge.weights, weights, atol=1e-5)
    assert np.allclose(ridge.of(sp.csr_array(x)).mean(axis=0), y.mean(axis=0), atol=1e-5)


def test_no_nodes_to_learn_from():
    ridge = fit_ridge(sp.csr_array((3, 2)), np.ones((3, 4), np.float32), np.zeros(0, int), 1.0, seed=0)
    assert not ridge.of(sp.csr_array((3, 2))).any()


def test_a_handset_and_its_attributes_are_known_of_a_customer():
    none = pa.array([], pa.string())
    nodes = Catalogue(pa.array([bytes([i]) for i in range(4)]), none, none, pa.array(["h", "i"]))
    codes = {"user": np.array([[1], [1], [0], [2]], np.int32), "handset": np.array([[3], [3]], np.int32)}
    graph = Graph(nodes, no_edges(4, 0), no_edges(4, 0), Features(codes, 4), np.array([0, 0, 1, -1]))
    # Code 1 and handset h are each seen twice, the handsets' code 3 three times; the others once, which tells nothing.
    assert known_of_users(graph).toarray().tolist() == [[1, 1, 1], [1, 1, 1], [0, 1, 0], [0, 0, 0]]


def test_smoothing_adds_what_is_heard_and_leaves_the_unknown_alone():
    calls = edges({(0, 1), (1, 0), (0, 2), (2, 0)}, (3, 3))
    vectors = Vectors(np.array([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]], np.float32), np.eye(2, dtype=np.float32))
    heard = hearing(calls, vectors.users.any(axis=1))
    assert heard.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert smoothed(vectors, heard, 0.5).users.tolist() == [[2, 2], [1, 4], [0, 0]]
    assert smoothed(vectors, heard, 0.0) is vectors


@pytest.mark.parametrize("uses", [set(), {(0, 0)}])
def test_hardly_any_use_leaves_newcomers_as_they_are(uses):
    none = pa.array([], pa.string())
    nodes = Catalogue(pa.array([b"a", b"b"]), pa.array(["x"]), none, none)
    split = new_split(Graph(nodes, edges(uses, (2, 1)), no_edges(2, 0)), seed=0)
    vectors = Vectors(np.zeros((2, 1), np.float32), np.zeros((1, 1), np.float32))
    alone = Segments(pa.array(["all"]), np.zeros(2, np.int32))
    chosen, metrics = measure_new(split, vectors, None, alone, seed=0)
    assert (chosen.users, chosen.apps) == (Newcomers().users, Newcomers().apps)
    assert metrics["cold"] == metrics["cold_items"] == {}
