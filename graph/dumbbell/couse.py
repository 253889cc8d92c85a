"""Which apps are used by the same people: co-use neighbours, and groups of them."""

from __future__ import annotations

import numpy as np
from scipy import sparse

NEIGHBOURS = 10
SHRINK = 3.0
LEARN_FROM = 200_000
"""Customers that co-use is learned from; more add time and hardly change the neighbours."""
HEAVY = 1_000
"""Customers with more apps than this say little about which two belong together, and cost their square."""
BLOCK = 500


def neighbours(held: sparse.csr_array) -> sparse.csr_array:
    """The apps most used together with each app.

    For apps i, j with n_i and n_j customers, n_ij of them in common, the weight is the shrunken cosine
    n_ij / (sqrt(n_i n_j) + 3); one common customer is no evidence and counts as none. Each app keeps its ten
    heaviest, and a pair stays when either keeps it.

    `held` is (n, m) of ones, users × apps; the result (m, m) float64, symmetric, diagonal empty.

    >>> two_pairs = sparse.csr_array(np.array([[1, 1, 0, 0]] * 3 + [[0, 0, 1, 1]] * 3))
    >>> neighbours(two_pairs).toarray().round(2).tolist()[0]
    [0.0, 0.5, 0.0, 0.0]
    """
    m = held.shape[1]
    rows = np.flatnonzero(np.diff(held.indptr) <= HEAVY)
    if len(rows) > LEARN_FROM:
        rows = rows[np.linspace(0, len(rows) - 1, LEARN_FROM).astype(np.int64)]
    sample = sparse.csr_array(held[rows]).astype(np.int32)
    by_app = sparse.csc_array(sample)
    size = np.diff(by_app.indptr)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, m, BLOCK):  # block by block: the whole (m, m) product need not fit in memory
        block = sparse.csr_array(by_app[:, start : start + BLOCK].T @ sample)
        i = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr)) + start
        good = np.flatnonzero((i != block.indices) & (block.data >= 2))
        i, j, common = i[good], block.indices[good].astype(np.int64), block.data[good]
        weight = common / (np.sqrt(size[i] * size[j]) + SHRINK)
        order = np.lexsort((j, -weight, i))
        i, j, weight = i[order], j[order], weight[order]
        place = np.arange(len(i)) - np.searchsorted(i, i)
        top = place < NEIGHBOURS
        kept.append((i[top], j[top], weight[top]))
    if not kept:
        return sparse.csr_array((m, m))
    rows, columns, weights = (np.concatenate([part[k] for part in kept]) for k in range(3))
    one_way = sparse.csr_array((weights, (rows, columns)), shape=(m, m))
    return sparse.csr_array(one_way.maximum(one_way.T))


def groups(near: sparse.csr_array, seed: int = 0) -> np.ndarray:
    """Groups of apps used alike: Leiden communities of the co-use graph, (m,) int64, -1 for an app without neighbours.

    networkit's Leiden repeats itself only on one thread, which it is given here; the numbers carry no
    meaning and are never shown. Source: Traag, Waltman, van Eck (2019), doi:10.1038/s41598-019-41695-z.
    """
    import networkit as nk  # a second to import, and most catalogues bring their own categories

    m = near.shape[0]
    found = np.full(m, -1, np.int64)
    once = sparse.coo_array(sparse.triu(near, k=1))
    if once.nnz == 0:
        return found
    graph = nk.GraphFromCoo(
        (once.data.astype(np.float64), (once.row.astype(np.int64), once.col.astype(np.int64))),
        m,
        weighted=True,
        directed=False,
    )
    threads = nk.getMaxNumberOfThreads()
    nk.setNumberOfThreads(1)
    try:
        nk.setSeed(seed, False)
        leiden = nk.community.ParallelLeiden(graph, iterations=5, randomize=False)
        leiden.run()
        labels = np.array(leiden.getPartition().getVector(), dtype=np.int64)
    finally:
        nk.setNumberOfThreads(threads)
    linked = np.diff(near.indptr) > 0
    found[linked] = labels[linked]
    return found
