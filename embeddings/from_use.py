"""Users' vectors that are sums over what they used, made when asked for: never an array of everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

SMALL = 1 << 26
"""Entries up to which the vectors of everybody are made at once (256 MB)."""


@dataclass(frozen=True)
class FromUse:
    """Rows users[u] = Σ over u's apps i of uses[u, i] · fold[i]; `uses` (n, m), `fold` (m, d) float32.

    Reads like an array (n, d) float32, by positions, a slice or a mask of users.

    >>> users = FromUse(sp.csr_array(np.array([[1, 1], [0, 0]], np.float32)), np.array([[1], [2]], np.float32))
    >>> users[np.array([0, 1])].tolist(), users.shape
    ([[3.0], [0.0]], (2, 1))
    """

    uses: sp.csr_array
    fold: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.uses.shape[0], self.fold.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        return np.asarray(self.uses[rows] @ self.fold, np.float32)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def first(self, d: int) -> FromUse:
        """Only the first d dimensions."""
        return FromUse(self.uses, self.fold[:, :d])


Rows = np.ndarray | FromUse
"""Users' vectors: there already, or made when asked for."""


def rows_from_use(uses: sp.csr_array, fold: np.ndarray) -> Rows:
    """All rows at once where they are few enough."""
    rows = FromUse(uses, fold)
    return rows[:] if len(rows) * fold.shape[1] <= SMALL else rows
