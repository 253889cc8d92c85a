"""What serving and matching cost at an operator's size: memory, time to be ready, a swap under load, everybody's rate.

    python -m benchmarks.serve_scale [--share 0.1 --dimensions 128 --workers 1 2 --matches 4000 --batch 50000]
        [--folder DIR] [--keep]

At `--share 1`: 2.2 million customers, 25,000 apps, 24 million pairs of customer and app, 33 million ties in three
months, 200 offers with audiences, channels and 4.4 million answers, and a snapshot with neighbours and propensities,
all from dice. Neo4j runs already, held by this process, and is empty. For each number of workers `dumbbell serve` is
started twice: `first` with nothing made before, and `again`. Memory is that of all its processes, PSS and RSS in MB,
after so many matches of both kinds; `anonymous` is what cannot be shared. Then another snapshot is made current while
four clients ask: answers that were not 200, the longest wait for one, seconds until nobody answers from the old one.

`batch` matches so many customers (offers: all of them), beside a bare product and top k of the same vectors as
embeddings measure by. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from api.keys import KeyStore
from benchmarks.embed_scale import ran
from benchmarks.made_home import make_home, make_snapshot
from benchmarks.made_lake import TODAY
from benchmarks.match_rate import load, request_for
from embeddings.publish import make_current
from graph.engine.server import running
from graph.schema import ensure
from graph.store import Store
from lake.errors import UnknownName
from lake.home import Home
from lake.settings import load_settings
from matching.kept import FOLDER as KEPT

USERS, APPS, OFFERS, USES = 2_200_000, 25_000, 200, 11
CLIENTS = 4
PATIENCE_S = 1800

BATCH = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from embeddings.arithmetic import product
from embeddings.evaluate import top_k
from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.batch import write_matches
from matching.state import MatchState

settings, some, out = load_settings(), int(sys.argv[1]), Path(sys.argv[2])
home = Home.open(settings)

def timed(work):
    start, cpu = time.monotonic(), time.process_time()
    n = work()
    seconds, cpu = time.monotonic() - start, time.process_time() - cpu
    return {"users": n, "users_per_second": round(n / seconds), "users_per_cpu_second": round(n / cpu)}

def bare(k):
    vectors, apps = snapshot.user_vectors, np.ascontiguousarray(snapshot.app_vectors)
    for at in range(0, len(rows), 1024):
        top_k(product(vectors[rows[at : at + 1024]], apps.T), k)
    return len(rows)

snapshot = Snapshot.current(home)
start = time.monotonic()
state = MatchState.load(home, settings, Lake(home.lake), snapshot)
found = {"load_seconds": round(time.monotonic() - start, 1)}
rows = np.flatnonzero(~state.customers.off_net[:-1])[:: max(1, state.customers.n // some)]
users = [user.ljust(16, b"\\0") for user in state.customers.users[rows].tolist()]
everybody = int((~state.customers.off_net[:-1]).sum())
write_matches(out, state, "app", 10, users[:1000])  # compiled
rows = rows[:len(users)]
for k in (10, 50):
    found[f"bare_{k}"] = timed(lambda: bare(k))
    found[f"app_{k}"] = timed(lambda: write_matches(out, state, "app", k, users) and len(users))
    found[f"share_{k}"] = round(found[f"app_{k}"]["users_per_second"] / found[f"bare_{k}"]["users_per_second"], 2)
found["before_offers_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
told = {}
found["offer_3"] = timed(lambda: write_matches(out, state, "offer", 3, sharing=told) and everybody)
found["gap"] = told["gap"]
found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
print(json.dumps(found))
"""


