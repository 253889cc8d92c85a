"""`template list|show|run`: the marketers' Cypher templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cypher.catalogue import find, load
from cypher.output import write_file
from cypher.parameters import parse_options
from cypher.run import run as run_template
from dumbbell.command import Answer, Call, command, table_of
from graph.store import open_store
from lake.clock import today
from lake.tables import Lake

NameArgument = Annotated[
    str, typer.Argument(help="A template's name; `dumbbell template list` has them.", show_default=False)
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Cypher templates: list, show, run.")
    command(group, "list", example="dumbbell template list")(list_templates)
    command(group, "show", example="dumbbell template show shrinking_circles")(show)
    command(group, "run", example="dumbbell template run shrinking_circles --param limit=20")(run)
    app.add_typer(group, name="template")


def list_templates(call: Call) -> Answer:
    """List the templates by group, with what each is for."""
    found = sorted(load().values(), key=lambda t: (t.group, t.name))
    rows = [[t.group, t.name, t.title] for t in found]
    items = [t.to_json() for t in found]
    return Answer({"items": items, "next": None}, tables=[table_of("templates", ["group", "name", "title"], rows)])


def show(call: Call, name: NameArgument) -> Answer:
    """Show one template: purpose, parameters, columns, and the Cypher, which pastes into any Neo4j browser."""
    template = find(name)
    return Answer({**template.to_json(), "cypher": template.cypher}, lines=[template.text.rstrip()])


def run(
    call: Call,
    name: NameArgument,
    param: Annotated[list[str] | None, typer.Option(help="k=v; a list is k=a,b or k=@FILE. Repeat it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write .csv, .json, .jsonl, .parquet or .arrow instead.")] = None,
) -> Answer:
    """Run one template, read-only, with a time limit and a row cap."""
    template = find(name)
    home = call.home()
    parameters = parse_options(template, param or [], today(call.settings, Lake(home.lake)))
    with open_store(home, call.settings) as store:
        result = run_template(store, template, parameters)
        if out is not None:
            count = write_file(result, out)
            return Answer({"template": name, "out": str(out), "rows": count}, lines=[f"wrote {out}: {count:,} rows"])
        rows = [list(row) for row in result.rows]
    items = [dict(zip(result.columns, row, strict=True)) for row in rows]
    return Answer(
        {"template": name, "columns": list(result.columns), "items": items, "next": None},
        tables=[table_of(template.title, list(result.columns), rows)],
        lines=[f"{len(rows):,} rows"],
    )
