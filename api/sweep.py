"""Makes customers' lists of apps ahead while nobody asks for anything, one worker of a home at a time."""

from __future__ import annotations

import threading
import time

from api import logs, metrics
from lake.errors import DumbbellError
from matching.ahead import Ahead

QUIET_S = 0.05
"""So long after a request nobody asks."""
PAUSE_S = 0.005
"""Between two lists while somebody does."""
LET_GO = 1 << 16
"""Lists after which those made are no longer held in memory."""
AGAIN_S = 5.0
"""How often a worker looks whether the one that makes the lists is gone."""


class Sweep:
    """Makes the missing lists of one state until all are there, or `stop`."""

    def __init__(self, ahead: Ahead) -> None:
        self._ahead = ahead
        self._asked = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self._thread.start()

    def asked(self) -> None:
        """Somebody asks now: their answer comes first."""
        self._asked = time.monotonic()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over.is_set() and not self._made():
                self._over.wait(AGAIN_S)
        except DumbbellError as error:
            logs.failure("lists could not be made ahead", error)

    def _made(self) -> bool:
        """Whether nothing is missing any more; false where another worker is at it, or it is over."""
        with self._ahead.sweeping() as mine:
            missing = self._ahead.missing()
            metrics.MISSING.set(len(missing))
            if not mine:
                return not len(missing)
            for count, user in enumerate(missing.tolist(), 1):
                if self._over.is_set():
                    return False
                if time.monotonic() - self._asked < QUIET_S:
                    time.sleep(PAUSE_S)
                self._ahead.best(user, 0)
                if count % 1024 == 0 or count == len(missing):
                    metrics.MISSING.set(len(missing) - count)
                if count % LET_GO == 0 or count == len(missing):
                    self._ahead.let_go()
        return True
