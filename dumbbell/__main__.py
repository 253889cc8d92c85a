"""`dumbbell`, also `python -m dumbbell`."""

from __future__ import annotations

import sys
import warnings

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


def main() -> None:
    """Run the command line. Modules of the commands are read here, so that importing this file costs nothing."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' advice to developers; `python -W default -m dumbbell` shows it
    from dumbbell.commands import decide, feeds, health, keys, serve, steps, templates

    for module in (feeds, steps, decide, templates, serve, keys, health):
        module.register(app)
    sys.exit(app())


if __name__ == "__main__":
    main()
