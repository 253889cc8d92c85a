"""How long a fit takes on Gowalla's training pairs beside LightGCN and least squares, all on the same processor.

    python -m benchmarks.fit_time [--data DIR] [--dimensions 128] [--epochs N] [--only ours|lightgcn|als] [--look]

- `ours`: the graph filter, and the GNN from its start to everybody's vectors. With `--look`, the GNN's Recall@20 and
  NDCG@20 on the test file, which is counted as a look; else on a tenth of the training pairs, left out.
- `lightgcn`: PyTorch Geometric's `LightGCN` (64 dimensions, 3 layers, Adam) over a CSR matrix, with batches of 8,192.
  Some batches are timed; an epoch is as many as the pairs fill, a run `PUBLISHED_EPOCHS` of them: EXTRAPOLATED.
- `als`: `implicit`'s alternating least squares, 256 factors, its 15 iterations.

Seconds of the clock and of the processor (all threads); on a busy machine the second tell more. Prints one
line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.gowalla import NEEDED, K, edges_of, graph_of, read_pairs
from benchmarks.looks import looked
from benchmarks.matches import data_folder
from benchmarks.watched import timed
from embeddings.arithmetic import fixed_threads
from embeddings.evaluate import measure
from embeddings.filter import GraphFilter
from embeddings.gnn_training import LONG, GNNScorer
from embeddings.graph import Edges
from embeddings.split import random_cut

PUBLISHED_EPOCHS = 1000
"""Of LightGCN's published runs (He et al. 2020, https://arxiv.org/abs/2002.02126)."""
BATCH, TIMED = 8192, 3


def ours(uses: Edges, held: Edges, dimensions: int, epochs: float) -> dict[str, Any]:
    """Seconds of both scorers, and how well the GNN finds `held`."""
    graph = graph_of(uses)
    low_pass: dict[str, Any] = {}
    trained: dict[str, Any] = {"dimensions": dimensions, "epochs": epochs}
    with timed(low_pass):
        GraphFilter().fit(graph)
    with timed(trained):
        vectors = GNNScorer(dimensions, epochs=epochs).fit(graph)
    found = measure(vectors.scores, uses.matrix(), held.matrix(), np.unique(held.users), K).summary()
    return {"filter": low_pass, "gnn": trained | found}


def lightgcn(uses: Edges) -> dict[str, Any]:
    """Seconds of an epoch and of a published run, out of a few batches."""
    import torch  # not above: `lake` says first how OpenMP's threads wait
    from torch_geometric.nn import LightGCN

    n, m = uses.shape
    ends = np.concatenate([uses.users, uses.items + n]), np.concatenate([uses.items + n, uses.users])
    both = sp.csr_array((np.ones(2 * len(uses), np.float32), ends), shape=(n + m, n + m))
    scale = sp.diags_array(1 / np.sqrt(np.maximum(both.sum(axis=1), 1)))
    normal = (scale @ both @ scale).tocsr().astype(np.float32)
    starts, columns, values = (torch.from_numpy(part) for part in (normal.indptr, normal.indices, normal.data))
    adjacency = torch.sparse_csr_tensor(starts.long(), columns.long(), values, size=normal.shape)
    model = LightGCN(n + m, 64, 3, normalize=False)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.001)
    draw = torch.Generator().manual_seed(0)
    users, items = (torch.from_numpy(part.astype(np.int64)) for part in (uses.users, uses.items))

    def step() -> None:
        chosen = torch.randint(len(users), (BATCH,), generator=draw)
        others = torch.randint(m, (BATCH,), generator=draw)
        vectors = model.get_embedding(adjacency)
        u = vectors[users[chosen]]
        right, wrong = ((u * vectors[n + part]).sum(dim=1) for part in (items[chosen], others))
        nodes = torch.cat([users[chosen], n + items[chosen], n + others])
        loss = model.recommendation_loss(right, wrong, node_id=nodes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    step()
    found: dict[str, Any] = {}
    with timed(found):
        for _ in range(TIMED):
            step()
    batches = -(-len(uses) // BATCH)
    epoch = {name: round(found[name] / TIMED * batches, 1) for name in ("seconds", "cpu_seconds")}
    run = {name: round(value * PUBLISHED_EPOCHS) for name, value in epoch.items()}
    return {"batches_timed": TIMED, "batches": batches, "epoch": epoch, "epochs": PUBLISHED_EPOCHS, "extrapolated": run}


def als(uses: Edges, threads: int) -> dict[str, Any]:
    """Seconds of `implicit`'s least squares."""
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    found: dict[str, Any] = {"factors": 256}
    with threadpool_limits(1, "blas"), timed(found):
        AlternatingLeastSquares(factors=256, num_threads=threads, random_state=0).fit(
            sp.csr_matrix(uses.matrix()), show_progress=False
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that holds gowalla/ (default: DUMBBELL_DATA)")
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--epochs", type=float, default=LONG)
    parser.add_argument("--only", choices=["ours", "lightgcn", "als"])
    parser.add_argument("--look", action="store_true", help="measure on the test file; counted")
    options = parser.parse_args()
    data = data_folder("gowalla", NEEDED, options.data)
    if data is None:
        sys.exit("the Gowalla data is not there: name its folder with --data or DUMBBELL_DATA")
    train = read_pairs(data / "train.txt")
    shape = int(train[0].max()) + 1, int(train[1].max()) + 1
    line: dict[str, Any] = {"benchmark": "fit_time"}
    if options.look:
        test = read_pairs(data / "test.txt")
        shape = max(shape[0], int(test[0].max()) + 1), max(shape[1], int(test[1].max()) + 1)
        uses, held, line["looks"] = edges_of(train, shape), edges_of(test, shape), looked("gowalla")
    else:
        whole = edges_of(train, shape)
        out = random_cut(whole, 0) & (np.random.default_rng(0).random(len(whole)) < 0.5)
        uses, held = whole.keep(~out), whole.keep(out)
    line["measured_on"] = "the test file" if options.look else "a tenth of the training pairs"
    with fixed_threads() as threads:
        line["threads"] = threads
        if options.only in (None, "ours"):
            line["ours"] = ours(uses, held, options.dimensions, options.epochs)
        if options.only in (None, "lightgcn"):
            line["lightgcn"] = lightgcn(uses)
        if options.only in (None, "als"):
            line["als"] = als(uses, threads)
    if options.only is None:
        for name in ("seconds", "cpu_seconds"):
            fit = sum(part[name] for part in line["ours"].values())
            line[f"lightgcn_over_ours_{name}"] = round(line["lightgcn"]["extrapolated"][name] / fit, 1)
            line[f"ours_over_als_{name}"] = round(fit / line["als"][name], 2)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
