"""Seeds on NetHEPT (weighted cascade, k = 50): spread beside greedy over many sets, sets a second beside PyNetIM.

    DUMBBELL_DATA=DIR python -m benchmarks.seeds [--peer PYTHON]

DIR holds `influence/nethept.txt`; PYTHON is an interpreter that has `pynetim` (it is no dependency of the product).
Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from graph.calls.influence import cascades, cover, imm, reverse_sets
from graph.calls.influence.network import Network, weighted_cascade

K, SETS = 50, 400_000
PEER = """
import json, sys, time
import numpy as np
from pynetim import IMGraph
from pynetim.algorithms.ris.base_ris_algorithm import BaseRISAlgorithm
source, target, chance = np.load(sys.argv[1])
edges = list(zip(source.astype(int).tolist(), target.astype(int).tolist()))
graph = IMGraph(edges, chance.tolist(), directed=True, renumber=False)
def seconds(sets):
    started = time.perf_counter()
    BaseRISAlgorithm(graph, "IC", random_seed=1).run(1, sets)
    return time.perf_counter() - started
few, many = 20_000, 420_000
print(json.dumps((many - few) / (seconds(many) - seconds(few))))
"""


def nethept() -> tuple[Network, np.ndarray, np.ndarray]:
    """The network as listed, directed, duplicates dropped; its ties' ends."""
    path = Path(os.environ.get("DUMBBELL_DATA", "data")) / "influence" / "nethept.txt"
    ends = np.unique(np.loadtxt(path, dtype=np.int64, skiprows=1)[:, :2], axis=0)
    ids, place = np.unique(ends[ends[:, 0] != ends[:, 1]], return_inverse=True)
    source, target = place.reshape(-1, 2).T
    return weighted_cascade(len(ids), source, target), source, target


def sets_a_second(graph: Network) -> float:
    roots = np.arange(graph.size, dtype=np.int32)
    reverse_sets.sample(graph, "cascade", 0, 10_000, 1, roots)  # compiled
    started = time.perf_counter()
    reverse_sets.sample(graph, "cascade", 0, SETS, 1, roots)
    return SETS / (time.perf_counter() - started)


def peer(python: str, graph: Network) -> float:
    target = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    file = Path("nethept-ties.npy")
    np.save(file, np.stack([graph.source.astype(float), target.astype(float), graph.chance]))
    try:
        answer = subprocess.run([python, "-c", PEER, str(file)], capture_output=True, text=True, check=True)
    finally:
        file.unlink()
    return float(json.loads(answer.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="an interpreter that has pynetim")
    options = parser.parse_args()
    graph, source, _ = nethept()
    roots = np.arange(graph.size, dtype=np.int32)
    rate = sets_a_second(graph)
    started = time.perf_counter()
    chosen = imm.choose(graph, K, epsilon=0.1)
    seconds = time.perf_counter() - started
    many = reverse_sets.sample(graph, "cascade", 0, SETS, 99, roots)
    greedy = cover.by_number(many, np.ones(graph.size, bool), K).seeds
    degree = np.argsort(-np.bincount(source, minlength=graph.size), kind="stable")[:K]
    reached = {
        name: round(cascades.spread(graph, seeds, runs=20_000, seed=5).mean, 1)
        for name, seeds in (("imm", chosen.seeds), ("greedy", greedy), ("out_degree", degree))
    }
    found: dict[str, Any] = {
        "benchmark": "seeds",
        "people": graph.size,
        "ties": len(graph.source),
        "seconds": round(seconds, 2),
        "sets": chosen.sets,
        "spread": reached,
        "of_greedy": round(reached["imm"] / reached["greedy"], 4),
        "sets_a_second": round(rate),
    }
    if options.peer:
        found["peer_sets_a_second"] = round(peer(options.peer, graph))
        found["times_peer"] = round(rate / found["peer_sets_a_second"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
