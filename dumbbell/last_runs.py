"""What each step last ran on, so that a run repeats only what new input makes necessary."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lake.home import Home
from lake.progress import working


class Steps:
    """What each step last ran on, when, and how long it took (`HOME/steps.json`)."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.facts: dict[str, dict[str, Any]] = json.loads(home.steps.read_text()) if home.steps.exists() else {}

    def due(self, step: str, inputs: str) -> bool:
        return self.facts.get(step, {}).get("inputs") != inputs

    @contextmanager
    def running(self, step: str, inputs: str, label: str) -> Iterator[dict[str, Any]]:
        """Time a step; what it puts into the yielded facts is kept once it has ended well."""
        started = time.monotonic()
        facts: dict[str, Any] = {}
        with working(label):
            yield facts
        ended = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self.facts[step] = {"inputs": inputs, "ended": ended, "seconds": round(time.monotonic() - started, 1), **facts}
        self._write()

    def keep(self, step: str, inputs: str) -> None:
        """Say that what a step made is of other inputs, without running it."""
        if step in self.facts:
            self.facts[step]["inputs"] = inputs
            self._write()

    def _write(self) -> None:
        self._home.write_text(self._home.steps, json.dumps(self.facts, indent=1, default=str))
