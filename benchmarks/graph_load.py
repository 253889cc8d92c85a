"""Filling the graph: the offline import and the load by difference, against `UNWIND … MERGE`. Prints one line of JSON.

python -m benchmarks.graph_load [--users 200000] [--ties 1500000] [--uses 2000000] [--later 200000] [--folder DIR]

One home of random customers: two periods of `ties` and `uses` of apps are imported; a third of `later` ties is then
loaded by difference, taken away, and written again in batches of 10,000 rows by `UNWIND … MERGE`, the baseline.
`apps`: the totals of all `uses` compared, and written where a month with `later` of them changed them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.watched import watched
from graph.calls.contacts import SCHEMA as CONTACTS
from graph.edges import calls_part
from graph.fill import filled
from graph.load import load_graph
from graph.store import Store
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake

APPS = 2_000
PERIODS = ("2026-04", "2026-05", "2026-06")
COUNTS = CONTACTS.names[2:9]
MERGE = (
    "UNWIND $rows AS row MATCH (a:User {user: row.user}) MATCH (b:User {user: row.contact}) "
    "MERGE (a)-[r:CALLS {period: row.period}]->(b) SET "
    + ", ".join(f"r.{name} = row.{name}" for name in (*COUNTS, "first_at", "last_at"))
)


def write_lake(lake: Lake, users: int, ties: int, uses: int) -> None:
    """Customers and their use of apps, and two periods of ties."""
    rng = np.random.default_rng(1)
    keys = pseudonyms(rng, users)
    facts = {"off_net": np.zeros(users, bool), "arpu": rng.random(users), "person": pa.nulls(users, pa.binary())}
    lake.write("customers", pa.table({"user": keys, **facts}))
    write_uses(lake, keys, PERIODS[0], uses)
    for period in PERIODS[:2]:
        write_ties(lake, keys, period, ties)


def write_uses(lake: Lake, keys: pa.Array, period: str, uses: int) -> None:
    """A month of use of apps."""
    rng = np.random.default_rng(int(period[-2:]))
    rows = {"user": keys.take(pa.array(rng.integers(0, len(keys), uses)))}
    apps = pa.array([f"app{i}" for i in range(APPS)])
    rows |= {"app": apps.take(pa.array(rng.integers(0, APPS, uses))), "at": moments(rng, uses)}
    rows |= {"day": rows["at"].cast(pa.date32()), "hour": pa.array(np.zeros(uses, np.uint8))}
    rows |= {"sessions": rng.integers(1, 9, uses), "seconds": rng.integers(1, 999, uses), "mb": rng.random(uses)}
    lake.write_partition("app_usage", "month", period, pa.table(rows))


def write_ties(lake: Lake, keys: pa.Array, period: str, ties: int) -> None:
    """A period of random ties, each from both ends."""
    rng = np.random.default_rng(int(period[-2:]))
    pairs = np.unique(np.sort(rng.integers(0, len(keys), (ties, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    columns = {"user": keys.take(pa.array(both[:, 0])), "contact": keys.take(pa.array(both[:, 1]))}
    columns |= {name: rng.integers(0, 50, len(both)) for name in COUNTS}
    columns |= {"first_at": moments(rng, len(both)), "last_at": moments(rng, len(both))}
    lake.write_partition("contacts", "period", period, pa.table(columns).cast(CONTACTS))


def pseudonyms(rng: np.random.Generator, n: int) -> pa.Array:
    words = np.sort(rng.choice(2**62, n, replace=False) * 4).astype(">u8") if n < 10**6 else _many(rng, n)
    blocks = np.stack([words, rng.integers(0, 2**62, n).astype(">u8")], axis=1).tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(blocks)]).cast(pa.binary())


def _many(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.unique(rng.integers(0, 2**62, n + n // 100))[:n].astype(np.uint64) * 4


def moments(rng: np.random.Generator, n: int) -> pa.Array:
    return pa.array(rng.integers(1_775_000_000, 1_782_000_000, n) * 1_000_000 + 123).cast(pa.timestamp("us"))


def baseline(store: Store, lake: Lake, period: str) -> int:
    """The ties of a period by `UNWIND … MERGE`; how many."""
    return sum(store.write_rows(MERGE, table) for _, _, table in calls_part(period).asked(lake))


def rate(edges: int, started: float) -> dict[str, float]:
    seconds = time.monotonic() - started
    return {"edges": edges, "seconds": round(seconds, 1), "edges_a_second": round(edges / seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("users", 200_000), ("ties", 1_500_000), ("uses", 2_000_000), ("later", 200_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--line", help="line of Neo4j (2026, 5.26)")
    parser.add_argument("--folder", type=Path, help="where the home is made; a new one by default")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dumbbell-graph-"))
    settings = load_settings(home=folder / "home").model_copy(update={"neo4j_uri": ""})
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)
    try:
        write_lake(lake, options.users, options.ties, options.uses)
        found: dict[str, Any] = {"benchmark": "graph_load", "cores": os.cpu_count(), "users": options.users}
        started = time.monotonic()
        with (
            watched(home.root, os.getpid()) as peaks,
            filled(home, lake, settings, line=options.line) as (store, facts),
        ):
            found[facts["way"]] = rate(sum(facts["edges"].values()), started)
            keys = lake.read("customers", ["user"])["user"].combine_chunks()
            write_ties(lake, keys, PERIODS[2], options.later)
            started = time.monotonic()
            found["difference"] = rate(load_graph(lake, store, settings)["created"], started)
            write_uses(lake, keys, PERIODS[1], options.later)
            started = time.monotonic()
            change = load_graph(lake, store, settings)
            found["apps"] = {**rate(options.uses, started), "written": change["created"] + change["changed"]}
            store.write(
                "MATCH ()-[r:CALLS {period: $period}]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS",
                period=PERIODS[2],
            )
            started = time.monotonic()
            found["baseline"] = rate(baseline(store, lake, PERIODS[2]), started)
        base = found["baseline"]["edges_a_second"]
        ratios = {way: round(found[way]["edges_a_second"] / base, 1) for way in ("import", "difference")}
        print(json.dumps({**found, "times_the_baseline": ratios, "peak_mb": peaks}))
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
