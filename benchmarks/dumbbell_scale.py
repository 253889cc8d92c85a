"""Time and peak memory of the dumbbell (`graph.dumbbell.build`) at an operator's size. Prints one line of JSON.

python -m benchmarks.dumbbell_scale [--share 0.1] [--no-categories] [--again] [--folder DIR]

The reference operator, of which `--share` is made, has 2.2 million customers, 24,728 apps and 55 million app uses in
three months. The lake is written straight to Parquet, for customers with two favourite categories each, and deleted
after.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.feeds import FEEDS

USERS, APPS, USES, CATEGORIES, CHANNELS, MONTHS = 2_200_000, 24_728, 55_000_000, 30, 20, 3
BLOCK = 1_000_000

BUILD = """
import json, resource, sys, time
from pathlib import Path
from graph.dumbbell import build
from lake.settings import Settings
from lake.tables import Lake
import pyarrow.compute as pc
lake = Lake(Path(sys.argv[1]) / "lake")
start, cpu = time.monotonic(), time.process_time()
build(lake, Settings(home=Path(sys.argv[1])))
seconds, cpu = time.monotonic() - start, time.process_time() - cpu
fits = lake.read("fits", ["item_kind"])["item_kind"]
print(json.dumps({
    "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
    "segments": pc.count_distinct(lake.read("segments", ["segment"])["segment"]).as_py(),
    "categories": pc.count_distinct(lake.read("categories", ["category"])["category"]).as_py(),
    "fits": {row["values"]: row["counts"] for row in fits.value_counts().to_pylist()},
}))
"""


def write_lake(root: Path, share: float, categories: bool, months: range) -> None:
    """The tables that the dumbbell reads; the same arguments give the same rows, and a month is alike in any range."""
    users, apps = round(USERS * share), round(APPS * min(1.0, share * 4))
    rng = np.random.default_rng(1)
    root.mkdir(parents=True, exist_ok=True)
    raw = np.unique(rng.integers(0, 256, (users, 16), np.uint8).view("S16").ravel())
    users = len(raw)
    pseudonyms = pa.Array.from_buffers(pa.binary(16), users, [None, pa.py_buffer(raw.tobytes())]).cast(pa.binary())
    known = rng.random(users) < 0.9
    day = np.datetime64("2026-03-31")

    def write(table: str, **columns: object) -> None:
        made = pa.table(columns)
        pq.write_table(_whole(table, made) if table in FEEDS else made, root / f"{table}.parquet", compression="zstd")

    write(
        "customers",
        user=pseudonyms,
        off_net=pa.array(np.zeros(users, bool)),
        birth_year=pa.array(rng.integers(1940, 2008, users), mask=~known),
        arpu=pa.array(rng.lognormal(2.5, 0.6, users).round(2), mask=rng.random(users) < 0.1),
        city=pa.array([f"city{i}" for i in range(40)]).take(pa.array(rng.integers(0, 40, users))),
    )
    name = [f"app{i:05d}" for i in range(apps)]
    of = rng.permutation(np.arange(apps) % CATEGORIES)
    label = pa.array([f"category {c:02d}" for c in of], mask=np.full(apps, not categories))
    write("apps", app=name, name=[f"App {i}" for i in range(apps)], category=label)
    write("handsets", handset=[f"h{i}" for i in range(150)], brand=[f"Brand {i % 9}" for i in range(150)])
    held = rng.integers(0, 150, users)
    write("user_handsets", user=pseudonyms, handset=_text("h", 150, held), since=_days(day, users), until=_null(users))
    kinds = ["plan"] * 10 + ["data_pack"] * 10 + ["service"] * 20
    write("products", product=[f"p{i}" for i in range(40)], name=[f"P {i}" for i in range(40)], kind=kinds)
    who = np.repeat(np.arange(users), 2)
    bought = np.where(np.arange(len(who)) % 2, rng.integers(0, 10, len(who)), rng.integers(10, 40, len(who)))
    write(
        "subscriptions",
        user=pseudonyms.take(pa.array(who)),
        product=_text("p", 40, bought),
        since=_days(day - 60, len(who)),
        until=_null(len(who)),
    )
    write("channels", channel=[f"c{i:02d}" for i in range(CHANNELS)], name=[f"C {i}" for i in range(CHANNELS)])
    write(
        "offers",
        offer=[f"o{i}" for i in range(40)],
        product=[f"p{i}" for i in range(40)],
        channels=[[f"c{(i + k) % CHANNELS:02d}" for k in range(5)] for i in range(40)],
        starts_on=_days(day - 90, 40),
        ends_on=_null(40),
    )
    # popularity falls with rank within a category; three uses in four are of the two favourite categories
    ranked = [np.flatnonzero(of == c) for c in range(CATEGORIES)]
    shares = [np.cumsum(1 / (np.arange(len(r)) + 3) ** 0.9) for r in ranked]
    favourite = rng.integers(0, CATEGORIES, (users, 2))
    for month in months:
        monthly = np.random.default_rng((2, month))
        uses = round(USES * share / MONTHS)
        with Part(root, "app_usage", month) as write_part:
            for begin in range(0, uses, BLOCK):
                size = min(BLOCK, uses - begin)
                who = np.minimum((monthly.random(size) ** 1.3 * users).astype(np.int64), users - 1)
                taste = np.where(
                    monthly.random(size) < 0.75,
                    favourite[who, monthly.integers(0, 2, size)],
                    monthly.integers(0, CATEGORIES, size),
                )
                app = np.empty(size, np.int64)
                for c in range(CATEGORIES):
                    of_it = np.flatnonzero(taste == c)
                    drawn = np.searchsorted(shares[c], monthly.random(len(of_it)) * shares[c][-1], side="right")
                    app[of_it] = ranked[c][np.minimum(drawn, len(ranked[c]) - 1)]
                events = _events(monthly, month, size)
                write_part(
                    pa.table(
                        {
                            "user": pseudonyms.take(pa.array(who)),
                            "app": pa.array(name).take(pa.array(app)),
                            **events,
                            "sessions": monthly.geometric(0.1, size),
                            "seconds": monthly.integers(1, 9999, size),
                            "mb": monthly.random(size),
                        }
                    )
                )
        for feed, rows in (("touches", round(2.4 * users)), ("responses", users)):
            with Part(root, feed, month) as write_part:
                for begin in range(0, rows, BLOCK):
                    size = min(BLOCK, rows - begin)
                    who = monthly.integers(0, users, size)
                    columns = {  # four channels each
                        "user": pseudonyms.take(pa.array(who)),
                        "channel": _text("c", CHANNELS, (who + monthly.integers(0, 4, size) ** 2) % CHANNELS, 2),
                        **_events(monthly, month, size),
                    }
                    if feed == "responses":
                        columns["offer"] = _text("o", 40, monthly.integers(0, 40, size))
                        answer = monthly.choice(4, size, p=[0.6, 0.07, 0.13, 0.2])
                        columns["outcome"] = pa.array(["shown", "accepted", "refused", "ignored"]).take(
                            pa.array(answer)
                        )
                    write_part(_whole(feed, pa.table(columns)) if feed == "responses" else pa.table(columns))


def _whole(feed: str, table: pa.Table) -> pa.Table:
    """With all columns of its feed, as the loaders write it."""
    for field in FEEDS[feed].schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def _text(prefix: str, size: int, codes: np.ndarray, width: int = 0) -> pa.Array:
    return pa.array([f"{prefix}{i:0{width}d}" for i in range(size)]).take(pa.array(codes))


def _days(day: np.datetime64, size: int) -> pa.Array:
    return pa.array(np.full(size, day - 365))


def _null(size: int) -> pa.Array:
    return pa.nulls(size, pa.date32())


def _events(rng: np.random.Generator, month: int, size: int) -> dict[str, pa.Array]:
    first = np.datetime64(f"2026-{month + 1:02d}-01", "us")
    at = first + rng.integers(0, 28 * 86_400, size) * np.timedelta64(1_000_000, "us")
    return {
        "at": pa.array(at),
        "day": pa.array(at.astype("M8[D]")),
        "hour": pa.array((at.astype(np.int64) // 3_600_000_000 % 24).astype(np.uint8)),
    }


class Part:
    """One month of an event table, written in blocks."""

    def __init__(self, root: Path, name: str, month: int) -> None:
        self.path = root / name / f"month=2026-{month + 1:02d}" / "part-0.parquet"
        self.writer: pq.ParquetWriter | None = None

    def __enter__(self):  # type: ignore[no-untyped-def]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.write

    def write(self, table: pa.Table) -> None:
        self.writer = self.writer or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.writer.write_table(table)

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.close()


def built(home: Path) -> dict[str, object]:
    """Build in a process of its own, so that the peak is the build's."""
    done = subprocess.run([sys.executable, "-c", BUILD, str(home)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # DuckDB may show progress before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.1, help="of the reference operator")
    parser.add_argument("--no-categories", action="store_true", help="a catalogue without categories: learn them")
    parser.add_argument("--again", action="store_true", help="a further month, and how many customers change segment")
    parser.add_argument("--folder", type=Path, help="where the lake is made; a new one by default")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="dumbbell-scale-", dir=options.folder))
    try:
        write_lake(home / "lake", options.share, not options.no_categories, range(MONTHS))
        found = {"benchmark": "dumbbell_scale", "share": options.share, **built(home)}
        if options.again:
            before = pq.read_table(home / "lake" / "segments.parquet")
            write_lake(home / "lake", options.share, not options.no_categories, range(MONTHS, MONTHS + 1))
            found["again"] = built(home)
            after = pq.read_table(home / "lake" / "segments.parquet")
            moved = before["segment"].to_numpy() != after["segment"].to_numpy()
            found["moved_share"] = round(float(moved.mean()), 4)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps({**found, "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
