"""What a query may hold: reading only, in this database, no file, no procedure or function outside short lists.

READ access already makes the server reject a write; the plan says so before anything runs, and it also shows what
READ access lets through: LOAD CSV, procedures, transactions of their own, and commands of the server. What a plan
does not show (functions, other databases, prefixes) is read from the text.
"""

from __future__ import annotations

import re

from graph.store import Plan
from lake.errors import QueryRefused

PROCEDURES = frozenset({"db.labels", "db.relationshiptypes", "db.propertykeys"})
"""Procedures that a query may call, in lower case."""

NAMESPACES = frozenset({"date", "datetime", "localdatetime", "time", "localtime", "duration", "point"})
"""Where the functions with a dot in their name may come from; all others are plugins' (apoc, …) or about the server."""

_COMMANDS = re.compile(
    r"^(Show|Terminate|Start|Stop|Alter|Grant|Deny|Revoke|Drop|Create|Rename|Enable|Transaction|Administration)"
)
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|//[^\n]*|/\*.*?\*/", re.DOTALL)
_PREFIX = re.compile(r"\s*(EXPLAIN|PROFILE|CYPHER)\b", re.IGNORECASE)
_USE = re.compile(r"(?<![.$:\w])USE\s+[A-Za-z_]", re.IGNORECASE)
_CALL = re.compile(r"\bCALL\s[\w.\s]*(?=\()", re.IGNORECASE)
_FUNCTION = re.compile(r"(?<![.$\w])([A-Za-z_]\w*)((?:\s*\.\s*\w+)+)\s*\(")


def check(plan: Plan) -> None:
    """Raise QueryRefused, naming what is wrong, where a query, or the plan of its `EXPLAIN`, does more than read."""
    _check_text(plan.query)
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


def _check_text(query: str) -> None:
    if re.search(r"\\u", query, re.IGNORECASE):  # read before strings and comments are: it can hide anything
        raise QueryRefused("the query holds a \\u escape", "write the character itself")
    bare = _QUOTED.sub(" ", query).replace("`", "")
    if prefix := _PREFIX.match(bare):
        raise QueryRefused(f"the query begins with {prefix[1].upper()}", "give the query alone")
    if _USE.search(bare):
        raise QueryRefused("the query names a database (USE)", "leave it out; no variable can have this name")
    for space, rest in _FUNCTION.findall(_CALL.sub(" ", bare)):  # the plan shows which procedures are called
        if space.lower() not in NAMESPACES:
            called = re.sub(r"\s", "", space + rest)
            raise QueryRefused(f"the query calls {called}, no function of Cypher's own", "compute it in plain Cypher")
