"""LastFM with social links (1,892 users) through `run` and `match`: Recall@10 and NDCG@10, links as calls.

    python -m benchmarks.lastfm [--data DIR] [--seed 0]

Each user's pairs are cut at random 8:1:1; four fifths become `app_usage`, a tenth is left unused (where others
validate), a tenth is the test. Links between users become one answered call each way. Full ranking, no filtering.
The figures are computed from the matches that the product wrote. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.looks import looked
from benchmarks.matches import DAY, data_folder, popularity, run_and_match, write_use

NEEDED = ("lastfm.inter", "lastfm.net")
K = 10
Pairs = tuple[np.ndarray, np.ndarray]


def read_pairs(path: Path) -> Pairs:
    """Both columns of a tab-separated file with a header."""
    both = np.loadtxt(path, dtype=np.int64, delimiter="\t", skiprows=1)
    return both[:, 0], both[:, 1]


def cut(pairs: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """Train and test: of each user's pairs in random order the first 80 % and the last 10 %.

    >>> train, test = cut((np.zeros(10, int), np.arange(10)), seed=0)
    >>> len(train[0]), len(test[0])
    (8, 1)
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(pairs[0])), pairs[0]))
    users, items = pairs[0][order], pairs[1][order]
    starts = np.searchsorted(users, users)
    count = np.searchsorted(users, users, side="right") - starts
    share = (np.arange(len(users)) - starts) / count
    train, test = share < 0.8, share >= 0.9
    return (users[train], items[train]), (users[test], items[test])


def write_feeds(data: Path, out: Path, seed: int) -> tuple[Pairs, Pairs]:
    """Write `users`, `app_usage` and `calls`; returns the training and the test pairs."""
    pairs = read_pairs(data / "lastfm.inter")
    train, test = cut(pairs, seed)
    everybody = np.unique(pairs[0])
    write_use(out, *train, everybody)
    one, other = read_pairs(data / "lastfm.net")
    both = np.isin(one, everybody) & np.isin(other, everybody) & (one != other)
    links = np.unique(np.sort(np.stack([one[both], other[both]], axis=1), axis=1), axis=0)
    callers, callees = np.concatenate([links, links[:, ::-1]]).T
    at = [f"{DAY.isoformat()}T12:00:00Z"] * len(callers)
    calls = {"caller": callers.astype(str).tolist(), "callee": callees.astype(str).tolist(), "at": at}
    pq.write_table(pa.table({**calls, "seconds": np.full(len(callers), 60)}), out / "calls.parquet")
    return train, test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds lastfm_social/ (default: DUMBBELL_DATA)")
    parser.add_argument("--seed", type=int, default=0, help="of the random cut")
    options = parser.parse_args()
    data = data_folder("lastfm_social", NEEDED, options.data)
    if data is None:
        sys.exit("the LastFM data is not there: name its folder with --data or DUMBBELL_DATA")
    with tempfile.TemporaryDirectory() as folder:
        feeds, home = Path(folder) / "feeds", Path(folder) / "home"
        train, test = write_feeds(data, feeds, options.seed)
        looks = looked("lastfm")
        found, seconds, metrics = run_and_match(feeds, home, test, K)
    line = {"benchmark": "lastfm", "seed": options.seed, "matches": found, "popularity": popularity(train, test, K)}
    print(
        json.dumps(
            {**line, "looks": looks, "seconds": seconds, "served": metrics["served"], "held_out": metrics["table"]}
        )
    )


if __name__ == "__main__":
    main()
