"""Time and peak memory of each step of `dumbbell analyse` for an operator of 2.2 million customers.

    python -m benchmarks.analyse_scale [--shares 0.05 0.1] [--months 3] [--folder DIR]
    python -m benchmarks.analyse_scale --copies 20 [--shares 0.05]

Makes the sample operator of those shares (27.3 call records a customer and month, with cells, bills, handsets, packs
and app use, so that every step has work), loads it, and analyses each in a process of its own. Prints one line of
JSON: of each share and step seconds of the clock and of the processor, memory in MB before the step and at its
peak; and in `whole` the same at the whole size, on the straight line through the smallest and the largest share.

With `--copies` the last share's lake is copied so many times side by side (`benchmarks.copied_lake`) and the copies
are analysed as one operator: twenty of a twentieth are the whole, measured, not extrapolated. Contacts are copied too,
not made again: their memory is bounded, and `benchmarks.contacts` measures them. A tenth needs 3 GB of disk, twenty
copies of a twentieth 20 GB; all of it is given back.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.copied_lake import copy_home
from graph.calls import analyse as analysis
from graph.calls import contacts, lifetimes
from graph.calls.state import Inputs
from lake.clock import today
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from loaders.load import load
from loaders.sample import write_sample
from loaders.sample.scale import Scale

USERS, CALLS_PER_MONTH = 2_200_000, 27.3


def memory_mb() -> tuple[int, int]:
    """Memory resident now, and the most since it was last set back."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, most = (int(status[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def measured(steps: dict[str, dict[str, float]], name: str, step: Callable) -> Callable:
    def run(*arguments: object) -> object:
        Path("/proc/self/clear_refs").write_text("5")
        before, started, worked = memory_mb()[0], time.monotonic(), time.process_time()
        made = step(*arguments)
        seconds, worked = time.monotonic() - started, time.process_time() - worked
        steps[name] = {
            "seconds": round(seconds, 1),
            "cpu_seconds": round(worked, 1),
            "before_mb": before,
            "peak_mb": memory_mb()[1],
        }
        print(name, steps[name], file=sys.stderr, flush=True)
        return made

    return run


def analyse(home: Path, only: list[str] | None = None) -> dict[str, object]:
    """Everything from nothing, or some steps alone; what an earlier run of those made is dropped first."""
    settings = load_settings(home=home)
    lake = Lake(Home.open(settings).lake)
    names = only or ["contacts", *analysis.STEPS]
    inputs = Inputs(lake)
    for name in names:
        inputs.forget(name)
    steps: dict[str, dict[str, float]] = {}
    if "contacts" in names:
        inputs.forget("months")
        inputs.save()
        measured(steps, "contacts", contacts.build)(lake, settings)
    customers = measured(steps, "customers", lifetimes.read)(lake, settings.period, today(settings, lake))
    for name, step in analysis.STEPS.items():
        if name in names:
            with analysis.bounded(lake) as own:
                measured(steps, name, step)(own, customers, inputs)
            inputs.save()
    return {
        "customers": int(customers.on_net.sum()),
        "numbers": len(customers.users),
        "contacts": sum(pq.read_metadata(file).num_rows for file in lake.files("contacts")),
        "steps": steps,
        "seconds": round(sum(step["seconds"] for step in steps.values()), 1),
        "peak_mb": max(step["peak_mb"] for step in steps.values()),
    }


def whole(found: dict[float, dict]) -> dict[str, dict[str, float]]:
    """Of each step what the line through the smallest and the largest share says of the whole, and what is fixed."""
    low, high = min(found), max(found)
    lines = {}
    for step in found[high]["steps"]:
        lines[step] = {}
        for what in ("seconds", "peak_mb"):
            small, large = (found[share]["steps"][step][what] for share in (low, high))
            slope = (large - small) / (high - low)
            lines[step] |= {what: round(large + (1 - high) * slope), f"{what}_fixed": round(small - low * slope)}
    return lines


def made(home: Path, share: float, months: int) -> None:
    feeds = home.parent / "feeds"
    write_sample(feeds, round(USERS * share), months, 1, scale=Scale(calls_per_month=CALLS_PER_MONTH))
    settings = load_settings(home=home)
    load(feeds, Home.open(settings, create=True), settings)
    shutil.rmtree(feeds)


def inside(home: Path, steps: list[str] | None) -> dict:
    """What `analyse` finds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.analyse_scale", "--inside", "--home", str(home)]
    if steps:
        command += ["--steps", *steps]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1])
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--folder", help="where to work (the system's folder for temporary files)")
    parser.add_argument("--home", type=Path, help="analyse this home; nothing is made")
    parser.add_argument("--steps", nargs="+", help="measure these alone, in a home that has what they read")
    parser.add_argument("--copies", type=int, help="analyse so many copies of the last share as one operator")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(analyse(given.home, given.steps)))
        return
    if given.home:
        print(json.dumps({"benchmark": "analyse_scale", **inside(given.home, given.steps)}))
        return
    found: dict[float, dict] = {}
    copies = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for share in given.shares:
            home = Path(folder) / f"{share}" / "home"
            made(home, share, given.months)
            found[share] = inside(home, given.steps)
            if given.copies and share == given.shares[-1]:
                many = Path(folder) / "copies"
                copy_home(home, many, given.copies)
                copies = inside(many, given.steps or list(analysis.STEPS))
            shutil.rmtree(home)
    report: dict[str, object] = {"benchmark": "analyse_scale", "months": given.months, "shares": found}
    if len(found) > 1:
        report["whole"] = whole(found)
    if copies:
        report["copies"] = {"of": given.shares[-1], "times": given.copies, **copies}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
