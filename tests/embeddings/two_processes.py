"""One process of several, for `torchrun`: trains on a small graph, and the first one saves the vectors.

torchrun --nproc-per-node 2 tests/embeddings/two_processes.py OUT.npz
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from embeddings.distributed import joined
from embeddings.gnn_training import GNNScorer, follow

if __name__ == "__main__":
    from test_gnn import small_graph  # beside this file: only a script has its folder on the path

    torch.set_num_threads(1)
    with joined() as here:
        if here.rank:
            follow(here)
        else:
            trained = GNNScorer(dimensions=8).fit_all(small_graph())
            np.savez(sys.argv[1], users=trained.apps.users, apps=trained.apps.apps, cold=trained.cold_users)
