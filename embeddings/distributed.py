"""Training on several processes or GPUs: each takes its share of every batch's users, and all learn the same items.

    torchrun --nproc-per-node 2 -m dumbbell.together embed --home HOME

does what `dumbbell embed` does. The first process leads: it reads, measures and writes; for every fit it sends graph
and model to the others, which `follow`. Chance is drawn alike everywhere, a customer's own embedding belongs to one
process (position modulo processes), and the gradients of everything else are summed. So the vectors are those of a
single process but for rounding, whatever the number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import distributed

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else products on a GPU do not repeat


def cpu() -> torch.device:
    """The processor."""
    return torch.device("cpu")


@dataclass(frozen=True)
class World:
    """This process among those that train together: its `rank` of `size`, and where its tables lie."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=cpu)

    def mine(self, users: torch.Tensor) -> torch.Tensor:
        """Mask of the users whose embeddings this process learns."""
        return users % self.size == self.rank

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """`values` summed over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def any(self, mask: torch.Tensor) -> torch.Tensor:
        """Where the mask is true in any process."""
        if self.size == 1:
            return mask
        found = mask.to(torch.uint8)
        distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
        return found.bool()

    def collected(self, users: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """The vectors (b, d) of all `users` (b,), of which this process made its own."""
        if self.size == 1:
            return vectors
        whole = torch.zeros(len(users), vectors.shape[1], device=vectors.device)
        whole[self.mine(users)] = vectors
        return self.total(whole)

    def gathered(self, table: torch.Tensor) -> None:
        """Bring the rows that each process learned to all, in place."""
        if self.size > 1:
            rows = torch.arange(len(table), device=table.device)
            table[~self.mine(rows)] = 0
            distributed.all_reduce(table)

    def shared(self, task: Any) -> Any:
        """What the first process hands in, for all."""
        if self.size == 1:
            return task
        box = [task]
        distributed.broadcast_object_list(box, device=self.device)
        return box[0]


def world() -> World:
    """The processes that were `joined`, or this one alone."""
    if not distributed.is_initialized():
        return World(device=torch.device("cuda") if torch.cuda.is_available() else cpu())
    device = cpu()
    if distributed.get_backend() == "nccl":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return World(distributed.get_rank(), distributed.get_world_size(), device)


@contextmanager
def joined() -> Iterator[World]:
    """Join the processes that `torchrun` started: by NCCL where each has a GPU of its own, else by Gloo."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    own = gpus >= int(os.environ["LOCAL_WORLD_SIZE"])
    if own:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if own else "gloo")
    here = world()
    try:
        yield here
    finally:
        if here.rank == 0:
            here.shared(None)
        distributed.destroy_process_group()
