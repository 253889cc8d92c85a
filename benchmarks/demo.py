"""Time and peak memory of `dumbbell demo`: first run, and a second one where nothing changed. Prints one line of JSON.

python benchmarks/demo.py [--users 20000 --months 6]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil


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
    peaks = {"all": 0, "engine": 0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            engine = rest = 0
            for other in psutil.process_iter(["cmdline", "memory_info"]):
                line = " ".join(other.info["cmdline"] or [])
                if str(home) in line and "java" in line:
                    engine += other.info["memory_info"].rss
                elif other.pid == process.pid or str(home) in line:
                    rest += other.info["memory_info"].rss
            peaks["engine"] = max(peaks["engine"], engine)
            peaks["all"] = max(peaks["all"], engine + rest)

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert process.stdout is not None
    line = process.stdout.readline()
    seconds = time.monotonic() - started
    process.send_signal(signal.SIGINT)
    process.wait(60)
    ended.set()
    watcher.join()
    if not line:
        raise SystemExit("the demo ended before it served")
    return {"seconds": round(seconds, 1), "peak_mb": peaks["all"] // 10**6, "engine_mb": peaks["engine"] // 10**6}


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
