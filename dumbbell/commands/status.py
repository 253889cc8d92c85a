"""`status`: what ran, how fresh and how good it is, what is due, and what to do next."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow.parquet as pq
import typer

from dumbbell import steps
from dumbbell.command import Answer, Call, command, table_of
from dumbbell.last_runs import Steps
from dumbbell.next_step import next_step
from embeddings.snapshot import Snapshot
from lake import runs
from lake.clock import last_days
from lake.home import Home
from lake.tables import Lake
from loaders.inventory import Inventory


def register(app: typer.Typer) -> None:
    command(app, "status", example="dumbbell status --json")(status)


def status(call: Call) -> Answer:
    """Last runs, freshness, rows, quarantine, quality, what `run` would do, and the next step."""
    home = call.home()
    lake = Lake(home.lake)
    done = Steps(home).facts
    commands = runs.read(home.runs)
    days = last_days(lake)
    due = steps.due(home, call.settings)
    rows = {name: count(lake, name) for name in tables_of(lake)}
    aside = quarantined(home)
    snapshot, quality = snapshot_age(home), _quality(home)
    following = f"dumbbell {due[0]}" if due else next_step(home, lake, set(done))
    facts: dict[str, Any] = {
        "commands": commands,
        "runs": {name: {"ended": step["ended"], "seconds": step["seconds"]} for name, step in done.items()},
        "last_event": max((day for day in days.values() if day is not None), default=None),
        "last_events": days,
        "rows": rows,
        "quarantine": aside,
        "snapshot": snapshot,
        "quality": quality,
        "due": due,
        "next": following,
    }
    ran = [[name, run["started"], run["seconds"], run["result"]] for name, run in commands.items()]
    ran += [[f"- {name}", step["ended"], step["seconds"], "done"] for name, step in done.items()]
    fed = [
        [name, count, days.get(name), (aside.get(name) or {}).get("rows"), (aside.get(name) or {}).get("share")]
        for name, count in rows.items()
    ]
    said = f"{snapshot['id']}, {snapshot['days']:.1f} days old" if snapshot else "none"
    return Answer(
        facts,
        tables=[
            table_of("last runs", ["command", "when (UTC)", "seconds", "result"], ran),
            table_of("tables", ["table", "rows", "last event", "quarantined", "share"], fed),
        ],
        lines=[
            f"snapshot: {said}",
            *[f"{name}: {value}" for name, value in quality.items()],
            f"due: {', '.join(due) or 'nothing'}",
            f"next: {following}",
        ],
    )


def tables_of(lake: Lake) -> list[str]:
    """Names of the lake's tables."""
    names = {path.relative_to(lake.root).parts[0].removesuffix(".parquet") for path in lake.root.glob("**/*.parquet")}
    return sorted(name for name in names if not name.startswith("."))


def count(lake: Lake, name: str) -> int:
    """Rows of a table, from the files' footers."""
    return sum(pq.read_metadata(path).num_rows for path in lake.files(name))


def quarantined(home: Home) -> dict[str, dict[str, Any]]:
    """Rows set aside by feed, and their share of the rows read, over the files in force; feeds without any left out."""
    inventory = Inventory.read(home.root)
    found: dict[str, tuple[int, int]] = {}
    for feed, months in inventory.in_force.items():
        in_force = {digest for digests in months.values() for digest in digests}
        records = [record for digest, record in inventory.files[feed].items() if digest in in_force]
        found[feed] = (sum(r.read for r in records), sum(r.quarantined for r in records))
    for feed, last in inventory.keyed.items():
        found[feed] = (last["counts"][0], last["counts"][1])
    return {feed: {"rows": bad, "share": bad / read} for feed, (read, bad) in sorted(found.items()) if bad}


def snapshot_age(home: Home) -> dict[str, Any] | None:
    """The current snapshot's id, when it was made, and how many days ago; None without one."""
    if not (home.snapshots / "current").exists():
        return None
    snapshot = Snapshot.current(home)
    made = dt.datetime.fromisoformat((snapshot.folder / "made_at").read_text().strip())
    return {"id": snapshot.id, "made": made, "days": (dt.datetime.now(dt.UTC) - made).total_seconds() / 86_400}


def _quality(home: Home) -> dict[str, str]:
    if not (home.snapshots / "current").exists():
        return {}
    metrics = Snapshot.current(home).manifest["metrics"]
    shown: dict[str, dict[str, float]] = metrics["table"]
    told = [f"{figure}@{metrics['k']}" for figure in ("recall", "ndcg")]
    return {"serves": metrics["served"]} | {
        f"held-out {name}": ", ".join(f"{figure} {row[figure]:.4f}" for figure in told) for name, row in shown.items()
    }
