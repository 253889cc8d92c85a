"""What is known of the models themselves, as JSON beside the tables."""

from __future__ import annotations

import json
import os
from typing import Any

from lake.tables import Lake

TABLES = ("churn", "scores")


def keep(lake: Lake, table: str, facts: dict[str, Any]) -> None:
    """Write the facts of a table's models beside it."""
    path = lake.root / f"{table}.report.json"
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(facts, indent=1) + "\n")
    os.replace(beside, path)


def drop(lake: Lake) -> None:
    for table in TABLES:
        (lake.root / f"{table}.report.json").unlink(missing_ok=True)


def kept(lake: Lake) -> dict[str, Any]:
    """The facts of each table that has any."""
    paths = {table: lake.root / f"{table}.report.json" for table in TABLES}
    return {table: json.loads(path.read_text()) for table, path in paths.items() if path.exists()}
