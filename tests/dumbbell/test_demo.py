"""`dumbbell demo` on the product's own Neo4j: the address, the key, and the three calls to paste."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    home = tmp_path_factory.mktemp("demo") / "home"
    settings = {k: v for k, v in os.environ.items() if not k.startswith("DUMBBELL_")}
    arguments = ["demo", "--users", "300", "--months", "3", "--port", "0", "--json", "--home", str(home)]
    process = subprocess.Popen(
        [sys.executable, "-m", "dumbbell", *arguments], stdout=subprocess.PIPE, text=True, env=settings
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"demo ended with {process.wait()}"
    try:
        yield json.loads(line) | {"home": home, "process": process}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def paste(line: str) -> httpx.Response:
    """What curl would send for one of the printed lines."""
    words = shlex.split(line)[1:]
    headers, body, address = {}, None, words[-1]
    for flag, value in itertools.pairwise(words):
        if flag == "-H":
            name, content = value.split(":", 1)
            headers[name] = content.strip()
        elif flag == "-d":
            body = value
    return httpx.request("POST" if body else "GET", address, headers=headers, content=body, timeout=30)


def test_three_calls_answer(demo: dict[str, Any]) -> None:
    match, template, ego = [paste(line) for line in demo["calls"].values()]
    assert match.status_code == template.status_code == ego.status_code == 200, (match.text, template.text, ego.text)
    for item in match.json()["items"]:
        assert item["reason"]
        assert item["path"]
    assert "items" in template.json()
    assert len(ego.json()["nodes"]) > 1


def test_a_refusal_is_respected_by_the_next_match(demo: dict[str, Any]) -> None:
    line = next(iter(demo["calls"].values()))
    first = paste(line).json()
    refused = first["items"][0]["id"]
    answer = httpx.post(
        f"{demo['address']}/v1/responses",
        headers={"Authorization": f"Bearer {demo['key']}", "Idempotency-Key": "demo-1"},
        json={"decision": first["decision"], "item": refused, "channel": "app", "outcome": "refused"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    assert refused not in [item["id"] for item in paste(line).json()["items"]]


def test_nothing_outlives_the_demo(demo: dict[str, Any]) -> None:
    """Run last: Ctrl-C stops the API, and with its last user the engine."""
    home: Path = demo["home"]
    process: subprocess.Popen[str] = demo["process"]
    password = (home / "neo4j" / "password").stat().st_mode & 0o777
    assert password == 0o600
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 1)
    mine = re.compile(re.escape(str(home)))
    _, alive = psutil.wait_procs(
        [p for p in psutil.process_iter(["cmdline"]) if mine.search(" ".join(p.info["cmdline"] or []))], timeout=20
    )
    assert not alive
