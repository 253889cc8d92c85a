"""A batch of users with all that they use and hear, cut out of the graph, and how well the model finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn.functional import cross_entropy
from torch_geometric.data import HeteroData

from embeddings.distributed import World
from embeddings.gnn import ITEMS, MatchingGNN, sum_of
from embeddings.hetero import HELD, USED, Bags, Relation, bags, sources

NEGATIVES = 2048
NEW_SHARE = 0.1
"""Share of a batch that is trained as if customer or app had no history."""


class Loss(NamedTuple):
    """What the loss of `embeddings.gnn_training` is told: τ, c, and p, by which a user counts who uses k apps: k^p."""

    temperature: float = 0.08
    sharpness: float = 1.22
    power: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """What chance says of a batch, alike in all processes: its `users` (b,), `negatives` (N,) apps, which of the users
    and of all apps play `cold`, and a number in 0 … 1 for each user, which `picks` what is withheld."""

    users: torch.Tensor
    negatives: torch.Tensor
    cold: torch.Tensor
    cold_apps: torch.Tensor
    picks: torch.Tensor

    @classmethod
    def of(cls, data: HeteroData, users: torch.Tensor, draw: torch.Generator, device: torch.device) -> Drawn:
        """Draw for these users; nobody plays new where a newcomer has neither attributes nor neighbours."""
        m, b = int(data["app"].num_nodes), len(users)
        told = data["user"].x.shape[1] or set(data.edge_types) - {USED}
        negatives = torch.randint(m, (NEGATIVES,), generator=draw) if m > NEGATIVES else torch.arange(m)
        cold = torch.rand(b, generator=draw) < (NEW_SHARE if told else 0)
        cold_apps = torch.rand(m, generator=draw) < (NEW_SHARE if data["app"].x.shape[1] else 0)
        picks = torch.rand(b, generator=draw)
        return cls(*(part.to(device) for part in (users, negatives, cold, cold_apps, picks)))


@dataclass(frozen=True)
class Batch:
    """This process's `users` (b,) of a batch.

    `rows` are those of each table that the batch needs; all other positions are places among them: the bags `heard`
    and `uses`, the `negatives` (N,), the `codes` (k, f) of each kind of node. `product` (b,) is what a user holds but
    does not hear of, -1 for none. `cold`, `cold_apps` mark who plays new. All processes' users together have to find
    `counts` (B,) apps each, and `finds` products.
    """

    users: torch.Tensor
    rows: dict[str, torch.Tensor]
    heard: dict[Relation, Bags]
    uses: Bags | None
    negatives: torch.Tensor
    product: torch.Tensor
    codes: dict[str, torch.Tensor]
    cold: torch.Tensor
    cold_apps: torch.Tensor
    counts: torch.Tensor
    finds: int

    @classmethod
    def cut(cls, data: HeteroData, model: MatchingGNN, drawn: Drawn, here: World) -> Batch:
        """What this process needs of the graph for its share of what was drawn."""
        mine = here.mine(drawn.users)
        users, cold = drawn.users[mine], drawn.cold[mine]
        heard = {relation: bags(data, relation, users) for relation in model.relations}
        uses, product = heard.get(USED), torch.full_like(users, -1)
        counts, finds = sources(data, USED, drawn.users), int((sources(data, HELD, drawn.users) > 0).sum())
        if uses is not None:
            heard[USED] = uses.keep(~cold[uses.row()]) if bool(cold.any()) else uses
        if HELD in heard:
            product, heard[HELD] = withheld(heard[HELD], drawn.picks[mine])
        rows, codes, places = {"user": users}, {"user": data["user"].x[users]}, {}
        for kind in ITEMS:
            needed = [bag.source for (source, _, _), bag in heard.items() if source == kind]
            if kind == "app":
                needed += [drawn.negatives, *([] if uses is None else [uses.source])]
            if kind == "product" and HELD in heard:
                needed = [torch.arange(int(data[kind].num_nodes), device=here.device)]
            rows[kind], places[kind] = united(len(model.tables[kind].weight), needed, here)
            codes[kind] = data[kind].x[rows[kind]]
            heard = {r: bag.renamed(places[kind]) if r[0] == kind else bag for r, bag in heard.items()}
        nothing = torch.zeros(1, dtype=torch.long, device=here.device)
        needed = [nothing, *(part.flatten().long() for part in codes.values())]
        rows["code"], place = united(len(model.tables["code"].weight), needed, here)
        return cls(
            users,
            rows,
            heard,
            None if uses is None else uses.renamed(places["app"]),
            places["app"][drawn.negatives],
            product,
            {kind: place[part.long()] for kind, part in codes.items()},
            cold,
            drawn.cold_apps[rows["app"]],
            counts,
            finds,
        )

    def loss(
        self, model: MatchingGNN, blocks: dict[str, torch.Tensor], told: Loss
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """This process's part of the mean loss, and its users' vectors (b, d). `blocks` are the tables' `rows`."""
        own = {**blocks, "user": blocks["user"] * ~self.cold[:, None], "app": blocks["app"] * ~self.cold_apps[:, None]}
        items = {kind: model.of_items(own[kind], self.codes[kind], blocks["code"]) for kind in ITEMS}
        users = model.of_users(own["user"], self.codes["user"], blocks["code"], self.heard, items)
        loss = torch.zeros((), device=users.device)
        if self.uses is not None:
            loss = loss + self._apps(users, items["app"], told) / float(self.counts.pow(told.power).sum().clamp(min=1))
        if self.finds:
            took = self.product >= 0
            scores = users[took] @ items["product"].T / told.temperature
            loss = loss + cross_entropy(scores, self.product[took], reduction="sum") / self.finds
        return loss, users.detach()

    def _apps(self, users: torch.Tensor, apps: torch.Tensor, told: Loss) -> torch.Tensor:
        assert self.uses is not None
        many = self.uses.size()
        much = many.pow(told.power)
        right = (users * sum_of(self.uses, apps)).sum(dim=1) / many.clamp(min=1) / told.temperature
        wrong = (users / told.temperature) @ apps.index_select(0, self.negatives).T
        column = torch.full((len(apps),), -1, device=users.device)
        column[self.negatives] = torch.arange(len(self.negatives), device=users.device)
        used = column[self.uses.source]
        hit = used >= 0
        # Finite, so that somebody who uses all of them has a loss too; so low that it does not count.
        low = torch.tensor(-2 / told.temperature, device=users.device)
        wrong = wrong.index_put((self.uses.row()[hit], used[hit]), low)
        return (much * (told.sharpness * torch.logsumexp(wrong, dim=1) - right)).sum()


