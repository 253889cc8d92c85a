"""Snapshots with other pseudonyms, or without some customers: the same vectors, every row with its customer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embeddings.publish import digest
from embeddings.snapshot import CURRENT, current_id
from lake.home import Home

BY_USER = ("user_vectors", "product_user_vectors", "user_segment", "offer_users", "user_pull", "start_users")
"""Arrays with a row a customer, in the order of `users`."""
USES = ("use_starts", "use_apps")
"""The list of apps of each customer, in the order of `users`."""

ROWS = 1 << 16
"""Rows copied at a time."""

Change = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From `users` (n, 16) to the pseudonyms to write, sorted (k, 16), and the row of each before (k,)."""


def stage_snapshots(home: Home, staging: Path, change: Change) -> tuple[dict[str, str], list[str]]:
    """Stage every snapshot that the change touches, under the id of its new bytes.

    Returns the new id of each old one, and the paths below the home that go.
    """
    ids: dict[str, str] = {}
    gone: list[str] = []
    for folder in sorted(home.snapshots.glob("*/manifest.json")):
        old = folder.parent
        users = np.load(old / "users.npy", mmap_mode="r")
        changed, rows = change(np.ascontiguousarray(users))
        if np.array_equal(users, changed):
            continue
        ids[old.name] = _rewrite(old, staging / "snapshots", changed, rows)
        gone += [path.relative_to(home.root).as_posix() for path in old.iterdir()]
    current = current_id(home)
    if current in ids:
        (staging / "snapshots" / CURRENT).write_text(ids[current] + "\n")
    return ids, gone


def _rewrite(old: Path, beside: Path, users: np.ndarray, rows: np.ndarray) -> str:
    new = beside / f".{old.name}"
    new.mkdir(parents=True)
    for path in sorted(old.iterdir()):
        if path.stem in BY_USER:
            _take(np.load(path, mmap_mode="r"), rows, new / path.name)
        elif path.stem in USES:
            continue
        elif path.name == "users.npy":
            np.save(new / path.name, users, allow_pickle=False)
        else:
            shutil.copyfile(path, new / path.name)
    if (old / "use_starts.npy").exists():
        _take_lists(old, rows, new)
    id = digest(new)
    new.rename(beside / id)
    return id


def _take(values: np.ndarray, rows: np.ndarray, path: Path) -> None:
    """Write `values[rows]`, a part at a time."""
    out = np.lib.format.open_memmap(path, "w+", values.dtype, (len(rows), *values.shape[1:]))
    for start in range(0, len(rows), ROWS):
        out[start : start + ROWS] = values[rows[start : start + ROWS]]
    out.flush()


def _take_lists(old: Path, rows: np.ndarray, new: Path) -> None:
    """Write the lists of apps of the customers at `rows`, a part at a time."""
    starts, apps = (np.load(old / f"{name}.npy", mmap_mode="r") for name in USES)
    ends = np.concatenate([[0], np.cumsum(starts[rows + 1] - starts[rows])]).astype(np.int64)
    np.save(new / "use_starts.npy", ends, allow_pickle=False)
    if not ends[-1]:
        np.save(new / "use_apps.npy", np.zeros(0, np.int32), allow_pickle=False)
        return
    out = np.lib.format.open_memmap(new / "use_apps.npy", "w+", np.int32, (int(ends[-1]),))
    for at in range(0, len(rows), ROWS):
        part = rows[at : at + ROWS]
        count = starts[part + 1] - starts[part]
        before = np.cumsum(count) - count
        place = np.arange(int(count.sum())) + np.repeat(starts[part] - before, count)
        out[ends[at] : ends[at] + len(place)] = apps[place]
    out.flush()


def sweep(home: Home) -> None:
    """Take away the folders of snapshots that went."""
    for folder in home.snapshots.glob("*/"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
