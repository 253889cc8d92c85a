"""Traces of decisions with other pseudonyms, or without some customers: every trace that names one goes, whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from lake.home import Home, enough_disk
from matching.decisions import FILE, TABLE

BATCH = 10_000

Change = Callable[[list[str]], list[str | None]]
"""From pseudonyms in text to those to write, None for a customer who is forgotten."""


def stage_decisions(home: Home, staging: Path, change: Change, snapshots: Mapping[str, str]) -> tuple[int, list[str]]:
    """Stage the traces, with the new ids of snapshots that have one.

    Returns how many traces went, and the paths below the home that go. The file is written afresh, so that nothing of
    a trace that went is left in it.
    """
    path = home.root / FILE
    if not path.exists():
        return 0, []
    gone = 0
    with (
        enough_disk(home.root),
        closing(sqlite3.connect(path)) as before,
        closing(sqlite3.connect(staging / FILE)) as after,
    ):
        (staging / FILE).chmod(0o600)
        after.execute(TABLE)
        rows = before.execute("SELECT id, at, trace FROM decisions ORDER BY at, id")
        while batch := rows.fetchmany(BATCH):
            kept = list(_changed(batch, change, snapshots))
            gone += len(batch) - len(kept)
            with after:
                after.executemany("INSERT INTO decisions (id, at, trace) VALUES (?, ?, ?)", kept)
    return gone, [f"{FILE}{suffix}" for suffix in ("-wal", "-shm")]


def _changed(
    batch: list[tuple[str, int, bytes]], change: Change, snapshots: Mapping[str, str]
) -> Iterator[tuple[str, int, bytes]]:
    traces = [orjson.loads(trace) for _, _, trace in batch]
    named = sorted({places[key] for trace in traces for places, key in users_in(trace)})
    new = dict(zip(named, change(named), strict=True))
    for (id, at, _), trace in zip(batch, traces, strict=True):
        trace["snapshot"] = snapshots.get(trace["snapshot"], trace["snapshot"])
        places = list(users_in(trace))
        if all(new[where[key]] is not None for where, key in places):
            for where, key in places:
                where[key] = new[where[key]]
            yield id, at, orjson.dumps(trace)


def users_in(trace: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every place in a trace that holds a pseudonym: a dict and its key.

    >>> step = {"node": "User", "key": "u1"}
    >>> many = {"node": "User", "count": 3}
    >>> trace = {"request": {"user": "u1"}, "items": [{"path": [step, {"edge": "CALLS"}, many]}]}
    >>> [where[key] for where, key in users_in(trace)]
    ['u1', 'u1']
    """
    if trace["request"]["user"] is not None:
        yield trace["request"], "user"
    for item in trace["items"]:
        for step in item["path"]:
            if step.get("node") == "User" and "key" in step:
                yield step, "key"
