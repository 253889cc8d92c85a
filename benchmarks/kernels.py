"""Positions and communities on a made network, beside networkit and igraph.

    python -m benchmarks.kernels [--users 1000000 --edges 7000000 --igraph PYTHON --threads 2 --seed 1
        --without-leiden]

The network: communities of about 55 (log-normal, sigma .5) in which 7 of 10 ties lie, the others anywhere; the sociable
are picked more often; log-normal strengths, each direction its own. Users are numbered by chance, as pseudonyms are.
Every program gets the same ties; making its own graph of them is not counted, for ours neither. PYTHON is an
interpreter of another environment that has igraph (GPL, so it is none of the product's dependencies); without it
igraph's columns are left out. networkit and ours have `threads` threads, our Leiden and cores always one.

Prints one line of JSON: seconds of each by the clock and of processor time, all threads together, which others at work
disturb less (the best of three runs, of Leiden the only one; none with --without-leiden; ours and networkit take turns,
igraph follows), PageRank's distance to convergence (sum over users), and the modularity of each Leiden; `two_levels`
is what `analyse` makes of a period. Label propagation is no part of the product.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkit
import numba
import numpy as np
from scipy.sparse import coo_array

from graph.calls import leiden, position

LONG = ("leiden", "leiden_on_one_thread", "two_levels")

IGRAPH = """
import sys, time, json, numpy as np, igraph
folder = sys.argv[1]
source, target, sent, back = (np.load(f"{folder}/{name}.npy") for name in ("source", "target", "sent", "back"))
n, both = int(sys.argv[2]), sent + back
plain = igraph.Graph(n=n, edges=np.stack([source, target], 1))
ends = np.concatenate([np.stack([source, target], 1)[sent > 0], np.stack([target, source], 1)[back > 0]])
calls = igraph.Graph(n=n, edges=ends, directed=True)
weight = np.concatenate([sent[sent > 0], back[back > 0]]).tolist()
both, found = both.tolist(), {}
def timed(name, run, times=3):
    took = []
    for _ in range(times):
        begun = time.perf_counter(), time.process_time()
        answer = run()
        took.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    found[name] = [round(min(one), 3) for one in zip(*took)]
    return answer
np.save(f"{folder}/igraph_pagerank.npy", timed("pagerank", lambda: calls.pagerank(weights=weight)))
timed("cores", plain.coreness)
timed("triangles", lambda: plain.transitivity_local_undirected(mode="zero"))
if sys.argv[3] == "True":
    parts = timed("leiden", lambda: plain.community_leiden("modularity", weights=both, n_iterations=3), 1)
    np.save(f"{folder}/igraph_leiden.npy", parts.membership)
