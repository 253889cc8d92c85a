"""`match`: the API's decisions for everybody, as a table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dumbbell.command import Answer, Call, command
from dumbbell.next_step import require_something_to_match
from embeddings.snapshot import Snapshot
from graph.store import open_store
from lake.clock import today
from lake.errors import BadValue
from lake.progress import working
from lake.pseudonyms import from_text
from lake.tables import Lake
from matching.answers import Answers
from matching.batch import write_matches
from matching.state import MatchState
from matching.unread import unread_since


class Kind(StrEnum):
    APP = "app"
    OFFER = "offer"


def register(app: typer.Typer) -> None:
    command(app, "match", example="dumbbell match --kind app --k 10 --out matches.parquet")(match)


def match(
    call: Call,
    kind: Annotated[Kind, typer.Option(help="What to match.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The Parquet file to write.", show_default=False)],
    k: Annotated[int, typer.Option(help="Items for each customer.")] = 10,
    users: Annotated[Path | None, typer.Option(help="Only the pseudonyms in this file, one a line.")] = None,
) -> Answer:
    """Match customers with apps or offers, for everybody. Writes only the file: no decision, no contact."""
    if k < 1:
        raise BadValue(f"--k is {k}", "k is the number of items for each customer, 1 or more")
    home = call.home()
    lake = Lake(home.lake)
    chosen = None if users is None else _pseudonyms(users)
    require_something_to_match(lake)
    snapshot = Snapshot.current(home)
    since = unread_since(lake, today(call.settings, lake, clock=True))
    with open_store(home, call.settings) as store:
        answered = Answers(store).all() if since is None else Answers(store).since(since)
    with working(f"matching {kind.value}s"):
        state = MatchState.load(home, call.settings, lake, snapshot)
        sharing: dict[str, Any] = {}
        rows = write_matches(out, state, kind.value, k, users=chosen, answered=answered, sharing=sharing)
    facts: dict[str, Any] = {"out": str(out), "rows": rows, "kind": kind.value, "k": k, "snapshot": snapshot.id}
    lines = [f"wrote {out}: {rows:,} rows"]
    if sharing:
        facts["sharing"] = sharing
        full = [name for name, use in sharing["channels"].items() if use["given"] == use["room"]]
        if full:
            lines.append(f"full today: {', '.join(full)}; the plan is within {sharing['gap']:.2%} of the best")
    return Answer(facts, lines=lines)


def _pseudonyms(path: Path) -> list[bytes]:
    if not path.exists():
        raise BadValue(f"there is no file {path}", "name a file with one pseudonym a line (see `dumbbell pseudonym`)")
    found = []
    for line, text in enumerate(path.read_text(encoding="ascii", errors="replace").split(), 1):
        try:
            found.append(from_text(text))
        except ValueError:
            raise BadValue(
                f"{path}, line {line} is no pseudonym", "write one a line, as `dumbbell pseudonym` prints them"
            ) from None
    return found
