"""Tables of embeddings of which a step touches few rows: only those are read, moved and written.

PyTorch's own sparse gradients are sorted and summed again for every step; here a step works on a small dense block.
"""

from __future__ import annotations

import torch

DECAY = (0.9, 0.999)
TINY = 1e-8


class Rows:
    """A table `weight` (k, d) under Adam whose moments move only in the rows that a step touched.

    >>> table = Rows(torch.zeros(3, 2))
    >>> block = table.take(torch.tensor([2]))
    >>> block.sum().backward()
    >>> table.step(rate=0.5)
    >>> table.weight.tolist()
    [[0.0, 0.0], [0.0, 0.0], [-0.5, -0.5]]
    """

    def __init__(self, weight: torch.Tensor) -> None:
        self.weight = weight
        self.mean: torch.Tensor | None = None
        self.square: torch.Tensor | None = None
        self.steps = 0
        self.rows, self.block = torch.zeros(0, dtype=torch.long), torch.zeros(0)

    def take(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows (b, d), without doubles, as a leaf whose gradient `step` will use."""
        self.rows, self.block = rows, self.weight.index_select(0, rows).requires_grad_()
        return self.block

    def step(self, rate: float) -> None:
        """One step of Adam on the rows last taken. Source: Kingma and Ba 2015 (https://arxiv.org/abs/1412.6980)."""
        if self.mean is None or self.square is None:
            self.mean, self.square = torch.zeros_like(self.weight), torch.zeros_like(self.weight)
        self.steps += 1
        gradient = self.block.grad
        if gradient is None:
            return
        one, two = DECAY
        mean = self.mean.index_select(0, self.rows).mul_(one).add_(gradient, alpha=1 - one)
        square = self.square.index_select(0, self.rows).mul_(two).addcmul_(gradient, gradient, value=1 - two)
        self.mean.index_copy_(0, self.rows, mean)
        self.square.index_copy_(0, self.rows, square)
        spread = square.div_(1 - two**self.steps).sqrt_().add_(TINY)
        moved = self.block.detach().addcdiv_(mean, spread, value=-rate / (1 - one**self.steps))
        self.weight.index_copy_(0, self.rows, moved)

    def forget(self) -> None:
        """Let go of the moments, which are as large as the table twice over."""
        self.mean = self.square = None
        self.steps = 0
        self.rows, self.block = torch.zeros(0, dtype=torch.long), torch.zeros(0)
