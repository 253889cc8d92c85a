"""How fast POST /v1/match answers, against a FastAPI route that returns a constant, prebuilt Response.

    python -m benchmarks.match_rate [--users 60000 --apps 25000 --dimensions 448 --seconds 6 --rounds 5
        --connections 32 --workers 1]

Both are served by uvicorn with the same settings, each in a process of its own, and asked in turn, round by round, by
one client: asyncio, keep-alive, so many connections at once. Its own cost is in both figures, and so is what else
runs on the machine. The match asks for 10 apps of customers drawn at random, once the lists of all are made ahead:
`first` each once, for the first time, `again` of 1000 who have asked before, `changed` of those who used another app
since, whom no list answers. Three of ten apps run on a customer's handset. The constant's bytes are those of a match.

Prints one line of JSON: requests a second, p50 and p99 in ms, processor time a request in ms of a single worker
(medians of the rounds), the ratios, and in how many seconds the lists were made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from api.keys import KeyStore
from benchmarks.made_home import make_home
from benchmarks.made_lake import TODAY

# The two servers


CONSTANT = """
import socket, sys
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

app = FastAPI(docs_url=None, redoc_url=None)
answer = Response(open(sys.argv[1], "rb").read(), media_type="application/json")

@app.post("/v1/match")
async def constant(request: Request) -> Response:
    return answer

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # with it, asyncio sends at once
listener.bind(("127.0.0.1", 0))
listener.listen(2048)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False)).run(sockets=[listener])
"""
SERVE = """
import sys
from api.server import serve
from lake.home import Home
from lake.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    serve(Home.open(settings), settings, port=0, workers=int(sys.argv[1]),
          on_ready=lambda address: print(address, flush=True))
"""


@contextmanager
def served(folder: Path, name: str, source: str, argument: str, **variables: str) -> Iterator[str]:
    """A process that says its address; its log goes to a file."""
    script = folder / f"{name}.py"
    script.write_text(source)
    here = str(Path(__file__).parents[1])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
    with open(folder / f"{name}.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, script, argument], stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
            env=kept | {"PYTHONPATH": here} | variables,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise SystemExit((folder / f"{name}.log").read_text()[-2000:])
            yield address
        finally:
            process.terminate()
            process.wait(60)


# The client


async def _connection(port: int, requests: Iterator[bytes], until: float, took: list[float]) -> int:
    """Ask one request after the other on one connection; returns how many were not answered 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wrong = 0
    while time.perf_counter() < until and (request := next(requests, None)) is not None:
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - started)
        wrong += not head.startswith(b"HTTP/1.1 200")
    writer.close()
    return wrong


async def _ask(port: int, requests: list[bytes], connections: int, seconds: float, once: bool) -> dict[str, float]:
    took: list[float] = []
    shared = iter(requests) if once else cycle(requests)
    started = time.perf_counter()
    until = started + seconds
    wrong = await asyncio.gather(*(_connection(port, shared, until, took) for _ in range(connections)))
    passed = time.perf_counter() - started
    p50, p99 = np.percentile(took, [50, 99]) * 1000
    rate = len(took) / passed
    return {"asked": len(took), "rate": rate, "p50_ms": float(p50), "p99_ms": float(p99), "wrong": sum(wrong)}


def load(address: str, requests: list[bytes], connections: int, seconds: float, once: bool = False) -> dict[str, float]:
    """Requests in turn over some connections for some seconds, or until each was sent `once`: rate, times, and answers
    that were not 200."""
    return asyncio.run(_ask(int(address.rsplit(":", 1)[1]), requests, connections, seconds, once))


def request_for(user: str, key: str, kind: str = "app", used: str | None = None) -> bytes:
    asked = {"user": user, "kind": kind, "k": 10} | ({} if used is None else {"context": {"used": [used]}})
    body = json.dumps(asked).encode()
    head = (
        f"POST /v1/match HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def processor_ms(script: Path) -> float:
    """Processor time that the process of a script has taken."""
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if str(script).encode() in (each / "cmdline").read_bytes().split(b"\0"):
                taken = (each / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
                return sum(map(int, taken)) / os.sysconf("SC_CLK_TCK") * 1000
        except OSError:  # it has ended meanwhile
            continue
    raise SystemExit(f"{script} does not run")


def wait_for_lists(address: str, key: str) -> float:
    """Until no customer's list is missing; returns the seconds."""
    started = time.monotonic()
    while True:
        told = httpx.get(f"{address}/metrics", headers={"Authorization": f"Bearer {key}"}, timeout=60).text
        if "\ndumbbell_lists_missing 0.0\n" in told:
            return time.monotonic() - started
        time.sleep(0.2)


def middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    home, users = make_home(folder / "home", options.users, options.apps, options.dimensions)
    key = KeyStore(home).add("bench", ["admin"])
    draw = np.random.default_rng(7).permutation(len(users))
    every = [request_for(users[i], key) for i in draw]
    regulars, rest = every[:1000], every[1000:]
    changed = [request_for(users[i], key, used=f"app{i % options.apps}") for i in draw[:1000]]
    settings = {"DUMBBELL_HOME": str(home.root), "DUMBBELL_TODAY": str(TODAY), "DUMBBELL_RATE": "0"}
    found: dict[str, list[dict[str, float]]] = {"constant": [], "first": [], "again": [], "changed": []}
    with served(folder, "match", SERVE, str(options.workers), **settings) as matching:
        given = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(
            f"{matching}/v1/match", json={"user": users[draw[0]], "kind": "app"}, headers=given, timeout=60
        )
        body = answer.content
        if answer.status_code != 200 or len(answer.json()["items"]) != 10:
            raise SystemExit(body.decode() + (folder / "match.log").read_text()[-3000:])
        (folder / "answer").write_bytes(body)
        with served(folder, "constant", CONSTANT, str(folder / "answer")) as constant:

            def ask(name: str, requests: list[bytes]) -> dict[str, float]:
                address, script = (constant, "constant") if name == "constant" else (matching, "match")
                before = processor_ms(folder / f"{script}.py")
                rates = load(address, requests, options.connections, options.seconds, once=name == "first")
                taken = processor_ms(folder / f"{script}.py") - before
                return rates | ({"cpu_ms": taken / rates["asked"]} if options.workers == 1 else {})

            lists_s = wait_for_lists(matching, key)
            for address, requests in ((constant, regulars), (matching, regulars)):
                load(address, requests, options.connections, 3)  # warm
            for i in range(options.rounds):
                part = len(rest) // options.rounds
                asked = {"constant": regulars, "first": rest[i * part : (i + 1) * part], "again": regulars}
                for name, requests in {**asked, "changed": changed}.items():
                    found[name].append(ask(name, requests))
    figures = {name: middle(rounds) for name, rounds in found.items()}
    ratios = {
        f"{name}_{what}": round(
            median(a[figure] / b[figure] for a, b in zip(found[name], found["constant"], strict=True)), 3
        )
        for name in ("first", "again", "changed")
        for what, figure in (("rate_ratio", "rate"), ("p99_ratio", "p99_ms"))
    }
    return {**figures, **ratios, "lists_s": round(lists_s, 1), "answer_bytes": len(body)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = {"users": 60_000, "apps": 25_000, "dimensions": 448, "rounds": 5, "connections": 32, "workers": 1}
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="match-rate-") as folder:
        found = measure(options, Path(folder))
    print(json.dumps({"benchmark": "match_rate", "client": "asyncio", **vars(options), **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