print(json.dumps({"version": igraph.__version__, **found}))
"""


def network(users: int, edges: int, seed: int) -> tuple[np.ndarray, ...]:
    """Source, target, calls there and back (m,) of distinct ties, about `edges` of them."""
    rng = np.random.default_rng(seed)
    sizes = np.maximum(rng.lognormal(np.log(55) - 0.125, 0.5, users // 30), 2).astype(np.int64)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    begins = np.append(begins[begins < users], users)
    home = np.repeat(np.arange(len(begins) - 1), np.diff(begins))
    number = rng.permutation(users)
    draws = int(edges * 1.09)
    source = np.sort((users * rng.random(draws)).astype(np.int64))
    near = rng.random(draws) < 0.7
    low, size = begins[home[source]], np.diff(begins)[home[source]]
    target = np.where(near, low + (size * rng.random(draws) ** 1.35).astype(np.int64), 0)
    target[~near] = (users * rng.random(np.count_nonzero(~near))).astype(np.int64)
    a, b = np.minimum(source, target), np.maximum(source, target)
    code = np.unique((a * users + b)[a != b])
    code = rng.permutation(code)[:edges] if len(code) > edges else code
    rate = rng.lognormal(0.0, 0.95, len(code)) * 3
    return number[code // users], number[code % users], 1.0 + rng.poisson(rate), rng.poisson(rate).astype(np.float64)


Seconds = dict[str, Any]
Answers = dict[str, np.ndarray]


Runs = dict[str, Callable[[], Any]]


def timed(programs: dict[str, Runs]) -> tuple[dict[str, Seconds], dict[str, Answers]]:
    """Of each program's runs, seconds by the clock and of processor time (of all threads), each the least, and answers.

    The programs take turns at each run, so that others at work disturb all alike.
    """
    took: dict[tuple[str, str], list[tuple[float, float]]] = {}
    answers: dict[str, Answers] = {who: {} for who in programs}
    names = list(dict.fromkeys(name for runs in programs.values() for name in runs))
    for name in names:
        for _ in range(1 if name in LONG else 3):
            for who, runs in programs.items():
                if name in runs:
                    begun = time.perf_counter(), time.process_time()
                    answers[who][name] = runs[name]()
                    ended = time.perf_counter() - begun[0], time.process_time() - begun[1]
                    took.setdefault((who, name), []).append(ended)
    seconds: dict[str, Seconds] = {who: {} for who in programs}
    for (who, name), runs_took in took.items():
        seconds[who][name] = [round(min(one), 3) for one in zip(*runs_took, strict=True)]
    return seconds, answers


def ours(rows: dict[str, np.ndarray]) -> Runs:
    starts, contact, weight = rows["starts"], rows["contact"], rows["weight"]
    strength = np.bincount(np.repeat(np.arange(len(starts) - 1), np.diff(starts)), weight, len(starts) - 1)
    mass = strength / np.sqrt(strength.sum())
    return {
        "pagerank": lambda: position.pagerank(starts, contact, rows["in_"], rows["out"]),
        "cores": lambda: position.cores(starts, contact),
        "triangles": lambda: position.triangles(starts, contact),
        "leiden": lambda: leiden.leiden(starts, contact, weight, mass),
        "two_levels": lambda: leiden.two_levels(starts, contact, weight),
        "reach": lambda: position.reach(starts, contact),
    }


def of_networkit(ties: tuple[np.ndarray, ...], users: int) -> Runs:
    source, target, sent, back = ties
    plain = networkit.GraphFromCoo((sent + back, (source, target)), n=users, weighted=True, directed=False)
    ends = np.concatenate([source[sent > 0], target[back > 0]]), np.concatenate([target[sent > 0], source[back > 0]])
    weights = np.concatenate([sent[sent > 0], back[back > 0]])
    calls = networkit.GraphFromCoo((weights, ends), n=users, weighted=True, directed=True)
    plain.removeSelfLoops()
    plain.sortEdges()
    plain.indexEdges()

    def parted() -> np.ndarray:
        found = networkit.community.ParallelLeiden(plain, iterations=leiden.ROUNDS).run().getPartition()
        return np.array(found.getVector(), np.int64)

    def parted_on_one_thread() -> np.ndarray:
        threads = networkit.getMaxNumberOfThreads()
        networkit.setNumberOfThreads(1)
        try:
            return parted()
        finally:
            networkit.setNumberOfThreads(threads)

    return {
        "pagerank": lambda: networkit.centrality.PageRank(calls, damp=position.DAMPING, tol=1e-8).run().scores(),
        "cores": lambda: networkit.centrality.CoreDecomposition(plain).run().scores(),
        "triangles": lambda: networkit.centrality.LocalClusteringCoefficient(plain, turbo=True).run().scores(),
        "leiden": parted,
        "leiden_on_one_thread": parted_on_one_thread,
    }


def of_igraph(python: str, ties: tuple[np.ndarray, ...], users: int, parts: bool) -> tuple[Seconds, Answers]:
    with tempfile.TemporaryDirectory() as folder:
        for name, values in zip(("source", "target", "sent", "back"), ties, strict=True):
            np.save(Path(folder) / f"{name}.npy", values)
        command = [python, "-c", IGRAPH, folder, str(users), str(parts)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        answers = {
            name: np.load(Path(folder) / f"igraph_{name}.npy") for name in ("pagerank", *(["leiden"] if parts else []))
        }
    return json.loads(told), answers


def compressed(ties: tuple[np.ndarray, ...], users: int) -> dict[str, np.ndarray]:
    """Rows as `leaders` makes them: every tie in both, `in_` and `out`, their sum as `weight`."""
    source, target, sent, back = ties
    ends = np.concatenate([source, target]), np.concatenate([target, source])
    values = np.concatenate([sent + 1j * back, back + 1j * sent])
    both = coo_array((values, ends), shape=(users, users)).tocsr()
    both.sort_indices()
    out, in_ = both.data.real.copy(), both.data.imag.copy()
    starts, contact = both.indptr.astype(np.int64), both.indices.astype(np.int32)
    return {"starts": starts, "contact": contact, "out": out, "in_": in_, "weight": out + in_}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=7_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--without-leiden", dest="parts", action="store_false")
    parser.add_argument("--igraph", help="a Python that has igraph")
    given = parser.parse_args()
    networkit.setNumberOfThreads(given.threads)
    numba.set_num_threads(given.threads)
    for run in ours(compressed(network(2_000, 10_000, 1), 2_000)).values():
        run()  # compiled, or read from where it was kept
    ties = network(given.users, given.edges, given.seed)
    rows = compressed(ties, given.users)
    programs = {"ours": ours(rows), "networkit": of_networkit(ties, given.users)}
    if not given.parts:
        programs = {who: {name: runs[name] for name in runs if name not in LONG} for who, runs in programs.items()}
    seconds, answers = timed(programs)
    if given.igraph:
        seconds["igraph"], answers["igraph"] = of_igraph(given.igraph, ties, given.users, given.parts)
    graph = rows["starts"], rows["contact"], rows["weight"]
    true = position.pagerank(rows["starts"], rows["contact"], rows["in_"], rows["out"], tol=1e-15)
    print(
        json.dumps(
            {
                "benchmark": "kernels",
                "users": given.users,
                "edges": len(ties[0]),
                "threads": given.threads,
                "seconds": seconds,
                "pagerank_error": {
                    who: float(np.abs(np.array(found["pagerank"]) - true).sum()) for who, found in answers.items()
                },
                "modularity": {
                    who: round(leiden.modularity(*graph, np.array(found["leiden"], np.int64)), 5)
                    for who, found in answers.items()
                    if given.parts
                },
            }
        )
    )


if __name__ == "__main__":
    main()
