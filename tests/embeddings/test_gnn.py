"""The parts of the trained scorer: what a batch hears, what it has to find, newcomers, and several processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from embeddings.batches import Batch, Drawn, Loss
from embeddings.catalogue import Catalogue
from embeddings.distributed import World
from embeddings.features import Features
from embeddings.gnn import MatchingGNN
from embeddings.gnn_training import GNNScorer
from embeddings.graph import Edges, Graph
from embeddings.hetero import CALLED, HELD, USED, bags, hetero_data

USERS, APPS, PRODUCTS = 48, 20, 4
REPOSITORY = Path(__file__).resolve().parents[2]


def edges(users: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> Edges:
    ones, day = np.ones(len(users), np.float32), np.full(len(users), 9, np.int32)
    return Edges(users.astype(np.int32), items.astype(np.int32), ones, day, day, shape)


def small_graph() -> Graph:
    """Users use half of the apps of their parity, hold the product of their number modulo 4, and call their like.

    The last two users have never used an app, the last two apps were never used; attributes tell the parity of all.
    """
    rng = np.random.default_rng(0)
    uses = (rng.random((USERS, APPS)) < 0.5) & (np.add.outer(np.arange(USERS), np.arange(APPS)) % 2 == 0)
    uses[-2:], uses[:, -2:] = False, False
    everybody = np.arange(USERS)
    names = [pa.array([f"{kind}{i:02d}" for i in range(k)]) for kind, k in (("a", APPS), ("p", PRODUCTS), ("h", 0))]
    nodes = Catalogue(
        pa.array([i.to_bytes(16, "big") for i in range(USERS)]), names[0], names[1], names[2].cast("string")
    )
    parity = {"user": everybody, "app": np.arange(APPS), "product": np.arange(PRODUCTS), "handset": np.zeros(0)}
    codes = {kind: (1 + of % 2).astype(np.int32)[:, None] for kind, of in parity.items()}
    codes["app"] += 2
    holds = edges(everybody, everybody % PRODUCTS, (USERS, PRODUCTS))
    calls = edges(everybody, (everybody + 2) % USERS, (USERS, USERS))
    return Graph(nodes, edges(*np.nonzero(uses), (USERS, APPS)), holds, Features(codes, 5), None, calls)


@pytest.fixture(scope="module")
def trained():
    return GNNScorer(dimensions=8).fit_all(small_graph())


def test_newcomers_are_told_by_attributes_and_neighbours(trained):
    even = np.arange(APPS) % 2 == 0
    for users in (trained.apps.users[-2:], trained.cold_users[-2:]):
        scores = users @ trained.apps.apps[:-2].T
        assert scores[0, even[:-2]].mean() > scores[0, ~even[:-2]].mean() + 0.3
        assert scores[1, even[:-2]].mean() < scores[1, ~even[:-2]].mean() - 0.3
    assert trained.cold_apps.shape == trained.apps.apps.shape
    new = trained.apps.users[:-2] @ trained.cold_apps[-2:].T
    assert (new[::2, 0] > new[::2, 1]).mean() > 0.9
    assert (new[1::2, 0] < new[1::2, 1]).mean() > 0.9


def test_products_find_their_holders(trained):
    best = (trained.products.users @ trained.products.apps.T).argmax(axis=1)
    assert (best % 2 == np.arange(USERS) % 2).mean() > 0.9


def test_edges_carry_time_and_strength():
    data = hetero_data(small_graph())
    used = data[USED]
    assert used.col.dtype == torch.int32
    assert used.first.tolist() == used.last.tolist() == [9] * len(used.col)
    assert set(data.edge_types) == {USED, HELD, CALLED}
    assert data[CALLED].strength.tolist() == [1.0] * USERS


def test_calls_are_heard_by_their_strength():
    graph = small_graph()
    calls = edges(np.array([0, 0]), np.array([1, 2]), (USERS, USERS))
    calls.strength[:] = np.expm1([1.0, 3.0])
    data = hetero_data(Graph(graph.nodes, graph.uses, graph.holds, None, None, calls))
    heard = bags(data, CALLED, torch.tensor([0, 1]))
    assert heard.source.tolist() == [1, 2]
    assert heard.start.tolist() == [0, 2, 2]
    assert torch.allclose(heard.weight, torch.tensor([0.25, 0.75]))


def test_a_batch_hears_no_product_that_it_has_to_find_and_newcomers_no_app():
    graph = small_graph()
    data = hetero_data(graph)
    model = MatchingGNN(data, 5, 4)
    users = torch.tensor([3, 7, 12])
    cold = torch.tensor([True, False, False])
    drawn = Drawn(users, torch.arange(APPS), cold, torch.zeros(APPS, dtype=torch.bool), torch.zeros(3))
    batch = Batch.cut(data, model, drawn, World())
    assert batch.rows["product"][batch.product].tolist() == [3, 3, 0]
    assert batch.heard[HELD].size().tolist() == [0, 0, 0]
    assert batch.heard[USED].size().tolist()[0] == 0
    assert batch.uses.size().tolist() == np.bincount(graph.uses.users)[[3, 7, 12]].tolist()
    assert (batch.counts.tolist(), batch.finds) == (batch.uses.size().tolist(), 3)


def test_the_loss_is_the_plain_formula():
    graph = small_graph()
    data = hetero_data(Graph(graph.nodes, graph.uses, graph.holds.keep(np.zeros(USERS, bool))))
    model = MatchingGNN(data, 1, 4)
    draw = torch.Generator().manual_seed(0)
    for kind in ("user", "app"):
        model.tables[kind].weight.normal_(generator=draw)
    users = torch.tensor([0, 5])
    batch = Batch.cut(data, model, Drawn.of(data, users, draw, torch.device("cpu")), World())
    blocks = {kind: model.tables[kind].take(rows) for kind, rows in batch.rows.items()}
    loss, vectors = batch.loss(model, blocks, Loss(0.1, 1.5, 0.5))
    cosine = lambda one: one * (one.square().sum(-1, keepdim=True) + 0.01).rsqrt()  # noqa: E731
    apps = cosine(model.tables["app"].weight)
    total, count = 0.0, 0.0
    for at, u in enumerate(users.tolist()):
        used = torch.from_numpy(graph.uses.items[graph.uses.users == u]).long()
        vector = cosine(model.tables["user"].weight[u] + apps[used].mean(0))
        assert torch.allclose(vectors[at], vector, atol=1e-5)
        scores = apps @ vector / 0.1
        others = scores.clone()
        others[used] = -2 / 0.1
        total += len(used) ** 0.5 * float(1.5 * others.logsumexp(0) - scores[used].mean())
        count += len(used) ** 0.5
    assert float(loss.detach()) == pytest.approx(total / count, rel=1e-4)


def test_a_second_fit_goes_on(trained):
    graph = small_graph()
    scorer = GNNScorer(dimensions=8)
    scorer.fit_all(graph)
    again = scorer.fit_all(graph)
    assert np.isfinite(again.apps.users).all()
    assert (again.apps.users * trained.apps.users).sum(axis=1).mean() > 0.9


def test_two_processes_learn_what_one_does(tmp_path, trained):
    out = tmp_path / "vectors.npz"
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = [str(Path(__file__).with_name("two_processes.py")), str(out)]
    subprocess.run([sys.executable, *command, *script], check=True, capture_output=True, cwd=REPOSITORY, timeout=300)
    found = np.load(out)
    assert np.allclose(found["users"], trained.apps.users, atol=1e-3)
    assert np.allclose(found["apps"], trained.apps.apps, atol=1e-3)
    assert np.allclose(found["cold"], trained.cold_users, atol=1e-3)