@contextmanager
def served(home: Home, workers: int, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """`dumbbell serve`: its address, process, and the seconds until /readyz said so."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "dumbbell", "serve", "--port", "0", "--workers", str(workers)]
    started = time.monotonic()
    with open(log, "w") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file, env=environment(home))
    try:
        while not (found := re.search(r"serving (http\S+)", log.read_text())):
            if process.poll() is not None or time.monotonic() - started > PATIENCE_S:
                raise SystemExit(log.read_text()[-3000:])
            time.sleep(0.05)
        while httpx.get(f"{found[1]}/readyz", timeout=60).status_code != 200:
            time.sleep(0.05)
        yield found[1], process, round(time.monotonic() - started, 1)
    finally:
        process.terminate()
        process.wait(120)


def environment(home: Home) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
    told = {"DUMBBELL_HOME": str(home.root), "DUMBBELL_TODAY": str(TODAY), "DUMBBELL_RATE": "0"}
    return kept | told | {"PYTHONPATH": str(Path(__file__).parents[1])}


def worked(process: subprocess.Popen[bytes]) -> float:
    """Seconds of processor time of a process and its children that live."""
    parent = psutil.Process(process.pid)
    times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
    return round(sum(each.user + each.system for each in times), 1)


def memory(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """PSS, what of it is anonymous, and RSS of a process and its children, in MB; that of who makes a state apart."""
    parent = psutil.Process(process.pid)
    names = {"Pss": "pss", "Pss_Anon": "anonymous", "Rss": "rss"}
    total: Counter[str] = Counter()
    for one in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):  # it has ended
            maker = "maker_" if "matching.apart" in one.cmdline() else ""
            for line in Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in names:
                    total[maker + names[name]] += int(rest.split()[0])
    return {name: kilobytes // 1000 for name, kilobytes in sorted(total.items())}


@dataclass
class Asked:
    """What clients were answered."""

    failed: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    longest_s: float = 0.0
    last_old: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, address: str, key: str, users: list[str], new: str) -> None:
        """Ask until the end."""
        with httpx.Client(timeout=120, headers={"Authorization": f"Bearer {key}"}) as http:
            for i, user in enumerate(users * 1000):
                if self.over.is_set():
                    return
                started = time.monotonic()
                try:
                    told = {"user": user, "kind": ("app", "offer")[i % 2]}
                    answer = http.post(f"{address}/v1/match", json=told)
                    if answer.status_code != 200:
                        self.failed[str(answer.status_code)] += 1
                    elif answer.json()["snapshot"] != new:
                        self.last_old = time.monotonic()
                except httpx.TransportError as error:
                    self.failed[type(error).__name__] += 1
                self.answered += 1
                self.longest_s = max(self.longest_s, time.monotonic() - started)


def swap(home: Home, address: str, key: str, users: list[str], new: str, process: subprocess.Popen[bytes]) -> Any:
    """Make another snapshot current under load."""
    before, during, peak = Asked(), Asked(), Counter[str]()
    for asked, seconds in ((before, 5.0), (during, float(PATIENCE_S))):
        threads = [
            threading.Thread(target=asked.ask, args=(address, key, users[i::CLIENTS], new)) for i in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        if asked is during:
            for made in (home.root / KEPT).glob("state-*"):  # perhaps of an earlier measurement
                made.unlink()
            make_current(home, new)
        started = asked.last_old = time.monotonic()
        while time.monotonic() - started < seconds and (asked is before or time.monotonic() - asked.last_old < 5):
            if asked is during:
                peak |= Counter(memory(process))
            time.sleep(0.2)
        asked.over.set()
        for thread in threads:
            thread.join()
    return {
        "failed": dict(during.failed), "answered": during.answered, "seconds": round(during.last_old - started, 1),
        "longest_ms": round(during.longest_s * 1000), "longest_before_ms": round(before.longest_s * 1000),
        "peak": dict(peak),
    }  # fmt: skip


def serving(options: argparse.Namespace, home: Home, users: list[str], ids: list[str], folder: Path) -> dict[str, Any]:
    """What `serve` costs with each number of workers."""
    with suppress(UnknownName):  # of a home that is used again
        KeyStore(home).revoke("bench")
    key = KeyStore(home).add("bench", ["match"])
    draw = np.random.default_rng(7).permutation(len(users))[: options.matches // 2].tolist()
    requests = [request_for(users[i], key, kind) for i in draw for kind in ("app", "offer")]
    found: dict[str, Any] = {}
    for workers in options.workers:
        made: dict[str, Any] = {}
        for time_ in ("first", "again"):
            with served(home, workers, folder) as (address, process, seconds):
                made[f"ready_{time_}_s"], made[f"ready_{time_}_cpu_s"] = seconds, worked(process)
                if time_ == "first":
                    made["memory_at_start"] = memory(process)
                    continue
                answered = load(address, requests, 8, max(10.0, options.matches / 200))
                made["matches"] = {k: round(v, 1) for k, v in answered.items()}
                made["memory"] = memory(process)
                made["swap"] = swap(home, address, key, [users[i] for i in draw], ids[1], process)
                made["memory_after"] = memory(process)
        make_current(home, ids[0])
        found[str(workers)] = made
        print(workers, json.dumps(made), file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.05, help="of the reference operator")
    parser.add_argument("--dimensions", type=int, default=128, help="of the vectors")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--matches", type=int, default=4000, help="before memory is looked at")
    parser.add_argument("--batch", type=int, default=50_000, help="customers matched with apps; 0 for no batch")
    parser.add_argument("--folder", type=Path, help="where the home is made, or was by --keep")
    parser.add_argument("--keep", action="store_true", help="leave the home there, to be used again")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dumbbell-serve-"))
    found: dict[str, Any] = {"benchmark": "serve_scale", "share": options.share, "dimensions": options.dimensions}
    try:
        found |= measure(options, folder)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found))
    return 0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    told = folder / "made.json"
    settings = load_settings(home=folder / "home")
    if told.exists():
        home = Home.open(settings)
        users, ids = json.loads(told.read_text())
    else:
        folder.mkdir(parents=True, exist_ok=True)
        home, users = make_home(
            settings.home, round(USERS * options.share), APPS, options.dimensions, uses=USES, offers=OFFERS
        )
        users = users[:: max(1, len(users) // 100_000)]
        ids = [(home.snapshots / "current").read_text().strip(), make_snapshot(home, options.dimensions, 2)]
        told.write_text(json.dumps([users, ids]))
    found: dict[str, Any] = {}
    if options.workers:
        with running(home, settings) as endpoint, Store(endpoint) as store:
            ensure(store)
            found["workers"] = serving(options, home, users, ids, folder)
    if options.batch:
        found["batch"] = ran(BATCH, str(options.batch), str(folder / "matches.parquet"), **environment(home))
    return found


if __name__ == "__main__":
    sys.exit(main())
