"""Do strong ties of the calls recover friendships? Copenhagen's calls and messages against its Facebook friends.

    python -m benchmarks.friendships [--data DIR]

DIR as in `benchmarks.copenhagen`. Pairs of students who called or wrote to each other in the four weeks are ranked by:

    calls        calls alone
    contacts     calls and messages
    days         days with a call or message, added up over the weeks' contacts
    reciprocity  the smaller of both ways over the larger, by calls and messages
    overlap      shared contacts: n_ij / (k_i - 1 + k_j - 1 - n_ij), J.-P. Onnela et al., PNAS 104 (2007) 7332
    strength     the mean of the ranks by contacts, days, reciprocity and overlap, each counting as much

Prints one line of JSON: average precision of each for "are friends" (pairs with equal scores share their precision),
chance (the share of friends), and how much more strength has than calls alone, with an interval of 95 % (pairs drawn
again 1,000 times). `silent` is the same for pairs with no contact but a shared one, by overlap: friendships that no
call shows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import coo_array, triu
from scipy.stats import rankdata

from benchmarks.copenhagen import NEEDED, data_folder, write_feeds
from graph.calls import contacts
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load


def average_precision(score: np.ndarray, friend: np.ndarray) -> float:
    """Mean of precision over recall: sum of (R_i - R_i-1) P_i over falling scores; equal scores are one step.

    >>> average_precision(np.array([3, 2, 1]), np.array([True, False, True]))  # (1 + 2/3) / 2
    0.8333
    """
    _, group = np.unique(-score, return_inverse=True)
    hits = np.cumsum(np.bincount(group, friend))
    precision = hits / np.cumsum(np.bincount(group))
    return round(float((np.diff(hits, prepend=0) * precision).sum() / friend.sum()), 4)


def pairs(lake: Lake) -> pl.DataFrame:
    """Each pair once, by the smaller pseudonym, with what passed over all weeks."""
    names = ["user", "contact", "days", "calls_out", "calls_in", "messages_out", "messages_in"]
    rows = pl.concat(pl.DataFrame(lake.read("contacts", names, partition=one)) for one in lake.partitions("contacts"))
    return rows.filter(pl.col("user") < pl.col("contact")).group_by("user", "contact").sum().sort("user", "contact")


def friends(data: Path, home: Home) -> pl.DataFrame:
    """Friendships as pairs of pseudonyms, each once."""
    ids = pl.read_csv(data / "copenhagen" / "fb_friends.csv", infer_schema=False)
    both = [home.pseudonyms().of_numbers(ids.to_series(side).to_arrow()) for side in (0, 1)]
    found = pl.DataFrame({"a": both[0], "b": both[1]})
    return found.select(user=pl.min_horizontal("a", "b"), contact=pl.max_horizontal("a", "b"), friend=True).unique()


def overlaps(n: int, a: np.ndarray, b: np.ndarray) -> coo_array:
    """(n, n) above the diagonal: overlap of every pair that shares a contact."""
    tie = coo_array((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()
    degree: np.ndarray = np.bincount(np.r_[a, b], minlength=n)
    shared = triu(tie @ tie, k=1).tocoo()
    known = tie[shared.row, shared.col]  # the pair itself is among the contacts of both only if they talk
    either = degree[shared.row] + degree[shared.col] - 2 * known - shared.data
    return coo_array((shared.data / np.maximum(either, 1), (shared.row, shared.col)), shape=(n, n))


def measure(data: Path, home: Home, lake: Lake) -> dict[str, object]:
    rows = pairs(lake)
    truth = friends(data, home)
    users = pl.concat([rows["user"], rows["contact"]]).unique().sort()
    place = pl.DataFrame({"user": users, "place": np.arange(len(users))})
    rows = rows.join(truth, on=["user", "contact"], how="left", maintain_order="left")
    a, b = (
        rows.select(user=side).join(place, on="user", maintain_order="left")["place"].to_numpy()
        for side in ("user", "contact")
    )
    shared = overlaps(len(users), a, b)
    overlap = shared.tocsr()
    friend = rows["friend"].fill_null(False).to_numpy()
    out, in_ = (rows[f"calls_{way}"].to_numpy() + rows[f"messages_{way}"].to_numpy() for way in ("out", "in"))
    scores = {
        "calls": (rows["calls_out"] + rows["calls_in"]).to_numpy(),
        "contacts": out + in_,
        "days": rows["days"].to_numpy(),
        "reciprocity": np.minimum(out, in_) / np.maximum(out, in_),
        "overlap": overlap[a, b],
    }
    parts = [scores[name] for name in ("contacts", "days", "reciprocity", "overlap")]
    scores["strength"] = np.mean([rankdata(one) for one in parts], axis=0)
    rng = np.random.default_rng(1)
    gains = []
    for _ in range(1000):
        drawn = rng.integers(0, len(rows), len(rows))
        gains.append(
            average_precision(scores["strength"][drawn], friend[drawn])
            - average_precision(scores["calls"][drawn], friend[drawn])
        )
    return {
        "pairs": len(rows),
        "friends": int(friend.sum()),
        "chance": round(float(friend.mean()), 4),
        "average_precision": {name: average_precision(score, friend) for name, score in scores.items()},
        "more_than_calls": [round(float(one), 4) for one in np.quantile(gains, [0.025, 0.975])],
        "silent": _silent(shared, rows, truth, place),
    }


def _silent(shared: coo_array, rows: pl.DataFrame, truth: pl.DataFrame, place: pl.DataFrame) -> dict[str, object]:
    users = place["user"]
    near = pl.DataFrame({"user": users.gather(shared.row), "contact": users.gather(shared.col), "overlap": shared.data})
    near = near.join(rows, on=["user", "contact"], how="anti").join(truth, on=["user", "contact"], how="left")
    friend = near["friend"].fill_null(False).to_numpy()
    return {
        "pairs": len(near),
        "friends": int(friend.sum()),
        "chance": round(float(friend.mean()), 4),
        "average_precision": average_precision(near["overlap"].to_numpy(), friend),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with copenhagen, tacdb and phones_2025")
    data = data_folder(parser.parse_args().data)
    if data is None:
        print(f"the data is not there: name a folder that holds {', '.join(NEEDED)} with --data", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        write_feeds(data, Path(folder) / "feeds")
        settings = load_settings(home=Path(folder) / "home", period="week")
        home = Home.open(settings, create=True)
        load(Path(folder) / "feeds", home, settings)
        lake = Lake(home.lake)
        contacts.build(lake, settings)
        print(json.dumps({"benchmark": "friendships", **measure(data, home, lake)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
