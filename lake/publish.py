"""Many files changed at once: staged beside, then put in place by a journal of renames.

A writer stages a tree that mirrors the root (`staging/lake/users.parquet`), and `publish` writes a
journal, renames each staged file into place, deletes what is replaced, and takes the journal away.
Killed before the journal is written, nothing has happened; killed after, `recover` finishes it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

JOURNAL = "lake/.journal.json"
STAGING = "lake/.staging-"


def stage(root: Path) -> Path:
    """A new empty folder to stage below `root`; what an earlier, killed writer left is swept away.

    To be called by the one who holds the home for writing.
    """
    recover(root)
    folder = root / f"{STAGING}{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def publish(root: Path, staging: Path, deletes: Iterable[str] = ()) -> None:
    """Put every file below `staging` in its place below `root`, and delete the paths in `deletes`.

    A staged file that has the bytes of the one in place is dropped, so that what did not change is
    not touched. Raises OSError (no space) before anything is changed, or not at all.
    """
    renames = []
    for path in sorted(p for p in staging.rglob("*") if p.is_file()):
        name = path.relative_to(staging).as_posix()
        if same_bytes(path, root / name):
            continue
        _to_disk(path)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        renames.append(name)
    gone = sorted(name for name in set(deletes) if name not in renames and (root / name).exists())
    if renames or gone:
        journal = root / JOURNAL
        beside = staging / "journal.json"
        beside.write_text(json.dumps({"staging": staging.name, "renames": renames, "deletes": gone}))
        _to_disk(beside)
        os.replace(beside, journal)
        _to_disk(journal.parent)
        _apply(root)
    shutil.rmtree(staging, ignore_errors=True)


def recover(root: Path) -> bool:
    """Finish what a killed writer had begun to publish, and sweep away what one had only staged.

    Returns whether there was a journal to finish. Safe to repeat; not while a writer is at work.
    """
    found = (root / JOURNAL).exists()
    if found:
        _apply(root)
    for left in root.glob(f"{STAGING}*"):
        shutil.rmtree(left)
    return found


def unfinished(root: Path) -> bool:
    """Whether a writer was killed, or is, between journal and last rename."""
    return (root / JOURNAL).exists()


def _apply(root: Path) -> None:
    journal = root / JOURNAL
    work = json.loads(journal.read_text())
    staging = root / "lake" / work["staging"]
    for name in work["renames"]:
        staged = staging / name
        if staged.exists():  # renamed already, when this finishes a killed run
            os.replace(staged, root / name)
    for name in work["deletes"]:
        (root / name).unlink(missing_ok=True)
        folder = (root / name).parent
        if "=" in folder.name and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    _to_disk(root / "lake")
    journal.unlink()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def same_bytes(one: Path, other: Path) -> bool:
    """Whether both files are there with the same content."""
    if not one.exists() or not other.exists() or one.stat().st_size != other.stat().st_size:
        return False
    with open(one, "rb") as a, open(other, "rb") as b:
        while left := a.read(1 << 20):
            if left != b.read(1 << 20):
                return False
    return True
