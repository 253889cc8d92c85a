"""How long until a response given to one worker is in force on another.

    python -m benchmarks.shared_answers [--responses 200 --workers 2 --writers 0]

A home is served by some workers. A customer refuses an app; from the moment that the 201 is there, matches of that
customer are asked for, each on a connection of its own so that all workers get some, until the app has been absent from
`--absent` answers in a row. The time is that of the last answer that still showed it, 0 where none did. `--writers`
record other responses meanwhile.

Prints one line of JSON: median, 99th percentile and longest time in ms, how many stayed within 200 ms, and the time
that a match took (no figure can be finer than that).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.killed_responses import Bench, prepared, writing
from benchmarks.made_home import make_home
from lake.settings import load_settings

PATIENCE_S = 5.0
AT_ONCE = 4


def shown(bench: Bench, user: str) -> tuple[set[str], float]:
    """The apps that a worker shows a customer, and how long it took to say so."""
    asked = time.monotonic()
    with httpx.Client(timeout=30) as http:
        answer = http.post(
            f"{bench.address}/v1/match", json={"user": user, "kind": "app", "k": 3},
            headers={"Authorization": f"Bearer {bench.key}"},
        )  # fmt: skip
    return {item["id"] for item in answer.json()["items"]}, time.monotonic() - asked


def refuse(bench: Bench, pool: ThreadPoolExecutor, user: str, item: str, absent: int) -> tuple[float, list[float]]:
    """Seconds from the 201 to the sending of the last match that still showed the item; what matches took."""
    told = {"user": user, "kind": "app", "item": item, "channel": "sms", "outcome": "refused"}
    answer = httpx.post(f"{bench.address}/v1/responses", json=told,
                        headers={"Authorization": f"Bearer {bench.key}"}, timeout=30)  # fmt: skip
    answer.raise_for_status()
    given, last, without, took = time.monotonic(), 0.0, 0, list[float]()
    while without < absent:
        at = time.monotonic() - given
        if at > PATIENCE_S:
            raise SystemExit(f"a refusal was not in force after {PATIENCE_S:.0f} s")
        for apps, seconds in pool.map(lambda _: shown(bench, user), range(AT_ONCE)):
            took.append(seconds)
            last, without = (at, 0) if item in apps else (last, without + 1)
    return last, took


@contextmanager
def served(options: argparse.Namespace, folder: Path) -> Iterator[tuple[Bench, list[str]]]:
    home, users = make_home(folder / "home", 2000, 500, 16)
    with prepared(home, load_settings(home=home.root), folder, options.workers) as (bench, store):
        apps = sorted({row["app"] for row in store.read("MATCH (a:App) RETURN a.app AS app")})
        store.write_rows("MERGE (u:User {user: row.user})", [{"user": user} for user in users])
        more = [{"app": f"app{i}"} for i in range(500) if f"app{i}" not in apps]
        store.write_rows("MERGE (a:App {app: row.app})", more)
        yield bench, users


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    times, matches = [], list[float]()
    with ExitStack() as stack:
        bench, users = stack.enter_context(served(options, folder))
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        if options.writers:
            stack.enter_context(writing(bench, options.writers))
        for user in users[: options.responses]:
            items, _ = shown(bench, user)
            if items:
                last, took = refuse(bench, pool, user, min(items), options.absent)
                times.append(last)
                matches += took
    p50, p99 = (np.percentile(times, [50, 99]) * 1000).round(1).tolist()
    within = sum(one <= 0.2 for one in times)
    return {"given": len(times), "p50_ms": p50, "p99_ms": p99, "longest_ms": round(max(times) * 1000, 1),
            "within_200_ms": within, "match_ms": round(float(np.median(matches)) * 1000, 1)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"responses": 200, "workers": 2, "writers": 0, "absent": 16}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shared-") as folder:
        found = measure(options, Path(folder))
    print(json.dumps({"benchmark": "shared_answers", **vars(options), **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
