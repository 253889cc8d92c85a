"""Training of the GNN scorer: a softmax over sampled apps for whole customers at a time, from the spectral vectors.

For a batch of users with all the k apps they use, and N apps drawn uniformly, without those that u uses, and with s
the cosine over τ, loss = Σ over u of k^p · (c · log Σ_N exp s(u, n) - mean over u's apps of s(u, a)): a softmax that
its sharper negatives (c > 1) make bear with noise and keep from what everybody uses. p < 1 keeps those who use most
from ruling. The sum over N is one for all apps of a user, and Σ s(u, a) is the product of u with the sum of their apps:
a step costs as much as its users, not as its edges. Products are learned beside, by a full softmax over one product
of each user, which is left out of what the user hears.

Source of the loss: Wu et al. 2023, "BSL: Understanding and Improving Softmax Loss for Recommendation"
(https://arxiv.org/abs/2312.12882); of a user as own embedding and mean of the apps used: Mao et al. 2021, "SimpleX"
(https://arxiv.org/abs/2109.12613).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import HeteroData

from embeddings.arithmetic import fixed_threads
from embeddings.batches import NEGATIVES, Batch, Drawn, Loss
from embeddings.distributed import World, world
from embeddings.filter import GraphFilter, top_right_singular
from embeddings.gnn import ITEMS, MatchingGNN
from embeddings.graph import Edges, Graph
from embeddings.hetero import USED, Bags, Relation, bags, hetero_data
from embeddings.resume import Start
from embeddings.scorer import Scorer, Vectors
from lake.progress import track

USERS = 256
"""Users of a batch."""
RATE = 0.003
EPOCHS, LONG = 12, 100
"""Passes over the customers: of a first fit, and of one that has shown to be worth it (`embeddings.train`)."""
STEPS = (200, 20_000)
"""Fewest steps, and most of a long fit, whatever the size."""
AGAIN = 1 / 3
"""Share of the steps of a fit that goes on from another."""


@dataclass(frozen=True)
class TrainedVectors:
    """`apps`: vectors that rank apps; `products`: the same users' vectors (n, d) with those of products (p, d).

    `cold_users` (n, d), where asked for, and `cold_apps` (m, d): what they would be without any use, by attributes and
    neighbours alone.
    """

    apps: Vectors
    products: Vectors
    cold_users: np.ndarray | None
    cold_apps: np.ndarray


class GNNScorer(Scorer):
    """A PyTorch Geometric model over users, handsets, apps and products.

    A second fit goes on from what the last one found, with a third of the steps: for the same nodes with more edges.
    So does the first where `start` is what an earlier snapshot kept.
    """

    name = "gnn"

    def __init__(self, dimensions: int = 128, seed: int = 0, epochs: float = EPOCHS, loss: Loss = Loss()) -> None:  # noqa: B008  a tuple
        self.dimensions = dimensions
        self.seed = seed
        self.epochs = epochs
        self.loss = loss
        self.start: Start | None = None
        self.model: MatchingGNN | None = None

    def parameters(self) -> dict[str, float]:
        """What a fit depends on besides the graph."""
        return {
            "dimensions": self.dimensions,
            "epochs": self.epochs,
            **self.loss._asdict(),
            "users": USERS,
            "negatives": NEGATIVES,
            "rate": RATE,
        }

    def told(self, loss: Loss) -> GNNScorer:
        """An untrained scorer with the same settings, but for its loss."""
        other = GNNScorer(self.dimensions, self.seed, self.epochs, loss)
        other.start = self.start
        return other

    def fit(self, graph: Graph) -> Vectors:
        return self.fit_all(graph).apps

    def fit_all(self, graph: Graph, *, whole: bool = False, cold: bool = True) -> TrainedVectors:
        """Train (from the last fit, from `start`, or from the spectral vectors) and give the vectors of everything.

        `whole` takes all steps even where it goes on from another fit; `cold` users are as large as all users again.
        """
        here = world()
        share = AGAIN if not whole and (self.model is not None or self.start is not None) else 1.0
        self.model = self.model or self._begin(graph)
        most = max(STEPS[0], round(STEPS[1] * min(1.0, self.epochs / LONG)))
        steps = min(most, max(STEPS[0], round(self.epochs * int(active(graph).sum()) / USERS)))
        descend(here.shared(Task(self.model.to("cpu"), graph, round(steps * share), self.seed, self.loss)), here)
        return vectors_of(self.model, hetero_data(graph).to(here.device), cold=cold)

    def _begin(self, graph: Graph) -> MatchingGNN:
        torch.manual_seed(self.seed)
        codes = graph.features.size if graph.features else 1
        model = MatchingGNN(hetero_data(graph), codes, self.dimensions)
        if self.start is None:
            start_from(model, *spectral(graph.uses, self.dimensions, self.seed))
        else:
            self.start.into(model)
        return model


@dataclass(frozen=True)
class Task:
    """A fit: the model to train, what on, for how many steps, by which loss."""

    model: MatchingGNN
    graph: Graph
    steps: int
    seed: int
    loss: Loss


def follow(here: World) -> None:
    """Help the first process with every fit of its, until it is done."""
    with fixed_threads():
        while (task := here.shared(None)) is not None:
            descend(task, here)


def spectral(uses: Edges, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The smoothest signals of the graph of use, those of the filter's low-pass: users (n, ≤ d) and apps (m, ≤ d)."""
    normal = GraphFilter(d, seed=seed).normal(uses)
    basis = top_right_singular(normal, d, seed)
    return np.asarray(normal @ basis, np.float32), basis


