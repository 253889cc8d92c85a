"""LastFM with social links (1,892 users): Recall@10 and NDCG@10, with and without the links, links as calls.

    python -m benchmarks.lastfm [--data DIR] [--seeds 5] [--whole]

Each user's pairs are cut at random 8:1:1: four fifths are the product's use, and it chooses on cuts of these alone; a
tenth is left unused (where others validate); a tenth is the test. All artists are ranked but those of the use and of
the unused tenth, as RecBole ranks them (`warm`); `with_unused` ranks the unused tenth too. Mean and deviation over the
seeds. `cold_…` are the product's own figures for newcomers: of a tenth of the users all use is taken away, and all of
it to be found (at 20; `calls` by their links). `--whole` sends the first seed through `run` and `match` instead, and
computes the figures from the matches written. Each run is one look at the test, counted (`benchmarks/looks.json`).
Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.looks import looked
from benchmarks.matches import DAY, data_folder, popularity, run_and_match, write_use
from embeddings.arithmetic import fixed_threads
from embeddings.catalogue import Catalogue
from embeddings.evaluate import Score, measure
from embeddings.gnn_training import GNNScorer
from embeddings.graph import Edges, Graph, no_edges
from embeddings.popularity import Segments
from embeddings.popularity import popularity as shares_of
from embeddings.split import split
from embeddings.train import measure_all, served_vectors
from embeddings.trial import Trial
from lake.tables import Lake

NEEDED = ("lastfm.inter", "lastfm.net")
K = 10
Pairs = tuple[np.ndarray, np.ndarray]


def read_pairs(path: Path) -> Pairs:
    """Both columns of a tab-separated file with a header."""
    both = np.loadtxt(path, dtype=np.int64, delimiter="\t", skiprows=1)
    return both[:, 0], both[:, 1]


def read_links(path: Path, everybody: np.ndarray) -> Pairs:
    """Links between `everybody`'s users, each in both directions, once."""
    one, other = read_pairs(path)
    both = np.isin(one, everybody) & np.isin(other, everybody) & (one != other)
    links = np.unique(np.sort(np.stack([one[both], other[both]], axis=1), axis=1), axis=0)
    start, end = np.concatenate([links, links[:, ::-1]]).T
    return start, end


def cut(pairs: Pairs, seed: int) -> tuple[Pairs, Pairs, Pairs]:
    """Use, unused and test: of each user's pairs in random order the first 80 %, the next 10 % and the last 10 %.

    >>> [len(part[0]) for part in cut((np.zeros(10, int), np.arange(10)), seed=0)]
    [8, 1, 1]
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(pairs[0])), pairs[0]))
    users, items = pairs[0][order], pairs[1][order]
    starts = np.searchsorted(users, users)
    count = np.searchsorted(users, users, side="right") - starts
    share = (np.arange(len(users)) - starts) / count
    parts = (share < 0.8, (share >= 0.8) & (share < 0.9), share >= 0.9)
    return tuple((users[part], items[part]) for part in parts)  # type: ignore[return-value]


@dataclass(frozen=True)
class Data:
    """Pairs and links as positions, of `n` users and `m` artists."""

    pairs: Pairs
    links: Pairs
    n: int
    m: int

    def edges(self, pairs: Pairs, other: int) -> Edges:
        """Pairs as edges of strength 1, all on one day."""
        order = np.lexsort((pairs[1], pairs[0]))
        users, items = (part[order].astype(np.int32) for part in pairs)
        day = np.zeros(len(users), np.int32)
        return Edges(users, items, np.ones(len(users), np.float32), day, day, (self.n, other))

    def graph(self, use: Pairs, *, links: bool) -> Graph:
        """What the product learns from."""
        users = pa.array([i.to_bytes(16, "big") for i in range(self.n)], pa.binary())
        none = pa.array([], pa.string())
        nodes = Catalogue(users, pa.array([f"{i:05d}" for i in range(self.m)]), none, none)
        calls = self.edges(self.links, self.n) if links else None
        return Graph(nodes, self.edges(use, self.m), no_edges(self.n, 0), calls=calls)


def read_data(data: Path) -> Data:
    """The folder's two files."""
    users, items = read_pairs(data / "lastfm.inter")
    (names, at), (artists, item_at) = (np.unique(part, return_inverse=True) for part in (users, items))
    links = read_links(data / "lastfm.net", names)
    start, end = (np.searchsorted(names, part) for part in links)
    return Data((at, item_at), (start, end), len(names), len(artists))


