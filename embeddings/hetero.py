"""The matching graph as PyTorch Geometric's `HeteroData`, and the parts of it that a batch of users hears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import HeteroData

from embeddings.graph import Edges, Graph
from embeddings.sides import Sides

Relation = tuple[str, str, str]
USED: Relation = ("app", "used_by", "user")
HELD: Relation = ("product", "held_by", "user")
IN_HAND: Relation = ("handset", "in_hand_of", "user")
CALLED: Relation = ("user", "talks_with", "user")
HEARD = (USED, HELD, IN_HAND, CALLED)
"""Relations that end in users."""


def hetero_data(graph: Graph, sides: Sides | None = None) -> HeteroData:
    """Nodes with codes `x` (k, f) int32, and every relation towards users as `rowptr` (n + 1,) int64, `col` (e,) int32.

    A row's sources are in order. Edges carry `strength` (e,) and, where days are known, `first` and `last` (e,), days
    since 1970. Arrays are the graph's own memory, mapped files among them, not copies. With `sides`, their nodes and
    relations too, by rows of what they go from.

    >>> from embeddings.catalogue import Catalogue
    >>> from embeddings.graph import Edges, no_edges
    >>> import numpy as np, pyarrow as pa
    >>> nodes = Catalogue(pa.array([b"a", b"b"]), pa.array(["x"]), pa.array([], pa.string()), pa.array([], pa.string()))
    >>> one = np.array([1], np.int32)
    >>> uses = Edges(one, one * 0, np.ones(1, np.float32), one, one, (2, 1))
    >>> hetero_data(Graph(nodes, uses, no_edges(2, 0)))["app", "used_by", "user"].rowptr.tolist()
    [0, 0, 1]
    """
    data = HeteroData()
    for kind in ("user", "app", "product", "handset"):
        size = len(getattr(graph.nodes, f"{kind}s"))
        codes = graph.features.codes[kind] if graph.features else np.zeros((size, 0), np.int32)
        data[kind].x = torch.from_numpy(codes)
        data[kind].num_nodes = size
    relations = _relations(graph)
    if sides is not None:
        for kind, names in sides.nodes.items():
            data[kind].num_nodes = len(names)
        relations |= sides.edges
    for relation, edges in relations.items():
        if len(edges):
            starts = np.searchsorted(edges.users, np.arange(edges.shape[0] + 1))
            store = data[relation]
            store.rowptr, store.col = torch.from_numpy(starts), torch.from_numpy(edges.items)
            store.strength = torch.from_numpy(edges.strength)
            if edges.first.max() >= 0:
                store.first, store.last = torch.from_numpy(edges.first), torch.from_numpy(edges.last)
    return data


def _relations(graph: Graph) -> dict[Relation, Edges]:
    relations = {USED: graph.uses, HELD: graph.holds}
    if graph.handset is not None:
        users = np.flatnonzero(graph.handset >= 0).astype(np.int32)
        ones, unknown = np.ones(len(users), np.float32), np.full(len(users), -1, np.int32)
        shape = (len(graph.handset), len(graph.nodes.handsets))
        relations[IN_HAND] = Edges(users, graph.handset[users], ones, unknown, unknown, shape)
    if graph.calls is not None:
        relations[CALLED] = graph.calls
    return relations


@dataclass(frozen=True)
class Bags:
    """What each of b nodes hears: node i the sources `source[start[i] : start[i + 1]]`, all alike or by `weight` (e,),
    which adds up to 1 in each.

    Sums and means over bags are PyTorch's `embedding_bag`, which needs no matrix and no sorting.
    """

    source: torch.Tensor
    start: torch.Tensor
    weight: torch.Tensor | None = None

    def row(self) -> torch.Tensor:
        """The node (e,) that hears each source."""
        return torch.repeat_interleave(torch.arange(len(self.start) - 1, device=self.start.device), self.size())

    def size(self) -> torch.Tensor:
        """Sources (b,) of each node."""
        return self.start[1:] - self.start[:-1]

    def keep(self, mask: torch.Tensor) -> Bags:
        """Only the edges where `mask` (e,) is true, all alike."""
        start = torch.zeros_like(self.start)
        torch.cumsum(torch.bincount(self.row()[mask], minlength=len(start) - 1), 0, out=start[1:])
        return Bags(self.source[mask], start)

    def renamed(self, place: torch.Tensor) -> Bags:
        """The same bags of sources that are called `place[source]`."""
        return Bags(place[self.source], self.start, self.weight)


def bags(data: HeteroData, relation: Relation, rows: torch.Tensor) -> Bags:
    """What the users at `rows` (b,) hear through one relation; strengths weigh where the relation is calls."""
    store = data[relation]
    first, count = store.rowptr[rows], sources(data, relation, rows)
    start = torch.zeros(len(rows) + 1, dtype=torch.long, device=rows.device)
    torch.cumsum(count, 0, out=start[1:])
    moved = torch.repeat_interleave(first - start[:-1], count)
    edge = torch.arange(len(moved), device=rows.device) + moved
    source = store.col[edge].long()
    if relation != CALLED:
        return Bags(source, start)
    row = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), count)
    weight = torch.log1p(store.strength[edge])
    total = torch.zeros(len(rows), device=rows.device).index_add_(0, row, weight)
    return Bags(source, start, weight / total[row])


def sources(data: HeteroData, relation: Relation, rows: torch.Tensor) -> torch.Tensor:
    """How many sources (b,) the users at `rows` (b,) hear through a relation; none where the graph lacks it."""
    if relation not in data.edge_types:
        return torch.zeros_like(rows)
    return data[relation].rowptr[rows + 1] - data[relation].rowptr[rows]
