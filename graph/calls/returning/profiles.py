"""Who somebody talks to in some periods: compressed rows of contacts and events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls.ids import Positions
from lake.tables import Lake

ROWS = 1 << 20
COUNTS = ("calls_out", "calls_in", "messages_out", "messages_in")


@dataclass(frozen=True)
class Profiles:
    """Row i is somebody: `starts` (m + 1,) int64; `contact` (k,) int32 positions, rising within a row; `events` (k,)
    int64, calls and messages in both directions."""

    starts: np.ndarray
    contact: np.ndarray
    events: np.ndarray


def profiles(
    lake: Lake, periods: list[str], positions: Positions, who: np.ndarray, begins: np.ndarray, ends: np.ndarray
) -> Profiles:
    """The contacts of `who` (m,) positions, not falling, each in the periods at places `begins` to `ends`."""
    rows, contacts, events = [], [], []
    for place, period in enumerate(periods):
        live = np.flatnonzero((begins <= place) & (place <= ends))
        if not len(live):
            continue
        for file in lake.files("contacts", period):
            for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=["user", "contact", *COUNTS]):
                user = positions.known(batch["user"])
                left = np.searchsorted(user, who[live], "left")
                many = np.searchsorted(user, who[live], "right") - left
                row = np.repeat(live, many)
                at = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(left, many)
                some = batch.take(pa.array(at))
                rows.append(row)
                contacts.append(positions.known(some["contact"]))
                events.append(sum(some[name].to_numpy() for name in COUNTS))
    if not rows:
        return Profiles(np.zeros(len(who) + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int64))
    row, contact, event = np.concatenate(rows), np.concatenate(contacts), np.concatenate(events)
    key = row * len(positions) + contact
    order = np.argsort(key, kind="stable")
    head = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0]) if len(key) else order
    total = np.add.reduceat(event[order], head) if len(head) else event
    return Profiles(starts_of(row[order][head], len(who)), contact[order][head], total)


def starts_of(row: np.ndarray, rows: int) -> np.ndarray:
    """(rows + 1,) int64: where each row begins in entries that are sorted by row."""
    starts = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=starts[1:])
    return starts
