"""Acknowledged responses survive kill -9 of the API and of Neo4j: none lost, none doubled.

    python -m benchmarks.killed_responses [--kills 20 --writers 4 --seconds 4 --seed 1]

A home with its own Neo4j is served, and writers record responses without a pause, each with an idempotency key and, in
one of three, once more. At a random moment the API, Neo4j, or both are killed (SIGKILL); matches are asked for all
along. When all is back, every response that was answered 201 must be in the graph exactly once.

Prints a line a kill on stderr, and one line of JSON: responses acknowledged, lost, doubled, matches and responses
answered while Neo4j was away, and the longest time until responses were taken again. Exit status 1 where one is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from api.keys import KeyStore
from benchmarks.faults import servers_of
from benchmarks.match_rate import SERVE
from graph.engine.server import running
from graph.schema import ensure
from graph.store import Store
from lake.home import Home
from lake.pseudonyms import to_text
from lake.settings import Settings, load_settings
from lake.tables import Lake

ALL = "MATCH (u:User)-[r:RESPONDED]->(:App) RETURN r.decision AS nothing, r.channel AS channel, u.user AS user"
VICTIMS = ("api", "neo4j", "both")


@dataclass
class Tally:
    """What the writers were told. A response's channel is a name of its own, by which it is found again."""

    acknowledged: list[str] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    """Answers that were not 201, by status; 0 where there was none."""
    matched: Counter[int] = field(default_factory=Counter)
    no_retry_after: int = 0
    last_at: float = 0.0


