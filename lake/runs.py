"""When each command last ran in a home, how long it took, and how it ended (`HOME/runs.json`)."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lake.errors import DumbbellError

NOTED = ("load", "analyse", "embed", "run", "demo", "rekey", "forget", "backup", "restore")
"""Commands whose runs are kept, the last of each."""

UNFINISHED = "killed, or still at work"


def read(path: Path) -> dict[str, dict[str, Any]]:
    """By command: `started` (UTC), `seconds` and `result` (done, an error's code, or that it did not end)."""
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError:  # cut short by a power cut: it only tells
        return {}


@contextmanager
def noting(path: Path, command: str, write: Callable[[Path, str], None]) -> Iterator[None]:
    """Note that a command runs, and how it ended, by `write(path, text)`; for whoever holds the home."""
    if command not in NOTED:
        yield
        return
    started, clock = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), time.monotonic()
    result = UNFINISHED

    def note() -> None:
        facts = {"started": started, "seconds": round(time.monotonic() - clock, 1), "result": result}
        write(path, json.dumps({**read(path), command: facts}, indent=1))

    note()
    try:
        yield
        result = "done"
    except DumbbellError as error:
        result = error.code
        raise
    except KeyboardInterrupt:
        result = "interrupted"
        raise
    except Exception:
        result = "unexpected"
        raise
    finally:
        note()
