"""The trained scorer's network: embeddings for users, apps, products and handsets, plus what their neighbours say.

An item's vector is the sum of its own embedding and the mean embedding of its attributes. A user's is the same plus
one convolution per relation (apps used, products held, the handset in hand, the people talked with), put together by
PyTorch Geometric's `HeteroConv`: each takes the mean of the neighbours' vectors through a linear map. The map of
the apps used begins as the identity, so a customer is at first the mean of what they use; the others begin at zero
and have to earn their weight. Customers and apps without any use get their vectors from attributes and neighbours.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

import torch
from torch import nn
from torch.nn.functional import embedding_bag
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv

from embeddings.hetero import CALLED, HEARD, USED, Bags, Relation
from embeddings.rows import Rows

ITEMS = ("app", "product", "handset")
FLOOR = 0.1


def unit(vectors: torch.Tensor) -> torch.Tensor:
    """Rows brought to a length just below 1; rows shorter than `FLOOR` stay short, as little is known of them.

    Dividing by the bare length would give nearly empty rows gradients that stop Adam for good.

    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).numpy().round(2)
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    return vectors * torch.rsqrt((vectors * vectors).sum(dim=1, keepdim=True) + FLOOR**2)


def mean_of(bags: Bags, vectors: torch.Tensor) -> torch.Tensor:
    """Mean (b, d) of the `vectors` (k, d) in each bag, by weight where the bags have weights; zeros of an empty bag."""
    if bags.weight is not None:
        return sum_of(bags, vectors, bags.weight)
    return embedding_bag(bags.source, vectors, bags.start, mode="mean", include_last_offset=True)


def sum_of(bags: Bags, vectors: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """Sum (b, d) of the `vectors` (k, d) in each bag, times `weight` (e,) where given."""
    return embedding_bag(
        bags.source, vectors, bags.start, mode="sum", per_sample_weights=weight, include_last_offset=True
    )


class MeanConv(nn.Module):
    """The mean of the neighbours' vectors through a linear map: `SAGEConv` without its root, over bags."""

    def __init__(self, d: int, *, start: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(d) * start)

    def forward(self, vectors: torch.Tensor | tuple[torch.Tensor, ...], bags: Bags) -> torch.Tensor:
        sources = vectors if isinstance(vectors, torch.Tensor) else vectors[0]
        return mean_of(bags, sources) @ self.weight


class MatchingGNN(nn.Module):
    """Vectors of `d` dimensions and length 1 (or 0: nothing is known); an app's score is the cosine.

    `tables` holds the embeddings of nodes by kind, and of attributes as `code`; they learn by rows (`Rows`). Where
    people talk, `voices` (n, d) are everybody's latest vectors, which their contacts hear. `data` says how many nodes
    and which relations there are; it is not kept.
    """

    def __init__(self, data: HeteroData, codes: int, d: int) -> None:
        super().__init__()
        self.d = d
        sizes = {kind: max(1, int(data[kind].num_nodes)) for kind in ("user", *ITEMS)}
        self.tables = {kind: Rows(torch.zeros(k, d)) for kind, k in sizes.items()}
        self.tables["code"] = Rows(torch.zeros(max(1, codes), d))
        for kind in ITEMS:
            nn.init.normal_(self.tables[kind].weight, std=0.01 / d**0.5)
        self.relations: list[Relation] = [r for r in HEARD if r in data.edge_types]
        convs = {r: MeanConv(d, start=float(r == USED)) for r in self.relations}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that items hear nothing is meant
            self.conv = HeteroConv(convs, aggr="sum") if convs else None
        self.voices = torch.zeros(sizes["user"], d) if CALLED in self.relations else None

    def to(self, *arguments: Any, **named: Any) -> MatchingGNN:
        """Move tables too."""
        super().to(*arguments, **named)
        for table in self.tables.values():
            table.weight = table.weight.to(*arguments, **named)
        if self.voices is not None:
            self.voices = self.voices.to(*arguments, **named)
        return self

    def maps(self) -> dict[str, torch.Tensor]:
        """The linear map (d, d) of each relation, by its name."""
        convs = self.conv.convs if self.conv is not None else {}
        return {relation[1]: cast(MeanConv, convs[relation]).weight for relation in self.relations}

    def of_items(self, own: torch.Tensor, codes: torch.Tensor, attributes: torch.Tensor) -> torch.Tensor:
        """Vectors (b, d) of apps, products or handsets from their `own` embeddings and their codes (b, f), which are
        rows of `attributes`, 0 for none."""
        return unit(own + told(codes, attributes))

    def of_users(
        self,
        own: torch.Tensor,
        codes: torch.Tensor,
        attributes: torch.Tensor,
        heard: dict[Relation, Bags],
        items: dict[str, torch.Tensor],
    ) -> torch.Tensor:
        """Vectors (b, d) of users from the same and what they hear: bags of rows of `items`, by kind."""
        total = own + told(codes, attributes)
        if self.conv is not None and heard:  # a relation without a bag says nothing
            sources = {**items, "user": self.voices if self.voices is not None else own}
            total = total + self.conv(sources, heard)["user"]
        return unit(total)


def told(codes: torch.Tensor, attributes: torch.Tensor) -> torch.Tensor:
    """Mean (b, d) of the `attributes` (k, d) at the codes (b, f) of each node; code 0 says nothing."""
    if codes.shape[1] == 0:
        return torch.zeros(len(codes), attributes.shape[1], device=attributes.device)
    return embedding_bag(codes, attributes, mode="mean", padding_idx=0)
