"""What a query's plan may hold: reading only, no file, no procedure outside a short list.

READ access already makes the server reject a write; the plan says so before anything runs, and it
also shows what READ access lets through: LOAD CSV, procedures, and commands of the server.
"""

from __future__ import annotations

import re

from graph.store import Plan
from lake.errors import QueryRefused

PROCEDURES = frozenset({"db.labels", "db.relationshiptypes", "db.propertykeys"})
"""Procedures that a query may call, in lower case."""

_COMMANDS = re.compile(r"^(Show|Terminate|Start|Stop|Alter|Grant|Deny|Revoke|Drop|Create|Rename|Enable)")


def check(plan: Plan) -> None:
    """Raise QueryRefused, naming the step, where the plan of `EXPLAIN` does more than read."""
    for step in plan.operators:
        name = str(step.get("operatorType", "")).split("@")[0]
        details = str((step.get("args") or {}).get("Details", ""))
        if name == "LoadCSV":
            raise QueryRefused("the query loads a file (LOAD CSV)", "hand lists in as parameters")
        if name == "ProcedureCall":
            called = details.split("(")[0].strip()
            if called.lower() not in PROCEDURES:
                raise QueryRefused(f"the query calls the procedure {called}", "templates call no procedures")
        elif _COMMANDS.match(name):
            raise QueryRefused(f"the query does not only read ({name})", "templates are read-only")
    if plan.query_type != "r":
        raise QueryRefused("the query does not only read", "templates are read-only")
