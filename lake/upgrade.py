"""A home of an older format brought to the present one, in place, by the first command that opens it.

`STEPS[n]` brings format n to n + 1. A step can be repeated: killed halfway, the next command does it again, as the
format is written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


def to_2(root: Path) -> None:
    """What the call graph was made from is noted in another way: the notes go, and the analysis is made again."""
    (root / "lake" / ".calls-inputs.json").unlink(missing_ok=True)


STEPS: dict[int, Callable[[Path], None]] = {1: to_2}

FORMAT = 2
"""Version of the home's layout; an older home is upgraded, a newer one refused with a sentence."""


def upgrade(root: Path, write: Callable[[Path, str], None]) -> int:
    """Bring a home to `FORMAT` (small files by `write(path, text)`); returns the format it had.

    For whoever holds the home for writing.
    """
    marker = root / "format"
    facts = json.loads(marker.read_text())
    found = int(facts["format"])
    for number in range(found, FORMAT):
        STEPS[number](root)
        write(marker, json.dumps({**facts, "format": number + 1}))
    return found
