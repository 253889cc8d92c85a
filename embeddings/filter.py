"""The graph filter: a degree-normalised low-pass over the user-app graph plus a linear part, in closed form.

With R (n, m) the use matrix and D its degrees, R̃ = D_u^-½ R D_a^-β. The right singular vectors V (m, d) of R̃ with the
largest singular values are the smooth signals of the app-app graph. What a user used, normalised, goes through
V Vᵀ + γ R̃ᵀR̃ / λ₁ (λ₁ the largest eigenvalue of R̃ᵀR̃) and is scaled back: scores R D_a^-β (V Vᵀ + γ R̃ᵀR̃ / λ₁) D_a^β. The
first term is a dot product of d dimensions, the second a sparse table of neighbours (`embeddings.neighbours`). Nothing
is trained, and a new user's vector is the sum of the rows of what they used. β below ½ leaves more weight to apps that
many use.

Sources: ideal low-pass and linear part of GF-CF (Shen et al. 2021, https://arxiv.org/abs/2108.07567), one degree
exponent for both as in ChebyCF (Kim et al. 2025, https://arxiv.org/abs/2505.00552), whose filter of order 8 is nearly
linear at its published settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.from_use import rows_from_use
from embeddings.gram import times as gram_times
from embeddings.graph import Edges, Graph
from embeddings.neighbours import Neighbours, closest, gram, no_neighbours
from embeddings.scorer import Scorer, Vectors

WIDEST = 448
"""Dimensions beyond this gain little and cost every request."""
OVERSAMPLED = 32
ROUNDS = 6


@dataclass(frozen=True)
class GraphFilter(Scorer):
    """Scores apps by a low-pass of the app-app graph.

    `dimensions` kept (fewer where the graph has fewer); `exponent` β of an app's degree; `linear` γ, the weight of the
    linear part (0 leaves it out); `weighted` uses the strength of each edge instead of 1.
    """

    dimensions: int = WIDEST
    exponent: float = 0.42
    linear: float = 0.0
    weighted: bool = False
    seed: int = 0
    name = "filter"

    def fit(self, graph: Graph) -> Vectors:
        normal = self.normal(graph.uses)
        whole = gram(normal)
        basis = top_right_singular(normal, self.dimensions, self.seed, whole)
        scaling = self.scaling(graph.uses)
        weights = self.weights(graph.uses, normal, basis, whole)
        n, m = graph.uses.shape
        mean = np.asarray(weights.sum(axis=1), np.float32)[:, None] / np.float32(max(m, 1))
        fold = np.hstack([-mean, basis * scaling[:, None]])
        near = Neighbours(graph.uses.matrix(), weights, np.ones(n, np.float32), fold)
        users = rows_from_use(graph.uses.matrix(binary=not self.weighted), fold)
        apps = np.hstack([np.ones((m, 1), np.float32), basis * _inverse(scaling)[:, None]])
        return Vectors(users, apps, near)

    def normal(self, uses: Edges) -> sp.csr_array:
        """R̃ (n, m) float32."""
        rows = uses.matrix(binary=not self.weighted)
        values = rows.data * _powers(uses.degrees()[0], -0.5)[uses.users]
        values *= self.scaling(uses)[uses.items]
        return sp.csr_array((values, rows.indices, rows.indptr), shape=rows.shape)

    def scaling(self, uses: Edges) -> np.ndarray:
        """D_a^-β (m,) float32; 0 for an app that nobody uses."""
        return _powers(uses.degrees()[1], -self.exponent)

    def weights(self, uses: Edges, normal: sp.csr_array, basis: np.ndarray, whole: np.ndarray | None) -> sp.csr_array:
        """Weights (m, m) of the linear part, for uses that count once an app, however strong."""
        if not self.linear:
            return no_neighbours(uses.shape)
        first = float(np.square(np.asarray(normal @ basis[:, :1], np.float64)).sum()) if basis.shape[1] else 1.0
        scaling = self.scaling(uses)
        return closest(normal, scaling * np.float32(self.linear / max(first, 1e-30)), _inverse(scaling), whole=whole)


def top_right_singular(matrix: sp.csr_array, k: int, seed: int, whole: np.ndarray | None = None) -> np.ndarray:
    """The right singular vectors (m, ≤ k) of the largest singular values, by block subspace iteration on AᵀA.

    No array of (rows, k) is made; with far more rows than columns AᵀA itself is made once, dense, unless it is given as
    `whole`. Signs are fixed: each column's largest entry is positive.

    >>> top = top_right_singular(sp.csr_array(np.diag([1.0, 3.0, 2.0]).astype(np.float32)), 2, seed=0)
    >>> np.abs(top).round(3).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    import torch

    n, m = matrix.shape
    k = min(k, n, m)
    width = min(k + OVERSAMPLED, m)
    if k == 0:
        return np.zeros((m, 0), np.float32)
    whole = gram(matrix) if whole is None else whole
    dense = None if whole is None else torch.from_numpy(whole)

    def times(block: torch.Tensor) -> torch.Tensor:
        """AᵀA block."""
        return torch.from_numpy(gram_times(matrix, block.numpy())) if dense is None else dense @ block

    start = np.random.default_rng(seed).standard_normal((m, width), dtype=np.float32)
    block = torch.linalg.qr(torch.from_numpy(start))[0]
    for _ in range(ROUNDS):
        block = torch.linalg.qr(times(block))[0]
    small = (block.T @ times(block)).double()
    values, mixing = torch.linalg.eigh((small + small.T) / 2)
    kept = values.flip(0)[:k] > 1e-6 * max(float(values[-1]), 1e-30)
    vectors = (block.double() @ mixing.flip(1)[:, :k][:, kept]).float().numpy()
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return np.ascontiguousarray(vectors * signs)


def _powers(degrees: np.ndarray, exponent: float) -> np.ndarray:
    """degree^exponent (k,) float32; 0 where the degree is 0."""
    known = np.maximum(degrees, 1).astype(np.float64) ** exponent
    return np.where(degrees > 0, known, 0).astype(np.float32)


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
