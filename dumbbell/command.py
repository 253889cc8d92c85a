"""What every command shares: its options, one way to succeed, one way to fail.

A command is a function `f(call, …) -> Answer`. `command` gives it --home, --json and (where it writes)
--wait, prints its answer, and turns every error into a sentence and an exit status.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import orjson
import typer
from rich.console import Console
from rich.table import Table

from lake.errors import DumbbellError
from lake.home import Home, as_filled
from lake.settings import Settings, load_settings

HomeOption = Annotated[Path | None, typer.Option("--home", help="The home folder (DUMBBELL_HOME; default ./home).")]
JsonOption = Annotated[bool, typer.Option("--json", help="End by printing one JSON object on stdout.")]
WIDTH = 1000
"""Characters that a table may take in a file or a pipe: nothing is cut there; a terminal folds."""

WaitOption = Annotated[bool, typer.Option("--wait", help="Wait while another command holds the home.")]


@dataclass(frozen=True)
class Call:
    """One call of the command line: its settings and how it is to answer."""

    command: str
    settings: Settings
    as_json: bool = False
    wait: bool = False

    def home(self, *, create: bool = False, finishing: str = "") -> Home:
        return Home.open(self.settings, create=create, finishing=finishing)


@dataclass
class Answer:
    """What a command found: the JSON object, and the same for people."""

    facts: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    exit_status: int = 0


def table_of(title: str, columns: list[str], rows: list[list[Any]]) -> Table:
    """A table for the terminal; numbers to the right.

    >>> table_of("feeds", ["feed", "rows"], [["calls", 3]]).row_count
    1
    """
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows if row[index] is not None)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*[cell(value) for value in row])
    return table


def cell(value: Any) -> str:
    """A value as people read it; files and JSON keep every digit.

    >>> [cell(v) for v in (None, True, 12345, 0.0936768149882904, "a")]
    ['', 'true', '12,345', '0.09368', 'a']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def command(app: typer.Typer, name: str, *, example: str, writes: bool = False) -> Callable[..., Any]:
    """Register `f(call, …) -> Answer` as a command; its docstring is the help, `example` ends it."""

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(function)
        def entry(**arguments: Any) -> None:
            common = {key: arguments.pop(key, None) for key in ("home", "as_json", "wait")}
            root = typer_context_defaults(arguments.pop("ctx"))
            as_json = bool(common["as_json"] or root.get("as_json"))
            with failing_well(as_json):
                settings = as_filled(load_settings(home=common["home"] or root.get("home")))
                call = Call(name, settings, as_json, bool(common["wait"] or root.get("wait")))
                show(function(call, **arguments), as_json)

        hints = get_type_hints(function, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in list(inspect.signature(function).parameters.values())[1:]]
        extra = [
            ("ctx", typer.Context, inspect.Parameter.empty),
            ("home", HomeOption, None),
            ("as_json", JsonOption, False),
        ]
        if writes:
            extra.append(("wait", WaitOption, False))
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [p.replace(kind=keyword) for p in own]
        parameters += [inspect.Parameter(n, keyword, default=d, annotation=a) for n, a, d in extra]
        entry.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        entry.__annotations__ = {p.name: p.annotation for p in parameters}
        del entry.__wrapped__  # type: ignore[attr-defined]  # typer would look through to the bare function
        entry.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nExample:  {example}"
        app.command(name)(entry)
        return function

    return register


def typer_context_defaults(ctx: typer.Context) -> dict[str, Any]:
    """Options given before the command's name (`dumbbell --home X load …`)."""
    root = ctx.find_root().obj
    return root if isinstance(root, dict) else {}


def show(answer: Answer, as_json: bool) -> None:
    """Print an answer: one JSON object, or tables and lines. Leaves with its exit status."""
    if as_json:
        print(
            orjson.dumps(
                answer.facts, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
            ).decode()
        )
    else:
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        for table in answer.tables:
            console.print(table)
        for line in answer.lines:
            print(line)
    if answer.exit_status:
        raise typer.Exit(answer.exit_status)


class failing_well:  # noqa: N801  a context manager read as a verb
    """Every error leaves as a sentence on stderr and an exit status; with --json also as an `error` code."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, typer.Exit | typer.Abort | SystemExit):
            return
        if kind is not None and kind.__module__.startswith(("typer", "click")):
            return  # wrong usage: typer says so itself, with status 2
        if isinstance(error, DumbbellError):
            self._leave(error.code, str(error), error.exit_status)
        if isinstance(error, KeyboardInterrupt):
            self._leave("interrupted", "interrupted: run the same command again to finish", 1)
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(1) from None
        traceback.print_exception(error, file=sys.stderr)
        self._leave("unexpected", f"an error that nobody foresaw ({type(error).__name__}): please report it", 1)

    def _leave(self, code: str, message: str, status: int) -> None:
        Console(stderr=True, soft_wrap=True).print("[bold red]error:[/] ", end="")
        print(message, file=sys.stderr)
        if self.as_json:
            print(orjson.dumps({"error": code, "message": message}).decode())
        raise typer.Exit(status) from None
