"""Time and peak memory of `dumbbell demo`: first run, and a second one where nothing changed. Prints one line of JSON.

python -m benchmarks.demo [--users 20000 --months 6]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.watched import watched


def once(home: Path, users: int, months: int) -> dict[str, float]:
    """Seconds until the address is printed, and the largest sum of resident memory of all processes of the demo."""
    started = time.monotonic()
    settings = os.environ | {"DUMBBELL_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "dumbbell", "demo", f"--users={users}", f"--months={months}", "--port=0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=settings,
    )
    assert process.stdout is not None
    with watched(home, process.pid) as peaks:
        line = process.stdout.readline()
        seconds = time.monotonic() - started
        process.send_signal(signal.SIGINT)
        process.wait(60)
    if not line:
        raise SystemExit("the demo ended before it served")
    return {"seconds": round(seconds, 1), "peak_mb": peaks["all"], "engine_mb": peaks["engine"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        first, second = (once(home, options.users, options.months) for _ in range(2))
    print(json.dumps({"benchmark": "demo", **vars(options), "cores": os.cpu_count(), "first": first, "again": second}))


if __name__ == "__main__":
    main()
