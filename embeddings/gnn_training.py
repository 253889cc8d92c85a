"""Training of the GNN scorer: a softmax over sampled apps, from the spectral vectors, for a fixed number of steps.

For a batch of (user, app) edges and N apps drawn uniformly, without those that u uses, and with s the score (cosine
of the vectors over τ, plus the app's level), loss = -s(u, a) + c · log Σ_N exp s(u, n): a softmax that its sharper
negatives make bear with noise. The edge that is predicted is left out of the messages. Products are learned beside,
by a full softmax.

Source of the loss: Wu et al. 2023, "BSL: Understanding and Improving Softmax Loss for Recommendation"
(https://arxiv.org/abs/2312.12882).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import HeteroData

from embeddings.filter import GraphFilter
from embeddings.gnn import HIDDEN_SHARE, MatchingGNN
from embeddings.graph import Edges, Graph
from embeddings.hetero import HELD, USED, WIDEST, hetero_data, neighbours
from embeddings.scorer import Scorer, Vectors
from lake.progress import track

TEMPERATURE = 0.1
SHARPNESS = 1.1
BATCH = 2048
NEGATIVES = 1024
PRODUCT_BATCH = 512
RATE = 0.003
LEVEL_RATE = 0.03
STEPS = (100, 4000)
"""Fewest and most steps, whatever the size."""
EPOCHS = 4
ANONYMOUS_SHARE = 0.9
"""Share of a batch trained without the users' own embeddings, so that what is heard from neighbours has to do."""


@dataclass(frozen=True)
class TrainedVectors:
    """`apps`: vectors that rank apps; `products`: the same users' vectors (n, d) with those of products (p, d)."""

    apps: Vectors
    products: Vectors
    cold_users: np.ndarray


class GNNScorer(Scorer):
    """A PyTorch Geometric model over users, handsets, apps and products.

    `again` goes on from what the last `fit` found, with a third of the steps: for the same nodes with more edges.
    """

    name = "gnn"

    def __init__(self, dimensions: int = 64, seed: int = 0, epochs: float = EPOCHS) -> None:
        self.dimensions = dimensions
        self.seed = seed
        self.epochs = epochs
        self.model: MatchingGNN | None = None

    def parameters(self) -> dict[str, float]:
        """What a fit depends on besides the graph."""
        return {
            "dimensions": self.dimensions,
            "epochs": self.epochs,
            "temperature": TEMPERATURE,
            "sharpness": SHARPNESS,
            "batch": BATCH,
            "negatives": NEGATIVES,
            "rate": RATE,
        }

    def fit(self, graph: Graph) -> Vectors:
        return self.fit_all(graph).apps

    def fit_all(self, graph: Graph) -> TrainedVectors:
        """Train (from the spectral vectors, or from the last fit) and give the vectors of everything."""
        torch.manual_seed(self.seed)
        data = hetero_data(graph)
        share = 1.0
        if self.model is None:
            self.model = MatchingGNN(data, graph.features.size if graph.features else 1, self.dimensions)
            start_from(self.model, GraphFilter(self.dimensions, seed=self.seed).fit(graph))
        else:
            share = 1 / 3
        steps = min(STEPS[1], max(STEPS[0], round(self.epochs * len(graph.uses) / BATCH)))
        descend(self.model, data, graph, round(steps * share), self.seed)
        return vectors_of(self.model, data)


def start_from(model: MatchingGNN, vectors: Vectors) -> None:
    """Put spectral vectors, brought to length 1, into the embeddings; nodes without any stay at nearly zero."""
    with torch.no_grad():
        for table, rows in ((model.user, vectors.users), (model.table("app"), vectors.apps)):
            d = rows.shape[1]
            length = np.linalg.norm(rows, axis=1, keepdims=True)
            unit = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
            table.weight[: len(rows), :d] += torch.from_numpy(unit)


def descend(model: MatchingGNN, data: HeteroData, graph: Graph, steps: int, seed: int) -> None:
    """Adam with a one-cycle rate over `steps` batches of edges."""
    generator = torch.Generator().manual_seed(seed + 1)
    dense = [p for name, p in model.named_parameters() if name not in ("user.weight", "level.weight")]
    optimisers = [
        torch.optim.Adam(dense, lr=RATE),
        torch.optim.Adam([model.level.weight], lr=RATE),
        torch.optim.SparseAdam([model.user.weight], lr=RATE),
    ]
    rates = [RATE, LEVEL_RATE, RATE]
    uses, holds = Batches(graph.uses, BATCH, generator), Batches(graph.holds, PRODUCT_BATCH, generator)
    for step in track(range(steps), "training", steps):
        for optimiser, rate in zip(optimisers, rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * one_cycle(step / steps)
            optimiser.zero_grad()
        loss = torch.zeros(())
        if len(graph.uses):
            loss = loss + app_loss(model, data, *uses.draw(), generator)
        if len(graph.holds):
            loss = loss + product_loss(model, data, *holds.draw(), generator)
        if loss.requires_grad:
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()


def one_cycle(progress: float) -> float:
    """Factor of the rate: up from a tenth in the first tenth of training, then down by a cosine to a thousandth.

    >>> [round(one_cycle(p), 3) for p in (0.0, 0.1, 1.0)]
    [0.1, 1.0, 0.001]
    """
    if progress < 0.1:
        return 0.1 + 9 * progress
    return 0.001 + 0.999 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9)) / 2


