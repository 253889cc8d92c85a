"""Which files the lake's rows come from (`lake/files.json`), and which of them are in force.

An event feed's body `calls/month=2026-05/<digest>.parquet` holds the rows of one month of one
file, named by the digest of the file's bytes; a file is in force while all its months' bodies are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "lake/files.json"

InForce = dict[str, list[str]]
"""Month to the digests of the files whose rows it holds, in the order they came."""


@dataclass
class FileRecord:
    """What a file came to when it was read."""

    path: str
    read: int = 0
    quarantined: int = 0
    values_dropped: int = 0
    withheld: int = 0
    months: dict[str, int] = field(default_factory=dict)

    @property
    def good(self) -> int:
        return self.read - self.quarantined - self.withheld


@dataclass
class Inventory:
    """`files[feed][digest]` are all event files ever read, `in_force[feed]` what of them counts;
    `keyed[feed]` the files of a keyed feed's last load (in order) and what they were read by;
    `translated` what each month of visits was last translated from."""

    files: dict[str, dict[str, FileRecord]] = field(default_factory=dict)
    in_force: dict[str, InForce] = field(default_factory=dict)
    keyed: dict[str, dict[str, Any]] = field(default_factory=dict)
    translated: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Inventory:
        """The inventory of a home; empty for a new one."""
        path = root / FILE
        if not path.exists():
            return cls()
        facts = json.loads(path.read_text())
        files = {f: {d: FileRecord(**r) for d, r in records.items()} for f, records in facts["files"].items()}
        return cls(files, facts["in_force"], facts["keyed"], facts.get("translated", {}))

    def write(self, root: Path) -> None:
        path = root / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), sort_keys=True, indent=1))


def holds(in_force: InForce, digest: str, record: FileRecord | None, month: str | None) -> bool:
    """Whether a file is in force whole: all its months are there, or it alone is the month it is named for."""
    if record is None:
        return False
    if month is not None:
        return in_force.get(month) == [digest] if record.months.get(month) else month not in in_force
    return all(digest in in_force.get(m, []) for m in record.months)


def settle(in_force: InForce, handed: Iterable[tuple[str, FileRecord, str | None]]) -> InForce:
    """What is in force after files (digest, record, month it is named for) are handed in, in that order.

    A part named for a month replaces all of that month; any other file adds those of its months
    that are not in force.

    >>> may, more = FileRecord("calls/2026-05.csv", months={"2026-05": 9}), FileRecord("x", months={"2026-05": 1})
    >>> settle({}, [("b", more, None), ("a", may, "2026-05")])
    {'2026-05': ['a']}
    """
    state = {month: list(digests) for month, digests in in_force.items()}
    for digest, record, month in handed:
        if month is not None:
            if record.months.get(month):
                state[month] = [digest]
            else:
                state.pop(month, None)
            continue
        for own in record.months:
            if digest not in state.setdefault(own, []):
                state[own].append(digest)
    return state