def fitted(graph: Graph, seed: int) -> tuple[Score, dict[str, Any]]:
    """The scores that the product serves from this graph, chosen and fitted as `embed` does, and its metrics."""
    everybody = Segments(pa.array(["all"]), np.zeros(graph.uses.shape[0], np.int32))
    with tempfile.TemporaryDirectory() as folder, fixed_threads():
        trial = Trial(split(Lake(Path(folder)), graph, seed), everybody, seed)
        scorer, choice, _, metrics, _ = measure_all(GNNScorer(seed=seed), trial)
        vectors = served_vectors(graph, choice, scorer.fit_all(graph), seed)
    shares = shares_of(graph.uses)

    def score(rows: np.ndarray) -> np.ndarray:
        found = vectors.scores(rows)
        found[~vectors.users[rows].any(axis=1)] = shares
        return found

    return score, metrics


def of_seed(data: Data, seed: int) -> dict[str, dict[str, float]]:
    """Figures of one cut, by name."""
    use, unused, test = cut(data.pairs, seed)
    held = data.edges(test, data.m)
    known = data.edges(use, data.m)
    seen = data.edges((np.append(use[0], unused[0]), np.append(use[1], unused[1])), data.m)
    users = np.unique(held.users)
    found: dict[str, dict[str, float]] = {}

    def add(name: str, score: Score, seen: Edges, held: Edges, users: np.ndarray) -> None:
        found[name] = measure(score, seen.matrix(), held.matrix(), users, K).summary()

    cold: dict[str, dict[str, float]] = {}
    told: dict[str, Any] = {}
    shares = shares_of(known)
    add("warm_popularity", lambda rows: np.tile(shares, (len(rows), 1)), seen, held, users)
    for name, links in (("warm", True), ("warm_without_links", False)):
        score, metrics = fitted(data.graph(use, links=links), seed)
        add(name, score, seen, held, users)
        if links:
            add("warm_with_unused", score, known, held, users)
            cold = {f"cold_{scorer}": figures for scorer, figures in metrics["cold"].items()}
            told = {name: metrics[name] for name in ("served", "choice", "calls")}
    found |= cold
    print(json.dumps({"seed": seed, **found, **told}), file=sys.stderr, flush=True)
    return found


def write_feeds(data: Path, out: Path, seed: int) -> tuple[Pairs, Pairs, Pairs]:
    """Write `users`, `app_usage` and `calls`; returns the pairs of use, unused and test."""
    pairs = read_pairs(data / "lastfm.inter")
    use, unused, test = cut(pairs, seed)
    everybody = np.unique(pairs[0])
    write_use(out, *use, everybody)
    callers, callees = read_links(data / "lastfm.net", everybody)
    at = [f"{DAY.isoformat()}T12:00:00Z"] * len(callers)
    calls = {"caller": callers.astype(str).tolist(), "callee": callees.astype(str).tolist(), "at": at}
    pq.write_table(pa.table({**calls, "seconds": np.full(len(callers), 60)}), out / "calls.parquet")
    return use, unused, test


def whole(data: Path) -> dict[str, Any]:
    """The first seed through the command line."""
    with tempfile.TemporaryDirectory() as folder:
        feeds, home = Path(folder) / "feeds", Path(folder) / "home"
        use, unused, test = write_feeds(data, feeds, 0)
        found, seconds, metrics = run_and_match(feeds, home, test, K, unused)
    both = (np.append(use[0], unused[0]), np.append(use[1], unused[1]))
    line = {"matches": found, "popularity": popularity(both, test, K), "seconds": seconds}
    return {**line, "served": metrics["served"], "held_out": metrics["table"], "calls": metrics["calls"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds lastfm_social/ (default: DUMBBELL_DATA)")
    parser.add_argument("--seeds", type=int, default=5, help="random cuts, from 0 on")
    parser.add_argument("--whole", action="store_true", help="the first cut through `run` and `match`")
    options = parser.parse_args()
    folder = data_folder("lastfm_social", NEEDED, options.data)
    if folder is None:
        sys.exit("the LastFM data is not there: name its folder with --data or DUMBBELL_DATA")
    line: dict[str, Any] = {"benchmark": "lastfm", "looks": looked("lastfm")}
    if options.whole:
        line |= {"seed": 0, **whole(folder)}
    else:
        data = read_data(folder)
        each = [of_seed(data, seed) for seed in range(options.seeds)]
        line["seeds"] = options.seeds
        for name in each[0]:
            line[name] = {
                figure: {
                    "mean": round(float(np.mean([found[name][figure] for found in each])), 4),
                    "sd": round(float(np.std([found[name][figure] for found in each])), 4),
                }
                for figure in each[0][name]
            }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
