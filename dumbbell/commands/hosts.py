"""`hosts`: visited hosts that no rule knows, ready to become rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow.csv as pa_csv
import typer

from dumbbell.command import Answer, Call, command, table_of
from lake.errors import NotReady
from lake.tables import Lake
from loaders.urls.coverage import LEAST_USERS, as_rules

SHOWN = 20


def register(app: typer.Typer) -> None:
    command(app, "hosts", example="dumbbell hosts --limit 500 --out new_rules.csv")(hosts)


def hosts(
    call: Call,
    limit: Annotated[
        int | None, typer.Option(help=f"The first so many; default {SHOWN}, with --out all.", min=1)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a url_rules file instead, to fill in and load.")] = None,
) -> Answer:
    """List hosts that `url_rules` do not recognise, by how many customers visit them.

    Hosts of fewer than three customers are left out, and so are IP addresses and names that hold a number.
    """
    lake = Lake(call.home().lake)
    if not lake.has("unknown_hosts"):
        raise NotReady("no visits have been loaded into this home", "load a folder with web_visits")
    every = lake.read("unknown_hosts")
    most = every.num_rows if out is not None and limit is None else limit or SHOWN
    listed = as_rules(every.slice(0, most))
    facts = {"hosts": every.num_rows, "least_users": LEAST_USERS}
    if out is not None:
        pa_csv.write_csv(listed, out)
        line = f"wrote {out}: {listed.num_rows:,} hosts; fill in app, tag or content, and load it as url_rules.csv"
        return Answer({**facts, "out": str(out), "rows": listed.num_rows}, lines=[line])
    columns = ["pattern", "users", "visits", "mb"]
    items = listed.select(columns).to_pylist()
    return Answer(
        {**facts, "items": items},
        tables=[table_of("Hosts without a rule", columns, [list(item.values()) for item in items])],
        lines=[f"{len(items):,} of {every.num_rows:,} hosts; --out FILE.csv writes them as rules to fill in"],
    )
