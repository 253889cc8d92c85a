"""`serve` and `demo`: the API."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.keys import KeyStore
from api.server import require_free
from api.server import serve as serve_api
from dumbbell.command import Answer, Call, command, show
from dumbbell.commands.steps import run_steps
from embeddings.snapshot import Snapshot
from graph.engine.server import running
from lake.errors import UnknownName
from lake.home import Home
from lake.progress import working
from lake.tables import Lake
from matching.decision import MatchRequest
from matching.match import match
from matching.rules import read_rules
from matching.state import MatchState

HostOption = Annotated[str, typer.Option(help="Address to listen on; beyond loopback only with TLS.")]
PortOption = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)]
WorkersOption = Annotated[int, typer.Option(help="Processes that answer.", min=1)]


def register(app: typer.Typer) -> None:
    command(app, "serve", example="dumbbell serve --port 8000")(serve)
    command(app, "demo", example="dumbbell demo", writes=True)(demo)


def serve(call: Call, host: HostOption = "127.0.0.1", port: PortOption = 8000, workers: WorkersOption = 1) -> Answer:
    """Serve the API until Ctrl-C. A new snapshot is taken up without dropping a request."""
    served: dict[str, Any] = {}

    def ready(address: str) -> None:
        served["address"] = address
        typer.echo(f"serving {address} (OpenAPI at {address}/openapi.json)", err=True)

    serve_api(call.home(), call.settings, host=host, port=port, workers=workers, on_ready=ready)
    return Answer(served)


def demo(
    call: Call,
    users: Annotated[int, typer.Option(help="Customers of the sample operator.", min=50)] = 20_000,
    months: Annotated[int, typer.Option(help="Months of the sample operator.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the sample operator.", min=0)] = 1,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: WorkersOption = 1,
) -> Answer:
    """Write a sample operator, run everything on it, serve, and print an address, a key and three calls to paste."""
    require_free(host, port)
    read_rules(call.settings.rules)
    home = call.home(create=True)
    with ExitStack() as engine:  # started once, for all that follows
        return _demo(call, home, (users, months, seed), (host, port, workers), engine)


def _demo(
    call: Call, home: Home, sample: tuple[int, int, int], where: tuple[str, int, int], engine: ExitStack
) -> Answer:
    host, port, workers = where
    with home.writing(call.command, wait=call.wait):
        started = partial(engine.enter_context, running(home, call.settings))
        done = run_steps(call, home, sample_feeds(home, *sample), ready=started)
    if not call.as_json:
        show(done, False)
    keys = KeyStore(home)
    try:
        keys.revoke("demo")
    except UnknownName:
        typer.echo("making a first key", err=True)
    key = keys.add("demo", ["match", "query", "explore"])

    def ready(address: str) -> None:
        calls = calls_to_paste(call, home, address, key)
        if call.as_json:
            print(orjson.dumps({"address": address, "key": key, "calls": calls}).decode(), flush=True)
        else:
            print(f"\nserving {address} until Ctrl-C; API key {key}\n")
            for what, line in calls.items():
                print(f"# {what}\n{line}\n", flush=True)

    serve_api(home, call.settings, host=host, port=port, workers=workers, on_ready=ready)
    return Answer({"served": True})


def sample_feeds(home: Home, users: int, months: int, seed: int) -> Path:
    """The sample operator's feed folder in the home; written once for the same figures."""
    from loaders.sample import write_sample

    folder = home.root / "sample" / f"{users}-{months}-{seed}"
    whole = folder / "truth" / "whole.json"
    if not whole.exists():
        with working(f"a sample of {users:,} users and {months} months"):
            written = write_sample(folder, users=users, months=months, seed=seed)
        home.write_text(whole, json.dumps(written, default=str))
    return folder


def calls_to_paste(call: Call, home: Home, address: str, key: str) -> dict[str, str]:
    """A match, a template and an ego network, for a customer who has something to show."""
    user = someone(call, home)
    head = f"curl -s -H 'Authorization: Bearer {key}'"
    post = f"{head} -H 'Content-Type: application/json' -d"
    match_body = orjson.dumps({"user": user, "kind": "app", "k": 3}).decode()
    return {
        "three apps for a customer, each with its reason and path": f"{post} '{match_body}' {address}/v1/match",
        "customers whose circles are shrinking": (
            f'{post} \'{{"parameters": {{"limit": 5}}}}\' {address}/v1/templates/shrinking_circles'
        ),
        "the people around that customer": f"{head} '{address}/v1/influence/ego/{user}?hops=1'",
    }


def someone(call: Call, home: Home) -> str:
    """A consenting customer with calls and with matches; the most central such one."""
    import uuid

    lake = Lake(home.lake)
    state = MatchState.load(home, call.settings, lake, Snapshot.current(home))
    leaders = lake.read("leaders", ["user", "rank"]).sort_by("rank")["user"].slice(0, 200)
    for user in leaders.to_pylist():
        found = match(state, MatchRequest(user=user, kind="app", k=3), None)
        if found.items:
            return str(uuid.UUID(bytes=user))
    raise UnknownName("no customer of the sample has a match", "run `dumbbell embed --force`")
