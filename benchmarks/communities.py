"""Do communities last, and are they those that were planted? On the sample operator.

    python -m benchmarks.communities [--users 20000 --months 6 --seed 1]

Prints one line of JSON. For each level (0 fine, 1 coarse), means over periods: `kept`, the share of customers with a
community in a period and the one before who keep its name; `communities`; `modularity` in the weighted graph of that
period's calls and messages alone; `nmi` and `ari` against the planted communities (of customers who are in one of
each; second memberships and bridges count as the first). `single` is the same for a period parted alone, from nothing.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from benchmarks.sample_lake import Sample, print_quality
from graph.calls import communities, lifetimes, network
from graph.calls.leiden import modularity
from graph.calls.lifetimes import Customers
from graph.calls.naming import canonical, carry_names
from lake.clock import today
from lake.home import Home
from lake.tables import Lake


def agreement(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Normalised mutual information (by the mean entropy) and adjusted Rand index of two partitions."""
    both = (one >= 0) & (other >= 0)
    a, b, n = canonical(one[both]), canonical(other[both]), np.count_nonzero(both)
    table = csr_array((np.ones(n), (a, b))).tocoo()
    table.sum_duplicates()
    cell, left, right = table.data, np.bincount(a), np.bincount(b)
    shared = float((cell / n * np.log(cell * n / (left[table.row] * right[table.col]))).sum())
    entropy = [-float((size / n * np.log(size / n)).sum()) for size in (left, right)]
    pairs = [float((size * (size - 1) / 2).sum()) for size in (cell, left, right)]
    chance = pairs[1] * pairs[2] / (n * (n - 1) / 2)
    return 2 * shared / sum(entropy), (pairs[0] - chance) / ((pairs[1] + pairs[2]) / 2 - chance)


def planted(feeds: Path, home: Home, customers: Customers) -> np.ndarray:
    """(n,) planted communities, -1 for numbers that two customers had and for other operators' customers."""
    truth = pl.read_parquet(feeds / "truth" / "customers.parquet", columns=["number", "community"])
    truth = truth.unique("number", keep="none")
    recycled = pl.read_csv(feeds / "truth" / "recycled.csv", infer_schema=False)["number"]
    truth = truth.filter(~pl.col("number").is_in(recycled.implode()))
    place = customers.positions.of(home.pseudonyms().of_numbers(truth["number"].to_arrow()))
    found = np.full(len(customers.users), -1, np.int64)
    found[place[place >= 0]] = canonical(truth["community"].cast(pl.String).rank("dense").to_numpy())[place >= 0]
    return found


def measure(names: list[np.ndarray], truth: np.ndarray, graphs: list[csr_array]) -> dict[str, float]:
    kept, quality, known = [], [], []
    for now, graph in zip(names, graphs, strict=True):
        alone = np.where(now < 0, len(now) + np.arange(len(now)), now)
        weight = np.log1p(graph.data)
        quality.append(modularity(graph.indptr, graph.indices, weight, canonical(alone)))
        known.append(agreement(now, truth))
    for before, now in pairwise(names):
        both = (before >= 0) & (now >= 0)
        kept.append(float((before == now)[both].mean()))
    found = {
        "kept": np.mean(kept),
        "communities": np.mean([len(np.unique(now[now >= 0])) for now in names]),
        "modularity": np.mean(quality),
        "nmi": np.mean([nmi for nmi, _ in known]),
        "ari": np.mean([ari for _, ari in known]),
    }
    return {name: round(float(value), 3) for name, value in found.items()}


def of_table(lake: Lake, customers: Customers, level: int) -> list[np.ndarray]:
    rows = pl.DataFrame(lake.read("communities")).filter(pl.col("level") == level)
    names = []
    for period in customers.periods:
        part = rows.filter(pl.col("period") == period)
        found = np.full(len(customers.users), -1, np.int64)
        numbers = part["community"].str.slice(1).cast(pl.Int64).to_numpy()
        found[customers.positions.known(part["user"].to_arrow().cast("binary"))] = numbers
        names.append(found)
    return names


def single(graphs: list[csr_array]) -> list[list[np.ndarray]]:
    """Each level's names where every period is parted alone."""
    found: list[list[np.ndarray]] = [[], []]
    unused = [1, 1]
    for graph in graphs:
        nothing = np.full(graph.shape[0], -1, np.int64)
        for level, labels in enumerate(communities.partition(graph, [nothing, nothing])):
            before = found[level][-1] if found[level] else nothing
            names, unused[level] = carry_names(labels, before, unused[level])
            found[level].append(names)
    return found


def quality(sample: Sample) -> dict[str, object]:
    feeds, home, settings, lake = sample
    customers = lifetimes.read(lake, settings.period, today(settings, lake))
    truth = planted(feeds, home, customers)
    graphs = [network.Talk(lake, customers, periods=1).of(place) for place in range(len(customers.periods))]
    alone = single(graphs)
    return {
        **{f"level_{level}": measure(of_table(lake, customers, level), truth, graphs) for level in (0, 1)},
        **{f"single_{level}": measure(alone[level], truth, graphs) for level in (0, 1)},
    }


if __name__ == "__main__":
    print_quality("communities", __doc__, quality)
