"""Recall and NDCG of the product's written matches: what the Gowalla and LastFM benchmarks share.

A data set is users and items as text and two sets of pairs: `train` becomes feeds, `test` is only compared with.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.home import Home
from lake.pseudonyms import to_text
from lake.settings import Settings

DAY = dt.date(2026, 1, 1)
"""The data sets have no time: all use is on one day."""
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_folder(name: str, files: tuple[str, ...], given: Path | None = None) -> Path | None:
    """The folder `name` of the data: as given, as DUMBBELL_DATA says, or beside the checkout; None if not whole."""
    folder = (given or Path(os.environ.get("DUMBBELL_DATA") or BESIDE)) / name
    return folder if all((folder / file).exists() for file in files) else None


def write_use(out: Path, users: np.ndarray, items: np.ndarray, everybody: np.ndarray) -> None:
    """Feeds `users` (the numbers in `everybody`) and `app_usage` (pairs of number and app, integers)."""
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"number": everybody.astype(str).tolist()}), out / "users.parquet")
    use = {
        "number": users.astype(str).tolist(),
        "app": items.astype(str).tolist(),
        "at": [DAY.isoformat()] * len(users),
    }
    pq.write_table(pa.table(use), out / "app_usage.parquet")


def dumbbell(home: Path, *arguments: str) -> float:
    """Run the command line on a home, its log on stderr; returns the seconds. Raises where it fails."""
    started = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "dumbbell", *arguments, "--home", str(home)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return round(time.monotonic() - started, 1)


def read_matches(home: Path, matches: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Written matches as users (r,) of pseudonyms in text, items (r,) integers, and ranks (r,) from 1."""
    table = pq.read_table(matches, columns=["user", "item", "rank"])
    user = table["user"]
    text = user if pa.types.is_string(user.type) else to_text(user)
    items = np.array(table["item"].to_pylist(), np.int64)
    return np.array(text.to_pylist()), items, table["rank"].to_numpy().astype(np.int64)


def quality(
    matches: tuple[np.ndarray, np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], k: int
) -> dict[str, float]:
    """Recall@k and NDCG@k, means over the users of `test` (users, items), whether or not they got a match.

    Recall divides by all that was held out; NDCG by the best order of min(k, held out) hits.
    """
    names, wanted = np.unique(test[0], return_inverse=True)
    held = np.bincount(wanted)
    keep = np.isin(matches[0], names) & (matches[2] <= k)
    who, items, ranks = np.searchsorted(names, matches[0][keep]), matches[1][keep], matches[2][keep]
    width = int(max(items.max(initial=0), test[1].max())) + 1
    hit = np.isin(who * width + items, wanted * width + test[1])
    gains = 1 / np.log2(np.arange(2, k + 2))
    recall = np.bincount(who[hit], minlength=len(names)) / held
    ndcg = np.bincount(who[hit], gains[ranks[hit] - 1], len(names)) / np.cumsum(gains)[np.minimum(held, k) - 1]
    return {f"recall@{k}": round(float(recall.mean()), 4), f"ndcg@{k}": round(float(ndcg.mean()), 4)}


def popularity(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], k: int) -> dict[str, float]:
    """The same figures of the most used items that the user does not use yet."""
    order = np.argsort(-np.bincount(train[1]), kind="stable")
    longest = int(np.bincount(np.unique(train[0], return_inverse=True)[1]).max())
    head = order[: k + longest]
    users = np.unique(test[0])
    place = {item: i for i, item in enumerate(head.tolist())}
    known = np.zeros((len(users), len(head)), bool)
    at = np.searchsorted(users, train[0])
    at[at == len(users)] = 0
    column = np.array([place.get(item, -1) for item in train[1].tolist()])
    rows = (users[at] == train[0]) & (column >= 0)
    known[at[rows], column[rows]] = True
    free = ~known
    rank = np.cumsum(free, axis=1)
    row, col = np.nonzero(free & (rank <= k))
    return quality((users[row], head[col], rank[row, col]), test, k)


def pseudonyms_of(home: Path, numbers: np.ndarray) -> np.ndarray:
    """Pseudonyms as text (r,) of integer numbers under the home's key."""
    key = Home.open(Settings(home=home)).pseudonyms()
    unique, back = np.unique(numbers, return_inverse=True)
    return np.array(to_text(key.of_numbers(pa.array(unique.astype(str).tolist()))).to_pylist())[back]


def without(
    matches: tuple[np.ndarray, np.ndarray, np.ndarray], pairs: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matches that are not among `pairs` (users, items), ranked anew; each user's stand together, by rank.

    >>> three = (np.array(["u", "u", "u"]), np.array([7, 8, 9]), np.array([1, 2, 3]))
    >>> [part.tolist() for part in without(three, (np.array(["u"]), np.array([8])))]
    [['u', 'u'], [7, 9], [1, 2]]
    """
    at = np.unique(np.append(matches[0], pairs[0]), return_inverse=True)[1]
    width = int(max(matches[1].max(initial=0), pairs[1].max(initial=0))) + 1
    key, taken = np.split(at * width + np.append(matches[1], pairs[1]), [len(matches[0])])
    users, items, ranks = (part[~np.isin(key, taken)] for part in matches)
    order = np.lexsort((ranks, users))
    users, items = users[order], items[order]
    return users, items, np.arange(len(users)) - np.searchsorted(users, users) + 1


def run_and_match(
    feeds: Path,
    home: Path,
    test: tuple[np.ndarray, np.ndarray],
    k: int,
    unranked: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[dict[str, float], dict[str, float], dict]:
    """`dumbbell run` and `dumbbell match`; returns the quality of the matches, seconds, and the snapshot's metrics.

    Pairs that are `unranked`, neither used nor test, are taken out of the matches, of which as many more are asked for.
    """
    seconds = {"run": dumbbell(home, "run", str(feeds))}
    out = home.parent / "matches.parquet"
    more = int(np.unique(unranked[0], return_counts=True)[1].max()) if unranked is not None else 0
    seconds["match"] = dumbbell(home, "match", "--kind", "app", "--k", str(k + more), "--out", str(out))
    matches = read_matches(home, out)
    if unranked is not None:
        matches = without(matches, (pseudonyms_of(home, unranked[0]), unranked[1]))
    found = quality(matches, (pseudonyms_of(home, test[0]), test[1]), k)
    current = (home / "snapshots" / "current").read_text().strip()
    manifest = json.loads((home / "snapshots" / current / "manifest.json").read_text())
    return found, seconds, manifest["metrics"]
