"""Time and peak memory of each step of `dumbbell analyse` on a share of an operator of 2.2 million customers.

    python -m benchmarks.analyse_scale [--share 0.1] [--months 3] [--folder DIR] [--home HOME]

Makes the sample operator of that share (27.3 call records a customer and month), loads it, and analyses it in a
process of its own; or analyses the lake of a `--home` that is there already. A tenth needs 3 GB of disk, given back.
Prints one line of JSON: of each step seconds of the clock and of the processor, and peak memory in MB (all are one
process; the peak is set back between them), and `peak_mb_whole`: the highest peak at the whole size, what the process
holds before the first step counted once and the rest in proportion (contacts are left out: their memory is bounded).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from graph.calls import analyse as analysis
from graph.calls import contacts
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample import write_sample
from loaders.sample.scale import Scale

USERS, CALLS_PER_MONTH = 2_200_000, 27.3


def peak_mb() -> int:
    """The most memory resident since it was last set back."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


def measured(steps: dict[str, dict[str, float]], name: str, step: Callable) -> Callable:
    def run(*arguments: object) -> object:
        Path("/proc/self/clear_refs").write_text("5")
        started, worked = time.monotonic(), time.process_time()
        made = step(*arguments)
        seconds, worked = time.monotonic() - started, time.process_time() - worked
        steps[name] = {"seconds": round(seconds, 1), "cpu_seconds": round(worked, 1), "peak_mb": peak_mb()}
        return made

    return run


def analyse(home: Path, share: float) -> dict[str, object]:
    """Everything from nothing; what an earlier run made is dropped first."""
    settings = load_settings(home=home)
    lake = Lake(Home.open(settings).lake)
    (lake.root / ".calls-inputs.json").unlink(missing_ok=True)
    customers = lake.read("customers", ["user"]).num_rows
    steps: dict[str, dict[str, float]] = {}
    before = peak_mb()
    measured(steps, "contacts", contacts.build)(lake, settings)
    for name, step in analysis.STEPS.items():
        analysis.STEPS[name] = measured(steps, name, step)
    analysis.analyse(lake, settings)
    highest = max(step["peak_mb"] for name, step in steps.items() if name != "contacts")
    return {
        "customers": customers,
        "before_mb": before,
        "steps": steps,
        "seconds": round(sum(step["seconds"] for step in steps.values()), 1),
        "peak_mb": max(step["peak_mb"] for step in steps.values()),
        "peak_mb_whole": round(before + (highest - before) / share),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--folder", help="where to work (the system's folder for temporary files)")
    parser.add_argument("--home", type=Path, help="analyse this home; nothing is made")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(analyse(given.home, given.share)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        home = given.home or Path(folder) / "home"
        if not given.home:
            feeds = Path(folder) / "feeds"
            write_sample(
                feeds, round(USERS * given.share), given.months, 1, scale=Scale(calls_per_month=CALLS_PER_MONTH)
            )
            settings = load_settings(home=home)
            load(feeds, Home.open(settings, create=True), settings)
        command = [sys.executable, "-m", "benchmarks.analyse_scale", "--inside", "--home", str(home)]
        done = subprocess.run([*command, "--share", str(given.share)], check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps({"benchmark": "analyse_scale", "share": given.share, "months": given.months, **found}))


if __name__ == "__main__":
    main()
