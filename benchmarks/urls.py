"""Visits translated by many rules: visits a second, peak memory, and the matching alone. Prints one line of JSON.

python -m benchmarks.urls [--rules 100000 --visits 4000000 --months 2 --users 200000 --hosts 110000]

A host has one rule at most: the host alone, a wildcard or a path. Hosts are visited by rank (as 1 / (rank + 20)); a
tenth of the addresses have a path of their own that no other visit has. Seconds: of the clock, of the processors.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lake.engine import bounded
from loaders.urls.addresses import tidy
from loaders.urls.coverage import coverage, unknown_hosts
from loaders.urls.match import match
from loaders.urls.month import translate_month
from loaders.urls.rules import Rules, compile_rules

ROWS = 1 << 18
DAY_0 = 20_574  # 2026-05-01


def rules_table(size: int) -> pa.Table:
    """Rules of the three kinds, one a host."""
    pattern = [(f"h{h}.example", f"*.h{h}.example", f"h{h}.example/p/q")[h % 3] for h in range(size)]
    app = [f"app{h % 24_728}" if h % 2 else None for h in range(size)]
    tag = [None if h % 2 else f"tag{h % 500}" for h in range(size)]
    return pa.table({"pattern": pattern, "app": app, "tag": tag, "content": pa.nulls(size, pa.string())})


def write_month(path: Path, month: int, visits: int, users: int, hosts: int) -> None:
    """One month of `web_visits` as the loaders leave it."""
    rng = np.random.default_rng(month)
    chance = 1 / (np.arange(hosts) + 20)
    order = np.random.default_rng(7).permutation(hosts)
    names = np.array([(f"h{h}.example", f"www.h{h}.example", f"h{h}.example/p/q/r")[h % 3] for h in order])
    pool = np.random.default_rng(8).bytes(16 * users)
    everybody = pa.Array.from_buffers(pa.binary(16), users, [None, pa.py_buffer(pool)]).cast(pa.binary())
    few = ["day", "hour", "url", "mb"]
    path.parent.mkdir(parents=True)
    writer = None
    for low in range(0, visits, ROWS):
        n = min(ROWS, visits - low)
        day = DAY_0 + 30 * month + rng.integers(0, 28, n)
        second = rng.integers(0, 86_400, n)
        url = names[np.searchsorted(np.cumsum(chance / chance.sum()), rng.random(n))].astype(object)
        own = np.flatnonzero(rng.random(n) < 0.1)
        url[own] = [f"{url[i]}/own/{low + i}" for i in own]
        table = pa.table(
            {
                "user": everybody.take(pa.array(rng.integers(0, users, n))),
                "at": pa.array((day * 86_400 + second) * 1_000_000).cast(pa.timestamp("us")),
                "day": pa.array(day.astype(np.int32)).cast(pa.date32()),
                "hour": pa.array((second // 3600).astype(np.uint8)),
                "url": pa.array(url, pa.string()),
                "mb": np.round(rng.exponential(1.2, n), 3),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=few)
        writer.write_table(table)
    if writer is not None:
        writer.close()


class Clock:
    """Seconds of the wall and of the processors since it was made."""

    def __init__(self) -> None:
        self.wall, self.processors = time.monotonic(), time.process_time()

    def __call__(self) -> list[float]:
        return [round(time.monotonic() - self.wall, 1), round(time.process_time() - self.processors, 1)]


def matching(path: Path, rules: Rules) -> tuple[int, list[float]]:
    """Distinct addresses of one month, and the seconds of finding their rules."""
    addresses = tidy(pq.read_table(path, columns=["url"])["url"].unique())
    match(rules, addresses.slice(0, 10))
    clock = Clock()
    match(rules, addresses)
    return len(addresses), clock()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = {"rules": 100_000, "visits": 4_000_000, "months": 2, "users": 200_000, "hosts": 110_000}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        months = [folder / f"web_visits/month={m}/a.parquet" for m in range(options.months)]
        for month, path in enumerate(months):
            write_month(path, month, options.visits // options.months, options.users, options.hosts)
        clock = Clock()
        rules = compile_rules(rules_table(options.rules))
        compiled = clock()
        addresses, matched = matching(months[0], rules)
        use = [folder / f"web_use/month={m}/part-0.parquet" for m in range(options.months)]
        unknown = [folder / f"web_unknown/month={m}/part-0.parquet" for m in range(options.months)]
        clock = Clock()
        with bounded(folder) as engine:
            for path, known, other in zip(months, use, unknown, strict=True):
                translate_month([path], rules, engine, known, other)
            facts = coverage(use, unknown, engine)
            listed = unknown_hosts(unknown, engine).num_rows
        translated = clock()
    found = {
        "compile_seconds": compiled, "addresses_a_month": addresses, "match_seconds": matched,
        "translate_seconds": translated, "visits_a_second": [round(options.visits / s) for s in translated],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
        "recognised_percent": facts["visits_percent"], "hosts_listed": listed,
    }  # fmt: skip
    print(json.dumps({"benchmark": "urls", **vars(options), "cores": os.cpu_count(), **found}))


if __name__ == "__main__":
    main()
