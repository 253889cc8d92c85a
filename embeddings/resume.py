"""Going on from an earlier snapshot: what the trained scorer had learned before the days that are now held out.

A snapshot keeps the embeddings and maps of the fit that was measured, which saw nothing from its `cutoff` on. A fit
begins with the latest that ends before its own cutoff: one that had seen the held-out days would be measured on what it
knows, and one of the same day would make a snapshot another one when it is made again. Customers, apps and products are
found again by their identifiers; attributes and handsets are learned anew.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from embeddings.catalogue import Catalogue, user_bytes
from embeddings.gnn import MatchingGNN
from embeddings.snapshot import START
from lake.home import Home


@dataclass(frozen=True)
class Start:
    """Embeddings of the nodes of a graph, zeros of those that are new, and the relations' maps by name."""

    users: np.ndarray
    apps: np.ndarray
    products: np.ndarray
    maps: dict[str, np.ndarray]

    def into(self, model: MatchingGNN) -> None:
        """Put into a fresh model what is known."""
        for kind in ("user", "app", "product"):
            table, rows = model.tables[kind].weight, getattr(self, f"{kind}s")
            table[: len(rows)] += torch.from_numpy(rows.astype(np.float32))
        with torch.no_grad():
            for name, weight in model.maps().items():
                if name in self.maps:
                    weight.copy_(torch.from_numpy(self.maps[name]))


def kept(
    model: MatchingGNN | None, nodes: Catalogue, cutoff: dt.date | None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What a snapshot keeps of a model fitted on the days before `cutoff`: arrays, and `start` of the manifest.

    Embeddings (n, d), (m, d), (p, d) float16, and the relations' maps (r, d, d) float32.

    Nothing where there is no cutoff: a random cut is another one when use has changed.
    """
    if cutoff is None or model is None:
        return {}, {}
    maps = {name: weight.detach().cpu().numpy() for name, weight in model.maps().items()}
    parts = [np.stack([maps[name] for name in sorted(maps)]) if maps else np.zeros((0, model.d, model.d), np.float32)]
    for kind in ("product", "app", "user"):
        rows = model.tables[kind].weight[: len(getattr(nodes, f"{kind}s"))]
        parts.append(rows.to(torch.float16).cpu().numpy())
    arrays = dict(zip(START, reversed(parts), strict=True))
    return arrays, {"cutoff": cutoff.isoformat(), "dimensions": model.d, "maps": sorted(maps)}


def last_start(home: Home, nodes: Catalogue, cutoff: dt.date | None, dimensions: int) -> tuple[str, Start] | None:
    """The snapshot that a fit on the days before `cutoff` begins with, and what it knows; None where there is none. One
    that cannot be read is none."""
    known = []
    for path in sorted(home.snapshots.glob("[!.]*/manifest.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8")).get("start")
        except ValueError:  # a manifest that is cut short tells of no start
            continue
        if said and said.get("dimensions") == dimensions and said["cutoff"] < (cutoff.isoformat() if cutoff else ""):
            known.append((said["cutoff"], path.parent.name, said["maps"]))
    for _, id, names in sorted(known, reverse=True):
        try:
            return id, _start_of(home.snapshots / id, names, nodes)
        except (OSError, ValueError, EOFError):  # a file is gone or cut short: the one before will do
            continue
    return None


def _start_of(folder: Path, names: list[str], nodes: Catalogue) -> Start:
    """What the snapshot in `folder` knows of `nodes`, with its maps' `names`."""
    before = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in (*START, "users")}
    users = _found(before["start_users"], *(_ids(part) for part in (before["users"], user_bytes(nodes.users))))
    items = {}
    for kind in ("app", "product"):
        columns = pq.read_table(folder / f"{kind}s.parquet")[kind], getattr(nodes, f"{kind}s")
        items[kind] = _found(before[f"start_{kind}s"], *(np.array(part.to_pylist(), object) for part in columns))
    maps = dict(zip(names, np.array(before["start_maps"]), strict=True))
    return Start(users, items["app"], items["product"], maps)


def _found(rows: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The `rows` (k, d) of the sorted names `old` (k,) for the names `new`; zeros of those that are not among them."""
    found = np.zeros((len(new), rows.shape[1]), rows.dtype)
    if len(old):
        at = np.minimum(np.searchsorted(old, new), len(old) - 1)
        known = old[at] == new
        found[known] = rows[at[known]]
    return found


def _ids(users: np.ndarray) -> np.ndarray:
    """Pseudonyms (n, 16) as one sortable column."""
    return np.ascontiguousarray(users).view("S16").ravel()
