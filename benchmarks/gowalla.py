"""Gowalla (29,858 users, 40,981 places, LightGCN's split) through `run` and `match`: Recall@20 and NDCG@20.

    python -m benchmarks.gowalla [--data DIR]

Places become apps; the training pairs become `users` and `app_usage`, all on one day. The figures are computed from
the matches that the product wrote, over the test file, which nothing else reads; each look is counted
(`benchmarks/looks.json`). Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from benchmarks.looks import looked
from benchmarks.matches import data_folder, popularity, run_and_match, write_use
from embeddings.catalogue import Catalogue
from embeddings.graph import Edges, Graph, no_edges

NEEDED = ("train.txt", "test.txt")
K = 20


def read_pairs(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Users (e,) and items (e,) of a file of lines `user item item …`; a line may name no item."""
    lines = [np.array(line.split(), np.int64) for line in path.read_text().splitlines() if line.strip()]
    users = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
    return users, np.concatenate([line[1:] for line in lines])


def edges_of(pairs: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> Edges:
    """The pairs as edges, all alike and on one day."""
    matrix = sp.csr_array((np.ones(len(pairs[0]), np.float32), pairs), shape=shape).tocoo()
    users, items = (part.astype(np.int32) for part in matrix.coords)
    day = np.zeros(len(users), np.int32)
    return Edges(users, items, np.ones(len(users), np.float32), day, day, shape)


def graph_of(uses: Edges) -> Graph:
    """Users and apps by number, and nothing else."""
    n, m = uses.shape
    nothing = pa.array([], pa.string())
    users = pa.array([i.to_bytes(16, "big") for i in range(n)], pa.binary())
    return Graph(Catalogue(users, pa.array([str(i) for i in range(m)]), nothing, nothing), uses, no_edges(n, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds gowalla/ (default: DUMBBELL_DATA)")
    data = data_folder("gowalla", NEEDED, parser.parse_args().data)
    if data is None:
        sys.exit("the Gowalla data is not there: name its folder with --data or DUMBBELL_DATA")
    train, test = (read_pairs(data / name) for name in NEEDED)
    looks = looked("gowalla")
    with tempfile.TemporaryDirectory() as folder:
        feeds, home = Path(folder) / "feeds", Path(folder) / "home"
        write_use(feeds, *train, np.unique(np.concatenate([train[0], test[0]])))
        found, seconds, metrics = run_and_match(feeds, home, test, K)
    line = {"benchmark": "gowalla", "matches": found, "popularity": popularity(train, test, K), "seconds": seconds}
    print(json.dumps({**line, "looks": looks, "served": metrics["served"], "held_out": metrics["table"]}))


if __name__ == "__main__":
    main()