@dataclass
class Bench:
    home: Home
    settings: Settings
    key: str
    users: list[str]
    apps: list[str]
    folder: Path
    workers: int = 1
    process: subprocess.Popen[str] | None = None
    address: str = ""
    tally: Tally = field(default_factory=Tally)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Start the API and wait until it answers."""
        script = self.folder / "serve_it.py"
        script.write_text(SERVE)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
        given = {"DUMBBELL_HOME": str(self.home.root), "PYTHONPATH": str(Path(__file__).parents[1])}
        if self.settings.today is not None:
            given["DUMBBELL_TODAY"] = str(self.settings.today)
        with open(self.folder / "serve.log", "a") as log:
            command = [sys.executable, script, str(self.workers)]
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.folder,
                env=kept | given,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address, (self.folder / "serve.log").read_text()[-2000:]

    def kill_api(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_neo4j(self) -> None:
        for server in servers_of(self.home.root):
            with suppress(psutil.NoSuchProcess):
                server.kill()


def write(bench: Bench, number: int) -> None:
    """Record responses until the end, each with a key and a channel of its own; again with the same key at times."""
    draw, tally = random.Random(number), bench.tally
    headers = {"Authorization": f"Bearer {bench.key}"}
    with httpx.Client(timeout=30) as http:
        while not bench.over.is_set():
            name = uuid.uuid4().hex
            body = {"user": draw.choice(bench.users), "kind": "app", "item": draw.choice(bench.apps)}
            told = body | {"channel": name, "outcome": "shown"}
            for _ in range(1 + (draw.random() < 1 / 3)):
                try:
                    answer = http.post(f"{bench.address}/v1/responses", json=told,
                                       headers=headers | {"Idempotency-Key": name})  # fmt: skip
                except httpx.TransportError:
                    tally.refused[0] += 1
                    time.sleep(0.05)
                    continue
                if answer.status_code == 201:
                    tally.acknowledged.append(name)
                    tally.last_at = time.monotonic()
                else:
                    tally.refused[answer.status_code] += 1
                    tally.no_retry_after += answer.status_code == 503 and "Retry-After" not in answer.headers
                    time.sleep(0.05)


def ask(bench: Bench) -> None:
    """Ask for matches until the end."""
    headers = {"Authorization": f"Bearer {bench.key}"}
    with httpx.Client(timeout=30) as http:
        while not bench.over.is_set():
            with suppress(httpx.TransportError):
                body = {"user": random.choice(bench.users), "kind": "app", "k": 3}
                answer = http.post(f"{bench.address}/v1/match", json=body, headers=headers)
                bench.tally.matched[answer.status_code] += 1
            time.sleep(0.02)


@contextmanager
def writing(bench: Bench, writers: int) -> Iterator[None]:
    """Writers and one who asks, at work while the block runs."""
    bench.over.clear()
    threads = [threading.Thread(target=write, args=(bench, i)) for i in range(writers)]
    threads.append(threading.Thread(target=ask, args=(bench,)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        bench.over.set()
        for thread in threads:
            thread.join()


def strike(bench: Bench, victim: str, store: Store, patience_s: float = 180.0) -> float:
    """Kill, start the API again where it was killed, wait until responses are taken; the seconds that took."""
    struck = time.monotonic()
    if victim != "neo4j":
        bench.kill_api()
    if victim != "api":
        bench.kill_neo4j()
    struck_at = time.monotonic()
    if victim != "neo4j":
        bench.serve()
    while bench.tally.last_at < struck_at:
        if time.monotonic() - struck > patience_s:
            raise SystemExit(f"no response was taken within {patience_s:.0f} s after the kill of {victim}")
        time.sleep(0.05)
    return time.monotonic() - struck


def check(bench: Bench, store: Store) -> tuple[int, int]:
    """How many acknowledged responses are lost, and how many responses are there twice."""
    kept = Counter(row["channel"] for row in store.read(ALL, timeout_s=120))
    return len(set(bench.tally.acknowledged) - kept.keys()), sum(many > 1 for many in kept.values())


@contextmanager
def prepared(home: Home, settings: Settings, folder: Path, workers: int = 1) -> Iterator[tuple[Bench, Store]]:
    """A filled home's own Neo4j, kept up by this process, with its customers and apps in the graph, and the API."""
    lake = Lake(home.lake)
    users = to_text(lake.read("customers", ["user"])["user"]).to_pylist()[:200]
    apps = lake.read("apps", ["app"])["app"].to_pylist()[:20]
    with running(home, settings) as endpoint, Store(endpoint) as store:
        ensure(store)
        store.write_rows("MERGE (u:User {user: row.user})", [{"user": user} for user in users])
        store.write_rows("MERGE (a:App {app: row.app})", [{"app": app} for app in apps])
        bench = Bench(home, settings, KeyStore(home).add("writer", ["match"]), users, apps, folder, workers)
        bench.serve()
        try:
            yield bench, store
        finally:
            bench.kill_api()  # its workers end with it


def main() -> int:
    from benchmarks.made_home import make_home

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"kills": 20, "writers": 4, "seed": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=4.0, help="A kill comes within so many seconds of load.")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        folder = Path(name)
        home, _ = make_home(folder / "home", 300, 200, 16)
        longest = 0.0
        with prepared(home, load_settings(home=home.root), folder) as (bench, store):
            for i in range(options.kills):
                victim = VICTIMS[i % 3]
                with writing(bench, options.writers):
                    time.sleep(draw.uniform(0.2, options.seconds))
                    took = strike(bench, victim, store)
                longest = max(longest, took)
                lost, doubled = check(bench, store)
                known = len(set(bench.tally.acknowledged))
                print(f"{i} {victim}: {known} acknowledged, {lost} lost, {doubled} doubled, back after {took:.1f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
    tally = bench.tally
    found = {
        "acknowledged": known, "lost": lost, "doubled": doubled, "refused": dict(tally.refused),
        "matches": dict(tally.matched), "without_retry_after": tally.no_retry_after, "longest_s": round(longest, 1),
    }  # fmt: skip
    print(json.dumps({"benchmark": "killed_responses", **vars(options), **found}))
    return 1 if lost or doubled or tally.no_retry_after else 0


if __name__ == "__main__":
    sys.exit(main())