def start_from(model: MatchingGNN, users: np.ndarray, apps: np.ndarray) -> None:
    """Put spectral vectors, brought to length 1, into the embeddings; nodes without any stay at nearly zero."""
    for kind, rows in (("user", users), ("app", apps)):
        table = model.tables[kind].weight
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
        table[: len(rows), : rows.shape[1]] += torch.from_numpy(unit)


def active(graph: Graph) -> np.ndarray:
    """Mask (n,) of the users with anything to learn from: an app used or a product held."""
    return (graph.uses.degrees()[0] + graph.holds.degrees()[0]) > 0


def descend(task: Task, here: World) -> None:
    """Adam with a one-cycle rate over batches of users; the model is trained in place."""
    model, data, steps = task.model.to(here.device), hetero_data(task.graph).to(here.device), task.steps
    draw = torch.Generator().manual_seed(task.seed + 1)
    users = torch.from_numpy(np.flatnonzero(active(task.graph)))
    order, at = torch.zeros(0, dtype=torch.long), 0
    if not len(users):
        return
    dense = list(model.parameters())
    optimiser = torch.optim.Adam(dense, lr=RATE)
    for step in track(range(steps), "training", steps):
        if at + USERS > len(order) or at >= len(order):
            order, at = users[torch.randperm(len(users), generator=draw)], 0
        drawn = Drawn.of(data, order[at : at + USERS], draw, here.device)
        at += USERS
        batch = Batch.cut(data, model, drawn, here)
        blocks = {kind: model.tables[kind].take(rows) for kind, rows in batch.rows.items()}
        loss, vectors = batch.loss(model, blocks, task.loss)
        loss.backward()
        rate = RATE * one_cycle(step / steps)
        for kind, block in blocks.items():
            if kind != "user" and block.grad is not None:
                here.total(block.grad)
            model.tables[kind].step(rate)
        for parameter in dense:
            parameter.grad = here.total(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()
        if model.voices is not None:
            model.voices[drawn.users] = here.collected(drawn.users, vectors)
    for table in model.tables.values():
        table.forget()
    here.gathered(model.tables["user"].weight)


def one_cycle(progress: float) -> float:
    """Factor of the rate: up from a tenth in the first tenth of training, then down by a cosine to a thousandth.

    >>> [round(one_cycle(p), 3) for p in (0.0, 0.1, 1.0)]
    [0.1, 1.0, 0.001]
    """
    if progress < 0.1:
        return 0.1 + 9 * progress
    return 0.001 + 0.999 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9)) / 2


@torch.no_grad()
def vectors_of(model: MatchingGNN, data: HeteroData, *, cold: bool = True) -> TrainedVectors:
    """Vectors of all nodes; `cold_users` are what users would get without any app, `cold_apps` apps without users."""
    own = {kind: model.tables[kind].weight[: int(data[kind].num_nodes)] for kind in ITEMS}
    attributes = model.tables["code"].weight
    items = {kind: model.of_items(own[kind], data[kind].x, attributes) for kind in ITEMS}
    if model.voices is not None:
        model.voices[: len(data["user"].x)] = users_of(model, data, items)
    warm = users_of(model, data, items).cpu().numpy()
    without = users_of(model, data, items, cold=True).cpu().numpy() if cold else None
    cold_apps = model.of_items(torch.zeros_like(own["app"]), data["app"].x, attributes)
    apps, products = items["app"].cpu().numpy(), items["product"].cpu().numpy()
    return TrainedVectors(Vectors(warm, apps), Vectors(warm, products), without, cold_apps.cpu().numpy())


def users_of(
    model: MatchingGNN, data: HeteroData, items: dict[str, torch.Tensor], *, cold: bool = False, step: int = 1 << 14
) -> torch.Tensor:
    """Vectors (n, d) of all users, `step` at a time; as if they had never used an app where `cold`."""
    n, own = int(data["user"].num_nodes), model.tables["user"].weight
    found = torch.zeros(n, model.d, device=own.device)
    relations: list[Relation] = [r for r in model.relations if r in data.edge_types and not (cold and r == USED)]
    for at in range(0, n, step):
        rows = torch.arange(at, min(n, at + step), device=own.device)
        heard: dict[Relation, Bags] = {relation: bags(data, relation, rows) for relation in relations}
        mine = torch.zeros(len(rows), model.d, device=own.device) if cold else own[rows]
        found[rows] = model.of_users(mine, data["user"].x[rows], model.tables["code"].weight, heard, items)
    return found
