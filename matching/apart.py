"""Making a state in a process of its own: its memory goes with it, and whoever serves goes on serving."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from lake.home import Home
from lake.settings import Settings
from lake.tables import Lake
from matching.kept import FEWEST, FOLDER, Kept

if TYPE_CHECKING:
    from embeddings.snapshot import Snapshot

MEMORY_MB = 2_000
"""What the lake's engine may take for one query; what is more goes to files."""


def make_apart(home: Home, settings: Settings, snapshot: Snapshot, today: dt.date, fewest: int = FEWEST) -> None:
    """Make and keep the parts of a home's state.

    Whatever goes wrong there goes wrong again, and is told, where the caller then makes them itself.
    """
    told = {
        "settings": settings.model_dump(mode="json", exclude={"neo4j_password"}) | {"home": str(home.root)},
        "snapshot": snapshot.id,
        "today": today.isoformat(),
        "fewest": fewest,
    }
    subprocess.run(
        [sys.executable, "-m", "matching.apart"],
        input=json.dumps(told).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )


def main() -> None:
    from embeddings.snapshot import Snapshot
    from matching.state import MatchState

    told = json.load(sys.stdin)
    settings = Settings(**told["settings"])
    home = Home(settings.home, settings.key_file)
    snapshot, today = Snapshot.open(home, told["snapshot"]), dt.date.fromisoformat(told["today"])
    spill = home.root / FOLDER / ".spill"
    with Kept(home, Lake(home.lake)).alone("maker"):
        shutil.rmtree(spill, ignore_errors=True)  # of one that was killed
        try:
            lake = Lake(home.lake, spill, MEMORY_MB)
            MatchState.load(home, settings, lake, snapshot, today=today, fewest=told["fewest"], apart=False)
        finally:
            shutil.rmtree(spill, ignore_errors=True)


if __name__ == "__main__":
    main()
