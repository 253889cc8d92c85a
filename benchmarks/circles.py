"""Circles against DuckDB: size, new, lost, kept, Jaccard and reciprocal contacts of every customer, two periods.

    python -m benchmarks.circles [--users 500000 --contacts 10 --threads 2 --runs 3]

Random circles of which seven in ten contacts stay. Both sides begin with dense integers in memory, sorted by customer,
and end with the same columns, which are compared; of three ways to write the query the quickest counts. Prints one
line of JSON: the best of some runs of each, in seconds of the clock and of the processor, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import duckdb
import numba
import numpy as np
import pyarrow as pa

from graph.calls.circle_kernels import measure
from graph.calls.ties import Ties

KEPT = 0.7
ANSWER = """
    size, coalesce(size, 0) - coalesce(kept, 0) AS new, coalesce(earlier, 0) - coalesce(kept, 0) AS lost,
    coalesce(kept, 0) AS kept, kept / (size + earlier - kept) AS jaccard, reciprocal
"""
QUERIES = {
    "full join": """
        WITH pairs AS (
            SELECT user, count(now.contact) AS size, count(old.contact) AS earlier,
                count(CASE WHEN now.contact IS NOT NULL AND old.contact IS NOT NULL THEN 1 END) AS kept,
                count(CASE WHEN now.o > 0 AND now.i > 0 THEN 1 END) AS reciprocal
            FROM now FULL JOIN old USING (user, contact) GROUP BY user
        ) SELECT user, {answer} FROM pairs ORDER BY user""",
    "grouped twice": """
        WITH pairs AS (
            SELECT user, contact, max(n) AS n, max(1 - n) AS b, max(r) AS r FROM (
                SELECT user, contact, 1 n, (o > 0 AND i > 0)::INT AS r FROM now
                UNION ALL SELECT user, contact, 0, 0 FROM old
            ) GROUP BY user, contact
        ), sums AS (
            SELECT user, sum(n) AS size, sum(b) AS earlier, sum(n * b) AS kept, sum(r) AS reciprocal
            FROM pairs GROUP BY user
        ) SELECT user, {answer} FROM sums ORDER BY user""",
    "joined sums": """
        WITH size AS (
            SELECT user, count(*) AS size, count(CASE WHEN o > 0 AND i > 0 THEN 1 END) AS reciprocal
            FROM now GROUP BY user
        ), earlier AS (SELECT user, count(*) AS earlier FROM old GROUP BY user
        ), kept AS (SELECT user, count(*) AS kept FROM now JOIN old USING (user, contact) GROUP BY user
        ) SELECT user, {answer} FROM size FULL JOIN earlier USING (user) LEFT JOIN kept USING (user) ORDER BY user""",
}


def network(users: int, contacts: int, seed: int = 1) -> tuple[Ties, Ties]:
    """Two periods of circles, sizes geometric around `contacts`."""
    rng = np.random.default_rng(seed)
    size = rng.geometric(1 / contacts, users)
    user = np.repeat(np.arange(users), size)
    one = np.unique(user * 2**32 + rng.integers(0, 2 * users, len(user)))
    stays = one[rng.random(len(one)) < KEPT]
    met = rng.integers(0, users, len(one) - len(stays)) * 2**32 + rng.integers(0, 2 * users, len(one) - len(stays))
    return _ties(np.unique(np.concatenate([stays, met])), users, rng), _ties(one, users, rng)


def _ties(keys: np.ndarray, users: int, rng: np.random.Generator) -> Ties:
    starts = np.searchsorted(keys >> 32, np.arange(users + 1))
    out, in_ = (rng.poisson(1.0, len(keys)).astype(np.int32) for _ in range(2))
    return Ties(starts, (keys & (2**32 - 1)).astype(np.int32), out, in_)


def rows(ties: Ties) -> pa.Table:
    user = np.repeat(np.arange(len(ties.starts) - 1, dtype=np.int32), ties.sizes)
    return pa.table({"user": user, "contact": ties.contact, "o": ties.out, "i": ties.in_})


def kernel(now: Ties, old: Ties) -> pa.Table:
    """The same columns from the product's kernel (which measures entropy and lost strength beside)."""
    reciprocal, kept, *_ = measure(
        now.starts, now.contact, now.out, now.in_, old.starts, old.contact, old.out + old.in_
    )
    size, before = now.sizes, old.sizes
    there = (size + before > 0).nonzero()[0]
    size, before, kept, reciprocal = (values[there] for values in (size, before, kept, reciprocal))
    columns = {"new": size - kept, "lost": before - kept, "kept": kept, "jaccard": kept / (size + before - kept)}
    return pa.table({"user": there, "size": size, **columns, "reciprocal": reciprocal})


def best(work: Callable[[], pa.Table], runs: int) -> tuple[dict[str, float], pa.Table]:
    found = []
    for _ in range(runs):
        started, worked = time.perf_counter(), time.process_time()
        table = work()
        found.append((time.perf_counter() - started, time.process_time() - worked))
    seconds, worked = (min(times) for times in zip(*found, strict=True))
    return {"seconds": round(seconds, 3), "cpu_seconds": round(worked, 3)}, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("users", 500_000), ("contacts", 10), ("threads", 2), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = vars(parser.parse_args())
    numba.set_num_threads(options["threads"])
    kernel(*network(100, 3))  # compiled before the clock runs
    now, old = network(options["users"], options["contacts"])
    ours, table = best(lambda: kernel(now, old), options["runs"])
    connection = duckdb.connect(config={"threads": options["threads"]})
    for name, ties in (("now", now), ("old", old)):
        made = rows(ties)
        connection.register("made", made)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM made")
    theirs = {}
    for name, query in QUERIES.items():
        text = query.format(answer=ANSWER)
        theirs[name], other = best(lambda text=text: connection.execute(text).to_arrow_table(), options["runs"])  # type: ignore[misc]
        for column in ("size", "new", "lost", "kept", "reciprocal", "jaccard"):
            wanted = other[column].fill_null(0).to_numpy().astype(float)
            assert np.allclose(table[column].to_numpy(), wanted), (name, column)
    ratios = {f"{w}_ratio": round(min(t[w] for t in theirs.values()) / ours[w], 1) for w in ("seconds", "cpu_seconds")}
    print(
        json.dumps(
            {
                "benchmark": "circles",
                **options,
                "ties": table["size"].to_numpy().sum().item(),
                "ours": ours,
                "duckdb": theirs,
                **ratios,
            }
        )
    )


if __name__ == "__main__":
    main()
