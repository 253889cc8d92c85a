"""`dumbbell`, also `python -m dumbbell`."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module

import typer

from dumbbell.command import HomeOption, JsonOption, WaitOption

app = typer.Typer(
    name="dumbbell",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Customers, apps, offers and calls of an operator in one graph: who fits what, who leads, who is leaving."
    "\n\nExample:  dumbbell run feeds/ && dumbbell match --kind app --k 10 --out matches.parquet",
)


@app.callback()
def options(ctx: typer.Context, home: HomeOption = None, as_json: JsonOption = False, wait: WaitOption = False) -> None:
    ctx.obj = {"home": home, "as_json": as_json, "wait": wait}


MODULES = {
    "sample": "feeds", "check": "feeds", "pseudonym": "feeds",
    "load": "steps", "analyse": "steps", "embed": "steps", "run": "steps", "hosts": "hosts",
    "match": "decide", "evaluate": "evaluate", "rules": "rules", "template": "templates",
    "serve": "serve", "demo": "serve",
    "forget": "alone", "rekey": "alone", "backup": "alone", "restore": "alone",
    "key": "keys", "status": "status", "doctor": "health",
}  # fmt: skip
"""Where each command is, in the order that help lists them."""


def modules_for(words: list[str]) -> list[str]:
    """The file of the command that is called; every file where that is not plain.

    >>> modules_for(["--home", "run", "key", "list"]), len(modules_for(["--help"]))
    (['keys'], 12)
    """
    values = {place + 1 for place, word in enumerate(words) if word == "--home"}
    called = next((word for place, word in enumerate(words) if place not in values and word[:1] != "-"), "")
    return [MODULES[called]] if called in MODULES else list(dict.fromkeys(MODULES.values()))


def main() -> None:
    """Run the command line. Only the file of the command that is called is read: reading all takes seconds."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' advice to developers; `python -W default -m dumbbell` shows it
    for name in modules_for(sys.argv[1:]):
        import_module(f"dumbbell.commands.{name}").register(app)
    sys.exit(app())


if __name__ == "__main__":
    main()