def withheld(holds: Bags, picks: torch.Tensor) -> tuple[torch.Tensor, Bags]:
    """One source (b,) of each bag, by `picks` in 0 … 1, -1 of an empty one; and the bags without it.

    >>> withheld(Bags(torch.tensor([5, 6, 7]), torch.tensor([0, 2, 2, 3])), torch.tensor([0.5, 0.0, 0.9]))[0].tolist()
    [6, -1, 7]
    """
    count = holds.size()
    edge = holds.start[:-1] + (picks * count).long().clamp(max=(count - 1).clamp(min=0))
    some = count > 0
    chosen = torch.full_like(count, -1)
    chosen[some] = holds.source[edge[some]]
    kept = torch.ones(len(holds.source), dtype=torch.bool, device=count.device)
    kept[edge[some]] = False
    return chosen, holds.keep(kept)


def united(size: int, needed: list[torch.Tensor], here: World) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of a table of `size` that are needed in any process, in order, and each row's place among them."""
    mark = torch.zeros(size, dtype=torch.bool, device=here.device)
    for part in needed:
        mark[part] = True
    rows = torch.nonzero(here.any(mark))[:, 0]
    place = torch.full((size,), -1, device=here.device)
    place[rows] = torch.arange(len(rows), device=here.device)
    return rows, place