def app_loss(
    model: MatchingGNN, data: HeteroData, users: torch.Tensor, apps: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Mean loss of a batch of edges against apps drawn uniformly; a random tenth of users and apps plays new."""
    m = int(data["app"].num_nodes)
    negatives = torch.randint(m, (NEGATIVES,), generator=generator) if m > NEGATIVES else torch.arange(m)
    told = data["user"].x.shape[1] or set(model.relations) - {USED}
    new = torch.rand(len(users), generator=generator) < HIDDEN_SHARE if told else None
    heard = torch.rand(len(users), generator=generator) < ANONYMOUS_SHARE
    u = model.of_users(data, users, hidden={USED: apps}, most=WIDEST, generator=generator, cold=new, anonymous=heard)
    both = torch.cat([apps, negatives])
    new_apps = torch.rand(len(both), generator=generator) < HIDDEN_SHARE if data["app"].x.shape[1] else None
    items, level = model.of_items(data, "app", both, cold=new_apps), model.level(both)[:, 0]
    right = (u * items[: len(apps)]).sum(dim=1) / TEMPERATURE + level[: len(apps)]
    wrong = u @ items[len(apps) :].T / TEMPERATURE + level[len(apps) :]
    # Finite, so that somebody who uses all of them has a loss too; so low that it does not count.
    wrong = wrong.masked_fill(used_among(data, users, negatives), -2 / TEMPERATURE)
    return (SHARPNESS * torch.logsumexp(wrong, dim=1) - right).mean()


def used_among(data: HeteroData, users: torch.Tensor, apps: torch.Tensor) -> torch.Tensor:
    """Mask (b, k) of which of `apps` (k,) each of `users` (b,) uses, by what the window of their edges shows."""
    edges = neighbours(data, USED, users)
    place = torch.full((int(data["app"].num_nodes),), -1)
    place[apps] = torch.arange(len(apps))
    crow, source = edges.crow_indices(), place[edges.col_indices()]
    local = torch.repeat_interleave(torch.arange(len(users)), crow[1:] - crow[:-1])
    mask = torch.zeros(len(users), len(apps), dtype=torch.bool)
    mask[local[source >= 0], source[source >= 0]] = True
    return mask


def product_loss(
    model: MatchingGNN, data: HeteroData, users: torch.Tensor, products: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Mean cross-entropy of the product held against all products."""
    u = model.of_users(data, users, hidden={HELD: products}, most=WIDEST, generator=generator)
    items = model.of_items(data, "product", torch.arange(int(data["product"].num_nodes)))
    return torch.nn.functional.cross_entropy(u @ items.T / TEMPERATURE, products)


class Batches:
    """Edges in a random order, batch after batch, shuffled anew when all were seen."""

    def __init__(self, edges: Edges, size: int, generator: torch.Generator) -> None:
        self.users, self.items = (torch.from_numpy(part.astype(np.int64)) for part in (edges.users, edges.items))
        self.size, self.generator, self.at = size, generator, len(edges)
        self.order = torch.zeros(0, dtype=torch.long)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.at + self.size > len(self.order) or self.at >= len(self.order):
            self.order, self.at = torch.randperm(len(self.users), generator=self.generator), 0
        chosen = self.order[self.at : self.at + self.size]
        self.at += self.size
        return self.users[chosen], self.items[chosen]


@torch.no_grad()
def vectors_of(model: MatchingGNN, data: HeteroData, step: int = 1 << 14) -> TrainedVectors:
    """Vectors of all nodes, users in steps; `cold_users` are what users would get without any app."""
    n = int(data["user"].num_nodes)
    warm, cold = (np.zeros((n, model.d), np.float32) for _ in range(2))
    for at in range(0, n, step):
        rows = torch.arange(at, min(n, at + step))
        warm[at : at + step] = model.of_users(data, rows).numpy()
        cold[at : at + step] = model.of_users(data, rows, cold=torch.ones(len(rows), dtype=torch.bool)).numpy()
    apps, products = (
        model.of_items(data, kind, torch.arange(int(data[kind].num_nodes))).numpy() for kind in ("app", "product")
    )
    level = model.level.weight[: len(apps)].numpy()
    ranked = np.hstack([apps / np.float32(TEMPERATURE), level])
    return TrainedVectors(Vectors(_with_level(warm), ranked), Vectors(warm, products), _with_level(cold))


def _with_level(users: np.ndarray) -> np.ndarray:
    """Users' vectors (n, d + 1), the last entry 1 for whoever is known, so that an app's level counts."""
    return np.hstack([users, users.any(axis=1, keepdims=True)]).astype(np.float32)
