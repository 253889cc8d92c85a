"""The graph filter: a degree-normalised low-pass over the user-app graph, in closed form.

With R (n, m) the use matrix and D its degrees, R̃ = D_u^-½ R D_a^-β. The right singular vectors V (m, d) of R̃ with the
largest singular values are the smooth signals of the app-app graph; what a user used, normalised, projected onto
them and scaled back, is the score: R D_a^-β V · (D_a^β V)ᵀ. Nothing is trained, and a new user's vector is
one product of their row (`fold_in`). β below ½ leaves more weight to apps that many use.

Source: the ideal low-pass of GF-CF (Shen et al. 2021, https://arxiv.org/abs/2108.07567), with a free degree exponent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.graph import Edges, Graph
from embeddings.scorer import Scorer, Vectors

WIDEST = 448
"""Dimensions beyond this gain little and cost every request."""
OVERSAMPLED = 32
ROUNDS = 6
CHUNK = 1 << 17


@dataclass(frozen=True)
class GraphFilter(Scorer):
    """Scores apps by a low-pass of the app-app graph.

    `dimensions` kept (fewer where the graph has fewer); `exponent` β of an app's degree; `weighted` uses the
    strength of each edge instead of 1.
    """

    dimensions: int = WIDEST
    exponent: float = 0.42
    weighted: bool = False
    seed: int = 0
    name = "filter"

    def fit(self, graph: Graph) -> Vectors:
        rows = graph.uses.matrix(binary=not self.weighted)
        scaling = _powers(graph.uses.degrees()[1], -self.exponent)
        basis = self.basis(graph.uses)
        return Vectors(self.fold_in(rows, scaling, basis), basis * _inverse(scaling)[:, None])

    def basis(self, uses: Edges) -> np.ndarray:
        """Right singular vectors (m, d) of the normalised graph, by falling singular value."""
        users, apps = uses.degrees()
        rows = uses.matrix(binary=not self.weighted)
        left, right = _powers(users, -0.5), _powers(apps, -self.exponent)
        normal = (rows.multiply(left[:, None]).multiply(right[None, :])).tocsr().astype(np.float32)
        return top_right_singular(normal, self.dimensions, self.seed)

    @staticmethod
    def fold_in(rows: sp.csr_array, scaling: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """User vectors (b, d) from rows (b, m) of use; `scaling` (m,) is D_a^-β. An empty row gives zeros."""
        return np.asarray(rows @ (basis * scaling[:, None]), np.float32)


def top_right_singular(matrix: sp.csr_array, k: int, seed: int) -> np.ndarray:
    """The right singular vectors (m, ≤ k) of the largest singular values, by block subspace iteration on AᵀA.

    Rows are taken in chunks, so no array of (rows, k) is made. Signs are
    fixed: each column's largest entry is positive.

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
    chunks = [(matrix[at : at + CHUNK], matrix[at : at + CHUNK].T.tocsr()) for at in range(0, n, CHUNK)]

    def gram(block: torch.Tensor) -> torch.Tensor:
        dense = block.numpy()
        total = np.zeros_like(dense)
        for part, transposed in chunks:
            total += transposed @ (part @ dense)
        return torch.from_numpy(total)

    start = np.random.default_rng(seed).standard_normal((m, width), dtype=np.float32)
    block = torch.linalg.qr(torch.from_numpy(start))[0]
    for _ in range(ROUNDS):
        block = torch.linalg.qr(gram(block))[0]
    small = (block.T @ gram(block)).double()
    values, mixing = torch.linalg.eigh((small + small.T) / 2)
    kept = values.flip(0)[:k] > 1e-10 * max(float(values[-1]), 1e-30)
    vectors = (block.double() @ mixing.flip(1)[:, :k][:, kept]).float().numpy()
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return np.ascontiguousarray(vectors * signs)


def _powers(degrees: np.ndarray, exponent: float) -> np.ndarray:
    """degree^exponent (k,) float32; 0 where the degree is 0."""
    known = np.maximum(degrees, 1).astype(np.float64) ** exponent
    return np.where(degrees > 0, known, 0).astype(np.float32)


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
