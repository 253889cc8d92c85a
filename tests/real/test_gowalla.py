"""Real tastes at scale: the graph filter on a quarter of Gowalla's users, and the benchmark's own arithmetic."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from benchmarks.gowalla import NEEDED, read_pairs
from benchmarks.matches import data_folder, popularity, quality
from embeddings.catalogue import Catalogue
from embeddings.evaluate import measure
from embeddings.filter import GraphFilter
from embeddings.graph import Edges, Graph, no_edges

DATA = data_folder("gowalla", NEEDED)
pytestmark = pytest.mark.skipif(
    DATA is None, reason="the Gowalla data is not there: name its folder with DUMBBELL_DATA"
)
USERS = 7_000


def _edges(pairs: tuple[np.ndarray, np.ndarray], items: np.ndarray) -> Edges:
    kept = (pairs[0] < USERS) & np.isin(pairs[1], items)
    users, apps = pairs[0][kept].astype(np.int32), np.searchsorted(items, pairs[1][kept]).astype(np.int32)
    order = np.lexsort((apps, users))
    zero = np.zeros(len(order), np.int32)
    return Edges(users[order], apps[order], np.ones(len(order), np.float32), zero, zero, (USERS, len(items)))


def test_the_filter_beats_popularity_three_times_over():
    assert DATA is not None
    train, test = (read_pairs(DATA / name) for name in NEEDED)
    items = np.unique(train[1][train[0] < USERS])
    known, held = _edges(train, items), _edges(test, items)
    nothing = pa.array([], pa.string())
    nodes = Catalogue(pa.array([b""] * USERS), pa.array(items.astype(str).tolist()), nothing, nothing)
    vectors = GraphFilter(dimensions=128).fit(Graph(nodes, known, no_edges(USERS, 0)))
    users = np.unique(held.users)[::10]
    wanted = sp.csr_array(held.matrix())
    found = measure(vectors.scores, known.matrix(), wanted, users).summary()
    pairs = np.isin(held.users, users)
    base = popularity((known.users, known.items), (held.users[pairs], held.items[pairs]), 20)
    assert found["recall@20"] > 3 * base["recall@20"]
    assert found["ndcg@20"] > 3 * base["ndcg@20"]


def test_quality_by_hand():
    users, items, ranks = np.array(["a", "a", "b"]), np.array([7, 3, 7]), np.array([1, 2, 1])
    found = quality((users, items, ranks), (np.array(["a", "a", "c"]), np.array([3, 9, 1])), k=2)
    # User a: one of two found, second; c: nothing matched; b has no test.
    assert found["recall@2"] == 0.25
    assert found["ndcg@2"] == round((1 / np.log2(3)) / (1 + 1 / np.log2(3)) / 2, 4)


def test_popularity_leaves_out_what_is_used():
    train = np.array([0, 0, 1, 1, 2]), np.array([5, 6, 5, 7, 5])
    found = popularity(train, (np.array([0, 2]), np.array([7, 7])), k=1)
    assert found == {"recall@1": 0.5, "ndcg@1": 0.5}  # user 0 is told 7; user 2 is told 6, by position
