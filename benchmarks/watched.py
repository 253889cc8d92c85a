"""What a block costs: resident memory of a command and of the engine it starts, looked at twice a second; seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil


@contextmanager
def watched(home: Path, pid: int) -> Iterator[dict[str, int]]:
    """Peaks in MB, filled in when the block ends: `all` of the process and all that name `home`, `engine` of Java's.

    Shared pages of several processes count in each, so `all` errs upwards.
    """
    peaks = {"all": 0, "engine": 0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            engine = rest = 0
            for other in psutil.process_iter(["cmdline", "memory_info"]):
                line = " ".join(other.info["cmdline"] or [])
                if other.info["memory_info"] is None:
                    continue  # ended meanwhile
                if str(home) in line and "java" in line:
                    engine += other.info["memory_info"].rss
                elif other.pid == pid or str(home) in line:
                    rest += other.info["memory_info"].rss
            peaks["engine"] = max(peaks["engine"], engine)
            peaks["all"] = max(peaks["all"], engine + rest)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()
        for name in peaks:
            peaks[name] //= 10**6


@contextmanager
def timed(into: dict[str, Any]) -> Iterator[None]:
    """`seconds` of the clock and `cpu_seconds` of this process, filled in when the block ends."""
    clock, processor = time.monotonic(), time.process_time()
    yield
    into["seconds"] = round(time.monotonic() - clock, 2)
    into["cpu_seconds"] = round(time.process_time() - processor, 2)
