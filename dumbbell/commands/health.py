"""`doctor`: engine, versions, disk, memory, key, rules and snapshot, and what to mend."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable
from importlib.metadata import version

import psutil
import typer

from dumbbell.command import Answer, Call, command, table_of
from dumbbell.next_step import nothing_to_match
from embeddings.snapshot import Snapshot
from graph.engine.fetch import cache_folder
from graph.engine.jars import lock_path, path_of, read_lock
from graph.engine.releases import DEFAULT_LINE, RELEASES
from graph.store import open_store
from lake.errors import DumbbellError, HomeError
from lake.tables import Lake
from matching.bars import load_rules
from matching.parameters import OwnRule


def register(app: typer.Typer) -> None:
    command(app, "doctor", example="dumbbell doctor")(doctor)


def doctor(call: Call) -> Answer:
    """Check engine, versions, disk, memory, key, rules and snapshot; say what to mend (then exit status 1)."""
    checks: dict[str, Callable[[Call], str]] = {
        "python": lambda _: sys.version.split()[0],
        "versions": lambda _: ", ".join(f"{name} {version(name)}" for name in ("neo4j", "duckdb", "torch", "pyarrow")),
        "engine files": _jars,
        "disk": _disk,
        "memory": _memory,
        "home": lambda c: f"{c.home().root} is whole",
        "key": _key,
        "rules": _rules,
        "engine": _engine,
        "snapshot": _snapshot,
    }
    rows, amiss = [], []
    for name, check in checks.items():
        try:
            rows.append([name, "ok", check(call)])
        except DumbbellError as error:
            rows.append([name, "mend", str(error)])
            amiss.append(name)
    facts = {"checks": [{"name": n, "ok": state == "ok", "found": found} for n, state, found in rows]}
    if amiss:
        facts["error"] = "doctor"  # type: ignore[assignment]
    return Answer(
        facts,
        tables=[table_of("doctor", ["check", "state", "found"], rows)],
        lines=[f"mend: {', '.join(amiss)}" if amiss else "all is well"],
        exit_status=1 if amiss else 0,
    )


def _jars(call: Call) -> str:
    """Whether the engine's files are there; what is missing is fetched by the first command that needs it."""
    if call.settings.neo4j_uri:
        return "not needed: DUMBBELL_NEO4J_URI names a server"
    version_ = RELEASES[DEFAULT_LINE].version
    jars = read_lock(lock_path(version_))
    there = sum(path_of(jar, cache_folder()).exists() for jar in jars)
    rest = "" if there == len(jars) else ": the next start fetches the rest"
    return f"Neo4j {version_}: {there} of {len(jars)} jars in {cache_folder()}{rest}"


def _disk(call: Call) -> str:
    folder = call.settings.home.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < 2 * 10**9:
        raise HomeError(f"{free / 1e9:.1f} GB free for the home", "free some space: a load needs 2 GB or more")
    return f"{free / 1e9:.0f} GB free"


def _memory(call: Call) -> str:
    memory = psutil.virtual_memory()
    if memory.available < 2 * 2**30:
        raise HomeError(f"{memory.available / 2**30:.1f} GiB of memory available", "the engine and a run need 2 GiB")
    return f"{memory.available / 2**30:.0f} of {memory.total / 2**30:.0f} GiB available"


def _key(call: Call) -> str:
    home = call.home()
    home.pseudonyms()
    if stat.S_IMODE(home.key_file.stat().st_mode) & 0o077:
        raise HomeError(f"{home.key_file} can be read by others", f"chmod 600 {home.key_file}")
    return "readable by its owner alone, and the one this home was filled with"


def _rules(call: Call) -> str:
    rules = load_rules(call.settings.rules, Lake(call.settings.home / "lake"))
    own = sum(isinstance(rule.settings, OwnRule) for rule in rules)
    return f"{sum(rule.in_force for rule in rules)} in force, {own} of the operator's own"


def _engine(call: Call) -> str:
    with open_store(call.home(), call.settings) as store:
        row = store.read("CALL dbms.components() YIELD name, versions, edition RETURN name, versions[0] AS v, edition")[
            0
        ]
    return f"{row['name']} {row['v']} {row['edition']} answers"


def _snapshot(call: Call) -> str:
    home = call.home()
    why = "" if (home.snapshots / "current").exists() else nothing_to_match(Lake(home.lake))
    return f"none is needed: {why}" if why else f"{Snapshot.current(home).id} opens"
