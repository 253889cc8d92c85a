"""`sample`, `check`, `pseudonym`: feeds before they are loaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer

from dumbbell.command import Answer, Call, command
from lake.errors import BadValue, HomeError
from lake.home import Home
from lake.progress import working
from lake.pseudonyms import Pseudonyms, to_text
from lake.settings import Settings

FeedsArgument = Annotated[Path, typer.Argument(help="The feed folder.", show_default=False)]


def register(app: typer.Typer) -> None:
    command(app, "sample", example="dumbbell sample feeds/ --users 20000 --months 6 --seed 1")(sample)
    command(app, "check", example="dumbbell check feeds/")(check)
    command(app, "pseudonym", example="echo 491511234567 | dumbbell pseudonym --file -", writes=True)(pseudonym)


def sample(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Where to write it; made where absent.", show_default=False)],
    users: Annotated[int, typer.Option(help="Customers.", min=1)] = 20_000,
    months: Annotated[int, typer.Option(help="Calendar months, from --start.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.", min=0)] = 1,
    start: Annotated[str, typer.Option(help="First month, YYYY-MM.")] = "2026-01",
    apps: Annotated[int | None, typer.Option(help="Apps of the catalogue. [default: grows with users]")] = None,
    calls_per_month: Annotated[
        float | None, typer.Option(help="Call records a customer and month, about. [default: 14]")
    ] = None,
    app_uses_per_month: Annotated[
        float | None, typer.Option(help="Rows of app_usage a customer and month, about. [default: 12]")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="Channels, of eight kinds. [default: 8]")] = None,
) -> Answer:
    """Write a synthetic operator as a feed folder (all 18 feeds), with what was planted under FOLDER/truth/."""
    from loaders.sample import Scale, write_sample

    if folder.exists() and any(folder.iterdir()):
        raise BadValue(f"{folder} is not empty", "name a new folder", code="folder_not_empty")
    scale = Scale(apps, calls_per_month, app_uses_per_month, channels)
    with working(f"a sample of {users:,} users and {months} months"):
        written = write_sample(folder, users=users, months=months, seed=seed, start=start, scale=scale)
    return Answer({"folder": str(folder), **written}, lines=[f"wrote {folder}: load it with `dumbbell run {folder}`"])


def check(call: Call, feeds: FeedsArgument) -> Answer:
    """Validate a feed folder without loading it; the same report as `load`."""
    from loaders.load import check as check_feeds

    try:
        pseudonyms = call.home().pseudonyms()
    except HomeError:  # nothing is kept, so without a home any key will do
        pseudonyms = Pseudonyms(bytes(32))
    with working(f"checking {feeds}"):
        report = check_feeds(feeds, call.settings, pseudonyms)
    return Answer(report.to_json(), tables=report.tables())


def pseudonym(
    call: Call,
    file: Annotated[str, typer.Option(help="A file with one number a line, or - for standard input.")],
) -> Answer:
    """Print one pseudonym a line, in order, for one number a line. A number is never an argument."""
    home = call.home(create=True)
    with home.writing(call.command, wait=call.wait):
        home.pseudonyms(create=True)
    found = to_text(read_numbers(file, home, call.settings)).to_pylist()
    return Answer({"pseudonyms": found}, lines=found)


def read_numbers(file: str, home: Home, settings: Settings) -> pa.Array:
    """The pseudonyms of the numbers in a file (`-`: standard input), one a line. Raises BadValue, naming the line."""
    from loaders.numbers import GOOD, normalise

    lines = (sys.stdin.read() if file == "-" else _text(Path(file))).splitlines()
    blocks, status = normalise(pa.array(lines, pa.string()), settings.country)
    bad = np.flatnonzero(status != GOOD)
    if len(bad):
        raise BadValue(
            f"line {bad[0] + 1} is no number ({len(bad)} such lines)", "write one number a line, up to 15 digits"
        )
    return home.pseudonyms().of_blocks(blocks, status != GOOD)


def _text(path: Path) -> str:
    if not path.exists():
        raise BadValue(f"there is no file {path}", "name a file with one entry a line, or - for standard input")
    return path.read_text(encoding="utf-8")
