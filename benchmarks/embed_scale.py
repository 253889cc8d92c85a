"""Time and peak memory of `embed`, and of the best apps for everybody, at an operator's size. Prints one line of JSON.

    python -m benchmarks.embed_scale [--share 0.1] [--folder DIR] [--k 50]

The lake of `benchmarks.dumbbell_scale`: at `--share 1`, 2.2 million customers, 24,728 apps and 55 million app uses in
three months (53 million different pairs). Each step runs in a process of its own, so that the peak is its own;
the lake is deleted after.
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

from benchmarks.dumbbell_scale import MONTHS, write_lake
from lake.home import Home
from lake.settings import load_settings

EMBED = """
import json, resource, sys, time
from pathlib import Path
from embeddings.train import train
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
settings = load_settings(home=Path(sys.argv[1]))
home = Home.open(settings)
start, cpu = time.monotonic(), time.process_time()
found = train(Lake(home.lake), home, settings)
print(json.dumps({
    "seconds": round(time.monotonic() - start, 1), "cpu_seconds": round(time.process_time() - cpu, 1),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
    "served": found["served"], "choice": found["choice"],
    "ndcg@20": {name: figures["ndcg@20"] for name, figures in found["table"].items()},
}))
"""

MATCH = """
import json, resource, sys, time
from pathlib import Path
from embeddings.snapshot import Snapshot
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from matching.batch import match_batches
from matching.state import MatchState
settings = load_settings(home=Path(sys.argv[1]))
home = Home.open(settings)
start = time.monotonic()
snapshot = Snapshot.current(home)
opened = time.monotonic() - start
state = MatchState.load(home, settings, Lake(home.lake), snapshot)
loaded = time.monotonic() - start
users = state.customers.users[:: max(1, state.customers.n // 50_000)].tolist()
users = [user.ljust(16, b"\\0") for user in users]
start, cpu = time.monotonic(), time.process_time()
rows = sum(batch.num_rows for batch in match_batches(state, "app", int(sys.argv[2]), users))
seconds, cpu = time.monotonic() - start, time.process_time() - cpu
print(json.dumps({
    "open_seconds": round(opened, 3), "load_seconds": round(loaded, 1), "users": len(users), "rows": rows,
    "users_per_second": round(len(users) / seconds), "users_per_cpu_second": round(len(users) / cpu),
    "dimensions": int(snapshot.app_vectors.shape[1]), "apps": len(snapshot.apps),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
}))
"""


def ran(script: str, *arguments: str, **variables: str) -> dict[str, object]:
    """What a script in a process of its own printed last; `variables` are added to its environment."""
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables})
    if done.returncode:
        return {"failed": done.returncode}
    return json.loads(done.stdout.splitlines()[-1])  # DuckDB may show progress before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1, help="of the reference operator")
    parser.add_argument("--k", type=int, default=50, help="apps for each customer")
    parser.add_argument("--folder", type=Path, help="where the home is made; a new one by default")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="dumbbell-embed-", dir=options.folder))
    found: dict[str, object] = {"benchmark": "embed_scale", "share": options.share, "cores": os.cpu_count()}
    try:
        Home.open(load_settings(home=home), create=True)
        write_lake(home / "lake", options.share, True, range(MONTHS))
        found["embed"] = ran(EMBED, str(home))
        found["match"] = ran(MATCH, str(home), str(options.k))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
