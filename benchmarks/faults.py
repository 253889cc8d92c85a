"""Kill it, starve it, crowd it, change its files: does the same command, given again, end as if nothing had happened?

    python -m benchmarks.faults [--users 200 --months 2 --seed 1] [--command load]
        [--kills 30 --engine-kills 10 --full-disks 6 --crowds 2 --growing 3]

Every fault meets a home of its own, filled from one sample operator under one key. A kill (SIGKILL) comes at a random
moment of the command: of the command alone or, every other time, of everything it started, as when a machine dies; of
Neo4j's process alone, which the command may survive. Then the same command runs again, undisturbed, and the home must
hold what an undisturbed one holds: all tables of the lake and the quarantine, decoded, and all nodes and edges with
their properties.

Prints a line a fault on stderr, and one line of JSON on stdout: counts, and what failed. Exit status 1 where something
did.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import psutil

from graph.store import Store, open_store
from lake.home import Home
from lake.settings import load_settings

PATIENCE_S = 600
GRACE_S = 10
GROWS_IN = 20_000
"""Steps of 10 ms that a file grows in from half to whole: longer than any command here takes."""
PARTS = {
    "nodes": "MATCH (n) WHERE NOT n:Lake RETURN labels(n) AS labels, properties(n) AS facts",
    "edges": "MATCH (a)-[r]->(b) RETURN type(r) AS type, properties(a) AS start, properties(b) AS end, "
    "properties(r) AS facts",
    "constraints": "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties RETURN *",
    "indexes": "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, state RETURN *",
}


@dataclass
class Bench:
    """The operator, the command, and where homes are made."""

    root: Path
    command: str
    environment: dict[str, str]
    failures: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def feeds(self) -> Path:
        return self.root / "feeds"

    def start(self, home: Path, *options: str, feeds: Path | None = None) -> subprocess.Popen[str]:
        """The command in a process group of its own."""
        arguments = [sys.executable, "-m", "dumbbell", self.command, str(feeds or self.feeds), "--json", *options]
        return subprocess.Popen(
            [*arguments, "--home", str(home)], env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The `error` code of its JSON; empty without one."""
        lines = self.out.strip().splitlines()
        try:
            return str(json.loads(lines[-1]).get("error", "")) if lines else ""
        except json.JSONDecodeError:
            return ""

    def untidy(self) -> str:
        """What is wrong with the way it ended, whatever became of the work: a traceback, a failure without a code."""
        if "Traceback" in self.err:
            return f"a traceback: {self.err.strip().splitlines()[-1][:200]}"
        return "status 1 without an error code" if self.status == 1 and not self.error else ""


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, err)


# What a home holds


