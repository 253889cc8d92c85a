"""The trained scorer's network: embeddings for users, apps and products, plus what their neighbours say.

A user's vector is the sum of their own embedding, the embeddings of their attributes, and one `SAGEConv` per relation
(apps used, products held, the handset in hand, the people talked with), put together by `HeteroConv`. The convolutions
begin at zero, so training starts from the embeddings alone and a relation has to earn its weight. Customers and
apps without any use get their vector from attributes and neighbours: while training, embeddings of a random few
are hidden, so that these parts learn to stand alone.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv, SAGEConv

from embeddings.hetero import CALLED, HELD, IN_HAND, USED, Relation, neighbours

ITEMS = ("app", "product", "handset")
FLOOR = 0.1
HIDDEN_SHARE = 0.1
"""Share of a batch trained as if customer or app had no history."""


def unit(vectors: torch.Tensor) -> torch.Tensor:
    """Rows brought to a length just below 1; rows shorter than `FLOOR` stay short, as little is known of them.

    Dividing by the bare length would give nearly empty rows gradients that stop Adam for good.

    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).numpy().round(2)
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    return vectors * torch.rsqrt((vectors * vectors).sum(dim=1, keepdim=True) + FLOOR**2)


class MatchingGNN(nn.Module):
    """Vectors of `d` dimensions and length 1 (or 0: nothing is known); apps also have a `level`, how often they are
    taken up by whomever. An app's score is the cosine over a temperature plus the level.

    `data` says how many nodes, codes and relations there are; it is not kept.
    """

    def __init__(self, data: HeteroData, codes: int, d: int) -> None:
        super().__init__()
        self.d = d
        self.user = nn.Embedding(int(data["user"].num_nodes), d, sparse=True)
        self.item = nn.ModuleDict({kind: nn.Embedding(max(1, int(data[kind].num_nodes)), d) for kind in ITEMS})
        self.level = nn.Embedding(max(1, int(data["app"].num_nodes)), 1)
        self.code = nn.EmbeddingBag(max(1, codes), d, mode="mean", padding_idx=0)
        self.relations: list[Relation] = [r for r in (USED, HELD, IN_HAND, CALLED) if r in data.edge_types]
        self.conv = HeteroConv(
            {r: SAGEConv((d, d), d, aggr="mean", root_weight=False, bias=False) for r in self.relations}, aggr="sum"
        )
        for table in (self.user, *(self.table(kind) for kind in ITEMS)):
            nn.init.normal_(table.weight, std=0.01 / d**0.5)
        nn.init.zeros_(self.level.weight)
        nn.init.zeros_(self.code.weight)
        for conv in self.conv.convs.values():
            nn.init.zeros_(conv.lin_l.weight)

    def table(self, kind: str) -> nn.Embedding:
        """The embeddings of apps, products or handsets."""
        return cast(nn.Embedding, self.item[kind])

    def of_users(
        self,
        data: HeteroData,
        rows: torch.Tensor,
        *,
        hidden: dict[Relation, torch.Tensor] | None = None,
        most: int | None = None,
        generator: torch.Generator | None = None,
        cold: torch.Tensor | None = None,
        anonymous: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Vectors (b, d) of the users at `rows`.

        `hidden` leaves an edge a row out of a relation. Rows where `anonymous` (b,) is true are made without their own
        embedding; rows where `cold` (b,) is true without it and without apps, as if they had never used one.
        """
        own = self.user(rows)
        for without_own in (cold, anonymous):
            if without_own is not None:
                own = own * ~without_own[:, None]
        total = own + self._attributes(data["user"].x[rows])
        if self.relations:
            # Messages between users are taken as they stand, so that user embeddings keep sparse gradients.
            sources = {kind: self.table(kind).weight[: int(data[kind].num_nodes)] for kind in ITEMS}
            sources["user"] = self.user.weight.detach()
            edges = {}
            for relation in self.relations:
                without = (hidden or {}).get(relation)
                silent = cold if relation == USED else None
                edges[relation] = neighbours(
                    data, relation, rows, hidden=without, silent=silent, most=most, generator=generator
                )
            total = total + self.conv(sources, edges)["user"]
        return unit(total)

    def of_items(
        self, data: HeteroData, kind: str, rows: torch.Tensor, *, cold: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Vectors (b, d) of the apps or products at `rows`; `cold` rows are made of their attributes alone."""
        own = self.item[kind](rows)
        if cold is not None:
            own = own * ~cold[:, None]
        return unit(own + self._attributes(data[kind].x[rows]))

    def _attributes(self, codes: torch.Tensor) -> torch.Tensor:
        if codes.shape[1] == 0:
            return torch.zeros(len(codes), self.d)
        return self.code(codes)
