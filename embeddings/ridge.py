"""From what is known of a node to the vector that it would have with use: ridge regression, in closed form.

With X (r, f) the codes of nodes with use as ones, and Y (r, d) their vectors, W minimises |X W + b - Y|² + λ |W|². The
Gram XᵀX is (f, f), whatever the number of nodes; a prediction is the sum of a few rows of W. Nodes that share no code
with any node with use get b, the mean taste.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from embeddings.graph import Graph

PENALTIES = (3.0, 30.0, 300.0)
"""λ that are tried: nodes that a code has to be seen at before it is half believed."""
MOST_ROWS = 200_000
"""Nodes that are learned from, a random choice of those with use where there are more."""
FEWEST_SEEN = 2
"""A code that fewer nodes have is left out; of handsets, only the `MOST_HANDSETS` most held are told apart."""
MOST_HANDSETS = 1000
CHUNK = 1 << 15


@dataclass(frozen=True)
class Ridge:
    """`weights` (f, d) float32 and the `base` (d,) that they are added to."""

    weights: np.ndarray
    base: np.ndarray

    def of(self, known: sp.csr_array) -> np.ndarray:
        """Vectors (b, d) float32 of nodes whose codes are the rows (b, f) of `known`."""
        return np.asarray(known @ self.weights, np.float32) + self.base


def fit_ridge(known: sp.csr_array, vectors: np.ndarray, rows: np.ndarray, penalty: float, seed: int) -> Ridge:
    """Learn from the nodes at `rows` (r,) of `known` (n, f) and `vectors` (n, d), in float64.

    >>> known = sp.csr_array(np.array([[1.0], [1.0], [0.0], [0.0]]))
    >>> ridge = fit_ridge(known, np.array([[3.0], [3.0], [1.0], [1.0]]), np.arange(4), 1e-9, seed=0)
    >>> ridge.of(known).round(3).ravel().tolist()
    [3.0, 3.0, 1.0, 1.0]
    """
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    f, d = known.shape[1], vectors.shape[1]
    if not len(rows):
        return Ridge(np.zeros((f, d), np.float32), np.zeros(d, np.float32))
    gram, moment, total = np.zeros((f, f)), np.zeros((f, d)), np.zeros(d)
    for at in range(0, len(rows), CHUNK):
        part = rows[at : at + CHUNK]
        x, y = known[part].astype(np.float64), vectors[part].astype(np.float64)
        gram += (x.T @ x).toarray()
        moment += x.T @ y
        total += y.sum(axis=0)
    mean, share = total / len(rows), _column_sums(known[rows]) / len(rows)
    # Centred, so that the mean bears no penalty.
    gram -= len(rows) * np.outer(share, share)
    moment -= len(rows) * np.outer(share, mean)
    gram[np.diag_indices(f)] += penalty
    weights = scipy.linalg.solve(gram, moment, assume_a="pos") if f else moment
    return Ridge(weights.astype(np.float32), (mean - share @ weights).astype(np.float32))


def known_of_users(graph: Graph) -> sp.csr_array:
    """Codes (n, f) of customers' attributes, of their handset's, the handset itself, and the products held."""
    held = graph.holds.matrix()
    if graph.features is None:
        return held
    codes = [graph.features.codes["user"]]
    if graph.handset is not None and len(graph.nodes.handsets):
        some = graph.handset >= 0
        codes.append(graph.features.codes["handset"][graph.handset] * some[:, None])
        count = np.bincount(graph.handset[some], minlength=len(graph.nodes.handsets))
        common = np.zeros(len(count), bool)
        common[np.argsort(-count, kind="stable")[:MOST_HANDSETS]] = True
        codes.append(np.where(some & common[graph.handset], graph.features.size + graph.handset, 0)[:, None])
    return sp.csr_array(sp.hstack([_as_ones(np.hstack(codes)), held], format="csr"))


def known_of_apps(graph: Graph) -> sp.csr_array:
    """Codes (m, f) of apps: category, publisher, price, words of the title."""
    none = np.zeros((len(graph.nodes.apps), 0), np.int32)
    return _as_ones(graph.features.codes["app"] if graph.features is not None else none)


def _as_ones(codes: np.ndarray) -> sp.csr_array:
    """Codes (n, k), 0 for none, as ones in the columns (n, f) of the codes that at least `FEWEST_SEEN` nodes have."""
    seen, count = np.unique(codes[codes > 0], return_counts=True)
    seen = seen[count >= FEWEST_SEEN]
    column = np.full(int(codes.max(initial=0)) + 1, -1, np.int32)
    column[seen] = np.arange(len(seen))
    column[0] = -1
    place = column[codes]
    row, at = np.nonzero(place >= 0)
    shape = (len(codes), len(seen))
    return sp.csr_array((np.ones(len(row), np.float32), (row, place[row, at])), shape=shape)


def _column_sums(matrix: sp.csr_array) -> np.ndarray:
    return np.bincount(matrix.indices, matrix.data.astype(np.float64), matrix.shape[1])