def digest(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()[:16]


def lake_of(home: Path) -> dict[str, str]:
    """A digest of the rows of each table and partition below the home's lake and quarantine."""
    found: dict[str, list[Path]] = {}
    for top in ("lake", "quarantine"):
        for path in sorted((home / top).rglob("*.parquet")):
            name = path.parent if "=" in path.parent.name else path.with_suffix("")
            found.setdefault(str(name.relative_to(home)), []).append(path)
    return {
        name: digest([str(row) for path in paths for row in pl.read_parquet(path).iter_rows()])
        for name, paths in found.items()
    }


def graph_of(store: Store) -> dict[str, str]:
    """A digest of all nodes and one of all edges, with their properties, of constraints and of indexes; how many."""
    found = {}
    for name, query in PARTS.items():
        rows = [json.dumps(row, sort_keys=True, default=str) for row in store.read(query, timeout_s=PATIENCE_S)]
        found[name] = f"{len(rows)} {digest(rows)}"
    return found


def state_of(bench: Bench, home: Path) -> dict[str, str]:
    settings = load_settings(home=home)
    with open_store(Home.open(settings), settings) as store:
        return lake_of(home) | graph_of(store)


def processes_of(home: Path) -> list[psutil.Process]:
    """Those that have the home in their command line: keeper, server, commands."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(home) in " ".join(process.cmdline()) and process.pid != os.getpid():
                found.append(process)
    return found


def servers_of(home: Path) -> list[psutil.Process]:
    found = []
    for process in processes_of(home):
        with suppress(psutil.Error):
            if process.name() == "java":
                found.append(process)
    return found


# Faults: each does its harm to a command on a home, and says how the command ended


def kill(bench: Bench, home: Path, after: float, *, everything: bool) -> str:
    process = bench.start(home)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    for victim in processes_of(home) if everything else []:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return "was through" if ended(process).status == 0 else "killed"


def kill_engine(bench: Bench, home: Path, after: float) -> str:
    """Neo4j alone, `after` seconds after it was first seen."""
    process = bench.start(home)
    while process.poll() is None and not servers_of(home):
        time.sleep(0.1)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    victims = servers_of(home)
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    done = ended(process)
    if untidy := done.untidy():
        return f"FAILED: {untidy}"
    return ("survived" if done.status == 0 else f"refused ({done.error})") if victims else "was through"


def fill_disk(bench: Bench, home: Path, megabytes: float) -> str:
    """The home on a file system of its own that is too small; afterwards it is on the usual one."""
    home.mkdir()
    saved = home.with_suffix(".saved")
    inner = 'mount -t tmpfs -o size="$0" tmpfs "$1" && { "${@:3}"; status=$?; cp -a "$1/." "$2"; exit $status; }'
    size = f"{round(megabytes * 1024)}k"
    command = [sys.executable, "-m", "dumbbell", bench.command, str(bench.feeds), "--json", "--home", str(home)]
    process = subprocess.Popen(
        ["unshare", "-rm", "bash", "-c", inner, size, str(home), str(saved), *command], env=bench.environment,
        text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    done = ended(process)
    home.rmdir()
    saved.rename(home)
    if untidy := done.untidy():
        return f"FAILED: {untidy}"
    return "was through" if done.status == 0 else f"refused ({done.error})"


def crowd(bench: Bench, home: Path, after: float) -> str:
    """Two at once: the second says who holds the home; a third waits."""
    first = bench.start(home)
    time.sleep(after)
    second, third = bench.start(home), bench.start(home, "--wait")
    one, two, three = ended(first), ended(second), ended(third)
    said = two.status == 1 and two.error == "home_held" and f"process {first.pid}" in two.err
    if one.status or three.status or not said:
        return f"FAILED: {one.status}, {two.status} {two.error} {two.err[-200:]!r}, {three.status} {three.err[-200:]!r}"
    return "refused (home_held)"


@contextmanager
def growing(path: Path, whole: bytes) -> Iterator[None]:
    """A file that has its first half, and grows to its whole while the block runs."""
    path.write_bytes(whole[: len(whole) // 2])
    stop = threading.Event()

    def grow() -> None:
        with open(path, "ab") as file:
            start, step = len(whole) // 2, 1 + len(whole) // GROWS_IN
            while not stop.wait(0.01):
                file.write(whole[start : start + step])
                file.flush()
                start += step

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
        path.write_bytes(whole)


def grow(bench: Bench, home: Path, path: Path) -> str:
    with growing(path, path.read_bytes()):
        done = ended(bench.start(home))
    if untidy := done.untidy():
        return f"FAILED: {untidy}"
    return "was through" if done.status == 0 else f"refused ({done.error})"


def once(bench: Bench, kind: str, number: int, expected: dict[str, str], harm: Callable[[Path], str]) -> None:
    """One fault on a new home, the command again, and the comparison."""
    home = bench.root / f"{kind}-{number}"
    said = harm(home)
    again = ended(bench.start(home))
    problems = [said] if said.startswith("FAILED") else []
    if again.status or again.untidy():
        problems.append(f"again: status {again.status}: {again.err.strip()[-300:]}")
    else:
        found = state_of(bench, home)
        problems += [
            f"differs: {name}" for name in sorted(expected.keys() | found) if expected.get(name) != found.get(name)
        ]
    deadline = time.monotonic() + GRACE_S
    while (left := [process.name() for process in processes_of(home)]) and time.monotonic() < deadline:
        time.sleep(0.1)  # a keeper that has let go of its lock is still ending
    if left:
        problems.append(f"left running: {left}")
    outcome = "failed" if problems else said
    bench.counts[f"{kind}: {outcome}"] = bench.counts.get(f"{kind}: {outcome}", 0) + 1
    bench.failures += [f"{kind} {number}: {problem}" for problem in problems]
    print(f"{time.strftime('%H:%M:%S')} {kind} {number}: {said} {problems or ''}", file=sys.stderr, flush=True)
    if not problems:
        shutil.rmtree(home)


def prepare(root: Path, options: argparse.Namespace) -> Bench:
    """The operator, and one key for all homes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUMBBELL_")}
    bench = Bench(root, options.command, kept | {"DUMBBELL_KEY_FILE": str(root / "number.key")})
    sample = ["sample", str(bench.feeds), *(f"--{n}={vars(options)[n]}" for n in ("users", "months", "seed"))]
    subprocess.run([sys.executable, "-m", "dumbbell", *sample], env=bench.environment, check=True, capture_output=True)
    return bench


def measure(bench: Bench, options: argparse.Namespace) -> int:
    """An undisturbed load, then every fault; the exit status."""
    draw = random.Random(options.seed)
    os.environ["DUMBBELL_KEY_FILE"] = bench.environment["DUMBBELL_KEY_FILE"]
    plain = bench.root / "undisturbed"
    started = time.monotonic()
    done = ended(bench.start(plain))
    seconds = time.monotonic() - started
    if done.status:
        print(done.err, file=sys.stderr)
        return 1
    expected = state_of(bench, plain)
    megabytes = sum(path.stat().st_blocks * 512 for path in plain.rglob("*") if path.is_file()) / 1e6
    files = sorted((p for p in bench.feeds.rglob("*.csv") if p.parent.name != "truth"), key=lambda p: -p.stat().st_size)

    def times(kind: str, number: int, harm: Callable[[Path, int], str]) -> None:
        for i in range(number):
            once(bench, kind, i, expected, lambda home, i=i: harm(home, i))  # type: ignore[misc]

    times("kill", options.kills, lambda home, i: kill(bench, home, draw.uniform(0, seconds), everything=i % 2 == 1))
    times("engine", options.engine_kills, lambda home, i: kill_engine(bench, home, draw.uniform(0, seconds / 2)))
    times("disk", options.full_disks, lambda home, i: fill_disk(bench, home, draw.uniform(0, megabytes)))
    times("crowd", options.crowds, lambda home, i: crowd(bench, home, draw.uniform(2.0, seconds / 2)))
    times("growing", options.growing, lambda home, i: grow(bench, home, files[i % len(files)]))
    facts = {"seconds": round(seconds, 1), "megabytes": round(megabytes, 1), "counts": bench.counts}
    print(json.dumps({"benchmark": "faults", **vars(options), **facts, "failures": bench.failures}))
    return 1 if bench.failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"users": 200, "months": 2, "seed": 1}
    faults = {"kills": 30, "engine_kills": 10, "full_disks": 6, "crowds": 2, "growing": 3}
    for name, value in (sizes | faults).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--command", choices=["load", "run"], default="load")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        bench = prepare(Path(folder), options)
        try:
            return measure(bench, options)
        finally:
            for process in processes_of(bench.root):  # none, unless this was interrupted
                with suppress(psutil.NoSuchProcess):
                    process.kill()


if __name__ == "__main__":
    sys.exit(main())
