"""Call records from CSV to checked, pseudonymised lake partitions, beside DuckDB's plain copy of the file to Parquet.

    python -m benchmarks.calls_csv [--rows 5000000 --rounds 2 --seed 1 --country ""]

Both in processes of their own, in turns; prints one line of JSON with the best time of each, their ratio, and the peak
memory of each in MB. `processor_s` is the time that cores were at work (on a busy machine a better measure than the
clock, imports counted in). `partitions` is the feed alone, `load` all that a first load makes of it (customers too).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

DUCKDB = """
import resource, sys, time
import duckdb
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
started = time.monotonic()
copy = f"COPY (SELECT * FROM read_csv(?)) TO '{sys.argv[2]}/copy.parquet' (FORMAT parquet)"
connection.execute(copy, [sys.argv[1]])
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.monotonic() - started, used.ru_maxrss / 1000, used.ru_utime + used.ru_stime)
"""

DUMBBELL = """
import resource, sys, time
from pathlib import Path
from lake.home import Home
from lake.settings import load_settings
from loaders.load import load
settings = load_settings(home=Path(sys.argv[2]) / "home", country=sys.argv[3] or None)
home = Home.open(settings, create=True)
started = time.monotonic()
load(Path(sys.argv[1]).parent, home, settings)
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.monotonic() - started, used.ru_maxrss / 1000, used.ru_utime + used.ru_stime)
"""


def write_calls(path: Path, rows: int, seed: int) -> None:
    """A month of calls among two million customers, a third to as many other numbers."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2026-05-01T00:00:00")
    with open(path, "wb") as file:
        for low in range(0, rows, 1_000_000):
            count = min(1_000_000, rows - low)
            caller = 491510000000 + random.integers(0, 2_000_000, count)
            callee = 491510000000 + random.integers(0, 2_000_000, count) + 4 * 10**6 * (random.random(count) < 1 / 3)
            table = pa.table(
                {
                    "caller": pa.array(caller).cast(pa.string()),
                    "callee": pa.array(callee).cast(pa.string()),
                    "at": np.datetime_as_string(start + random.integers(0, 31 * 86_400, count)),
                    "seconds": random.integers(0, 600, count),
                    "kind": np.where(random.random(count) < 0.2, "message", "voice"),
                    "cell": np.char.add("c", random.integers(0, 5_000, count).astype(str)),
                    "record": np.where(random.random(count) < 0.5, "out", "in"),
                }
            )
            options = pa_csv.WriteOptions(include_header=low == 0, quoting_style="needed")
            pa_csv.write_csv(table, file, options)


def timed(script: str, *arguments: str) -> tuple[float, float, float, str]:
    """Seconds, peak MB and seconds of processors that a script prints, and what it said on stderr."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    seconds, peak, busy = map(float, done.stdout.split())
    return seconds, peak, busy, done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("rows", 5_000_000), ("rounds", 2), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--country", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds" / "calls.csv"
        path.parent.mkdir()
        write_calls(path, options.rows, options.seed)
        took: dict[str, list[float]] = {"duckdb": [], "dumbbell": [], "partitions": []}
        peaks, busy = dict.fromkeys(("duckdb", "dumbbell"), 0.0), {}
        for _ in range(options.rounds):
            for name, script in (("duckdb", DUCKDB), ("dumbbell", DUMBBELL)):
                with tempfile.TemporaryDirectory(dir=folder) as work:
                    seconds, peak, processors, said = timed(script, str(path), work, options.country)
                took[name].append(seconds)
                peaks[name] = max(peaks[name], peak)
                busy[name] = min(processors, busy.get(name, processors))
            found = re.search(r"loading calls: ([0-9.]+) s", said)
            took["partitions"].append(float(found[1]) if found else seconds)
        best = {name: min(times) for name, times in took.items()}
        facts = {
            "benchmark": "calls_csv",
            "rows": options.rows,
            "mb": round(path.stat().st_size / 1e6),
            "duckdb_copy_s": round(best["duckdb"], 1),
            "partitions_s": round(best["partitions"], 1),
            "load_s": round(best["dumbbell"], 1),
            "partitions_ratio": round(best["partitions"] / best["duckdb"], 2),
            "load_ratio": round(best["dumbbell"] / best["duckdb"], 2),
            "processor_s": {name: round(seconds, 1) for name, seconds in busy.items()},
            "peak_mb": {name: round(peak) for name, peak in peaks.items()},
        }
        print(json.dumps(facts))


if __name__ == "__main__":
    main()
