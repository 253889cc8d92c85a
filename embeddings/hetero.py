"""The matching graph as PyTorch Geometric's `HeteroData`, and batches of users cut out of it."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import HeteroData

from embeddings.graph import Edges, Graph

Relation = tuple[str, str, str]
USED: Relation = ("app", "used_by", "user")
HELD: Relation = ("product", "held_by", "user")
IN_HAND: Relation = ("handset", "in_hand_of", "user")
CALLED: Relation = ("user", "talks_with", "user")
WIDEST = 64
"""Neighbours of one kind that one user hears while training; a random window of them where there are more."""


def hetero_data(graph: Graph) -> HeteroData:
    """Nodes with codes `x` (k, f) int64, and every relation towards users as `rowptr` (n + 1,), `col` (e,).

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
        data[kind].x = torch.from_numpy(codes.astype(np.int64))
        data[kind].num_nodes = size
    for relation, edges in _relations(graph).items():
        if len(edges):
            matrix = edges.matrix()
            data[relation].rowptr = torch.from_numpy(matrix.indptr.astype(np.int64))
            data[relation].col = torch.from_numpy(matrix.indices.astype(np.int64))
    return data


def _relations(graph: Graph) -> dict[Relation, Edges]:
    relations = {USED: graph.uses, HELD: graph.holds}
    if graph.handset is not None:
        users = np.flatnonzero(graph.handset >= 0).astype(np.int32)
        ones = np.ones(len(users), np.float32)
        shape = (len(graph.handset), len(graph.nodes.handsets))
        relations[IN_HAND] = Edges(users, graph.handset[users], ones, users, users, shape)
    if graph.calls is not None:
        relations[CALLED] = graph.calls
    return relations


def neighbours(
    data: HeteroData,
    relation: Relation,
    rows: torch.Tensor,
    *,
    hidden: torch.Tensor | None = None,
    silent: torch.Tensor | None = None,
    most: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """The edges of one relation into the users at `rows` (b,), as a sparse CSR matrix (b, sources) of ones.

    `hidden` (b,) names one source a row whose edge is left out, the one that is to be predicted; rows
    where `silent` (b,) is true get no edge; `most` caps the
    edges of a row by a random window that `generator` draws.
    """
    rowptr, col = data[relation].rowptr, data[relation].col
    start, count = rowptr[rows], rowptr[rows + 1] - rowptr[rows]
    if silent is not None:
        count = count * ~silent
    kept = count if most is None else count.clamp(max=most)
    ends = kept.cumsum(0)
    local = torch.repeat_interleave(torch.arange(len(rows)), kept)
    place = torch.arange(int(ends[-1]) if len(ends) else 0) - (ends - kept)[local]
    if most is not None and generator is not None:
        offset = (torch.rand(len(rows), generator=generator) * count).long()
        place = (place + offset[local]) % count[local].clamp(min=1)
    source = col[start[local] + place]
    if hidden is not None:
        seen = source != hidden[local]
        local, source = local[seen], source[seen]
        kept = torch.bincount(local, minlength=len(rows))
    crow = torch.zeros(len(rows) + 1, dtype=torch.long)
    torch.cumsum(kept, 0, out=crow[1:])
    size = (len(rows), int(data[relation[0]].num_nodes))
    return torch.sparse_csr_tensor(crow, source, torch.ones(len(source)), size=size)
