"""`dumbbell load` of a sample operator end to end: time per step, peak memory, disk. Prints one line of JSON.

python -m benchmarks.reference_operator [--users 220000 --months 3] [--folder DIR] [--keep] [-- OPTIONS OF `sample`]
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
import time
from pathlib import Path
from typing import Any

from benchmarks.watched import watched

STEP = re.compile(r"^(?P<what>.+): (?P<seconds>[\d.]+) s$", re.MULTILINE)


def command(*arguments: str, home: Path) -> dict[str, Any]:
    """Run one command; its seconds, its steps' seconds, peak memory, and its JSON answer."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "dumbbell", *arguments, "--json", "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        with watched(home, process.pid) as peaks:
            answer, _ = process.communicate()
        said.seek(0)
        told = said.read()
    if process.returncode:
        raise SystemExit(f"dumbbell {arguments[0]} failed:\n{told}\n{answer}")
    steps = {found["what"]: float(found["seconds"]) for found in STEP.finditer(told)}
    seconds = round(time.monotonic() - started, 1)
    return {
        "seconds": seconds,
        "peak_mb": peaks["all"],
        "engine_mb": peaks["engine"],
        "steps": steps,
        "answer": json.loads(answer),
    }


def megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 10**6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=220_000)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the sample and the home are made; a new one by default")
    parser.add_argument("--keep", action="store_true", help="leave the folder, to look at it or to go on from it")
    parser.add_argument("--commands", default="load", help="comma-separated, of load, analyse, embed")
    options, more = parser.parse_known_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dumbbell-operator-"))
    feeds, home = folder / "feeds", folder / "home"
    found: dict[str, Any] = {"benchmark": "operator", "users": options.users, "months": options.months}
    try:
        if not feeds.exists():
            size = [f"--users={options.users}", f"--months={options.months}", *[word for word in more if word != "--"]]
            sample = command("sample", str(feeds), *size, home=home)
            found["sample"] = {name: sample[name] for name in ("seconds", "peak_mb")}
        found["feeds_mb"] = megabytes(feeds)
        for name in options.commands.split(","):
            run = command(name, *([str(feeds)] if name == "load" else []), home=home)
            answer = run.pop("answer")
            found[name] = run
            if name == "load":
                found["rows"] = {feed: counts["taken"] for feed, counts in answer["feeds"].items()}
                found["graph"] = {kind: sum(answer["graph"][kind].values()) for kind in ("nodes", "edges")}
        found["disk_mb"] = {part: megabytes(home / part) for part in ("lake", "neo4j")}
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({**found, "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
