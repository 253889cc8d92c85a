"""Writing a snapshot: beside, under a name made from its bytes, then in force by one rename."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from embeddings.report import page
from embeddings.snapshot import ADDED, ADDED_TABLES, ARRAYS, CURRENT, NEAR, START, TABLES, current_id, is_snapshot
from lake.home import Home, enough_disk

REPORT = "report.html"
KEPT = 3
"""Snapshots kept, the current one among them."""


def write_snapshot(
    home: Home, arrays: dict[str, np.ndarray], tables: dict[str, pa.Table], manifest: dict[str, Any]
) -> str:
    """Write a snapshot, with its report page where it has metrics of scorers, and return its id; it is not yet current.
    Writing the same bytes again gives the same folder; one of that name that was damaged since is replaced."""
    home.snapshots.mkdir(parents=True, exist_ok=True)
    staging = home.snapshots / f".staging-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        with enough_disk(home.snapshots):
            staging.mkdir()
            for name in (*ARRAYS, *(name for name in (*ADDED, *NEAR, *START) if name in arrays)):
                np.save(staging / f"{name}.npy", np.ascontiguousarray(arrays[name]), allow_pickle=False)
            for name in (*TABLES, *(name for name in ADDED_TABLES if name in tables)):
                pq.write_table(tables[name], staging / f"{name}.parquet", compression="zstd")
            text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
            (staging / "manifest.json").write_text(text + "\n", encoding="utf-8")
            if "table" in manifest.get("metrics", {}):
                (staging / REPORT).write_text(page(manifest["metrics"]), encoding="utf-8")
            id = digest(staging)
            (staging / "made_at").write_text(dt.datetime.now(dt.UTC).isoformat(timespec="seconds") + "\n")
            former = home.snapshots / id
            if former.exists() and digest(former) != id:
                shutil.rmtree(former)
            if not former.exists():
                os.replace(staging, former)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return id


def make_current(home: Home, id: str) -> None:
    """Put a written snapshot in force for everybody who opens the current one, and take the oldest away."""
    home.write_text(home.snapshots / CURRENT, id + "\n")
    prune(home)


def prune(home: Home, kept: int = KEPT) -> list[str]:
    """Remove all but the current and the latest snapshots, `kept` in all; returns the ids removed."""
    folders = [p for p in home.snapshots.iterdir() if is_snapshot(p) and not p.name.startswith(".")]
    current = current_id(home)
    latest = sorted(folders, key=lambda p: (p.name == current, p.stat().st_mtime_ns, p.name), reverse=True)
    for old in latest[kept:]:
        shutil.rmtree(old)
    return [old.name for old in latest[kept:]]


def digest(folder: Path) -> str:
    """The id of a snapshot: a digest of all its files but `made_at`."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.name != "made_at"):
        with open(path, "rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]
