"""`rekey`, `forget`, `backup`, `restore`: what needs the home alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dumbbell import alone
from dumbbell.command import Answer, Call, command, table_of
from dumbbell.commands.feeds import read_numbers
from lake.backup import is_empty
from lake.errors import HomeError
from lake.home import Home

ArchiveArgument = Annotated[Path, typer.Argument(help="The backup's file.", show_default=False)]

KEPT_ELSEWHERE = "backups, feed files and exports are outside the home: they still hold what they held"


def register(app: typer.Typer) -> None:
    command(app, "forget", example="dumbbell forget --file numbers.txt", writes=True)(forget)
    command(app, "rekey", example="dumbbell rekey", writes=True)(rekey)
    command(app, "backup", example="dumbbell backup home.backup", writes=True)(backup)
    command(app, "restore", example="dumbbell --home new/ restore home.backup", writes=True)(restore)


def forget(
    call: Call, file: Annotated[str, typer.Option(help="A file with one number a line, or - for standard input.")]
) -> Answer:
    """Erase customers from lake, graph, snapshots and traces, with all accounts of their numbers.

    The product's own graph is made afresh, its old store and logs deleted. Killed halfway, the same command finishes
    it. Feeds handed in again bring back what they hold.
    """
    home = call.home(finishing="forget")
    users = read_numbers(file, home, call.settings)
    with home.writing(call.command, wait=call.wait):
        found = alone.forget(home, call.settings, users)
    rows = [[name, count] for name, count in sorted(found["rows"].items())]
    said = [f"traces of decisions: {found['traces']:,}", KEPT_ELSEWHERE]
    if call.settings.neo4j_uri:
        said.append("the named Neo4j's own logs and backups are its operator's to clean")
    return Answer({**found, "remains": said[1:]}, tables=[table_of("rows erased", ["table", "rows"], rows)], lines=said)


def rekey(call: Call) -> Answer:
    """Change the key for numbers: every pseudonym everywhere in the home becomes another. The old key is destroyed.

    Killed halfway, the same command finishes it. Pseudonyms that others have noted no longer fit.
    """
    home = call.home(finishing="rekey")
    with home.writing(call.command, wait=call.wait):
        found = alone.rekey(home, call.settings)
    return Answer(found, lines=[f"new key: {found['tables']} tables' files and {found['snapshots']} snapshots changed"])


def backup(call: Call, file: ArchiveArgument) -> Answer:
    """Save the home with its key in one file, readable by its owner alone. Keep it as you keep the key."""
    home = call.home()
    with home.writing(call.command, wait=call.wait):
        found = alone.backup(home, call.settings, file)
    size = file.stat().st_size
    return Answer(
        {**found, "file": str(file), "size": size}, lines=[f"wrote {file}: {found['files']:,} files, {size:,} bytes"]
    )


def restore(call: Call, file: ArchiveArgument) -> Answer:
    """Bring a saved home back into an empty or absent folder, every checksum verified first.

    Killed halfway, the same command finishes it.
    """
    if not file.is_file():
        raise HomeError(f"there is no file {file}", "name a file that `dumbbell backup` wrote", code="bad_backup")
    home = Home(call.settings.home, call.settings.key_file)
    home.finishing = "restore"
    home.require_finished()
    if home.begun() is None and not is_empty(home):
        raise HomeError(f"{home.root} is not empty", "name an empty or a new folder with --home", code="home_not_empty")
    home.root.mkdir(parents=True, exist_ok=True)
    with home.writing(call.command, wait=call.wait):
        found = alone.restore(home, call.settings, file)
    return Answer(found, lines=[f"{home.root} is back: {found['files']:,} files"])
