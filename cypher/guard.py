"""What a query's plan may hold: reading only, no file, no procedure outside a short list.

READ access already makes the server reject a write; the plan says so before anything runs, and it
also shows what READ access lets through: LOAD CSV, procedures, and commands of the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lake.errors import QueryRefused

PROCEDURES = frozenset({"db.labels", "db.relationshiptypes", "db.propertykeys"})
"""Procedures that a query may call, in lower case."""

_WRITES = re.compile(
    r"^(Create|Merge|Delete|DetachDelete|Set[A-Z]|Remove|Foreach|SubqueryForeach|TransactionForeach|TransactionApply|Lock"
    r"|Insert|Drop|Alter|Grant|Deny|Revoke|Rename|Enable|Start|Stop|Terminate|Show|DoNothing|AssertAllowed|LogSystem)"
)


def check(plan: Mapping[str, Any]) -> None:
    """Raise QueryRefused, naming the step, where the plan of `EXPLAIN` does more than read.

    `plan` is the driver's: `operatorType`, `arguments` (with `Details`), `children`.
    """
    for step in _steps(plan):
        name = str(step.get("operatorType", "")).split("@")[0]
        details = str((step.get("arguments") or {}).get("Details", ""))
        if name == "LoadCSV":
            raise QueryRefused("the query loads a file (LOAD CSV)", "hand lists in as parameters")
        if name == "ProcedureCall":
            called = details.split("(")[0].strip().split(" ")[-1]
            if called.lower() not in PROCEDURES:
                raise QueryRefused(f"the query calls the procedure {called}", "templates call no procedures")
        elif _WRITES.match(name):
            raise QueryRefused(f"the query does not only read ({name})", "templates are read-only")


def _steps(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("children") or ():
        yield from _steps(child)
