"""How often each public test set was looked at: `benchmarks/looks.json`, committed, raised by whoever reads a test.

Every look is a chance to tune to the test without meaning to, so what is chosen is chosen on a cut of the training
data, and a figure on the test is told with the number of looks before it.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

FILE = Path(__file__).with_name("looks.json")


def looked(data_set: str, file: Path = FILE) -> int:
    """Count one more look at the test of `data_set`; returns how often it was looked at, this time included."""
    with open(file, "a+", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.seek(0)
        counts = json.loads(held.read() or "{}")
        counts[data_set] = counts.get(data_set, 0) + 1
        held.truncate(0)
        held.write(json.dumps(counts, indent=1, sort_keys=True) + "\n")
        held.flush()
        os.fsync(held.fileno())
    return counts[data_set]
