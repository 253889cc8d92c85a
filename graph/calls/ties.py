"""One period's contacts as a graph of dense positions: for each customer, sorted contacts and what passed between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls.ids import Positions, as_words
from lake.tables import Lake

ROWS = 1 << 20


@dataclass(frozen=True)
class Ties:
    """Compressed rows of a period. Row u is the customer at position u; rows of off-net numbers are empty.

    `starts` (n + 1,) int64; `contact` (m,) int32, rising within a row; `out` and `in_` (m,) int32: calls and
    messages from u to the contact and back.
    """

    starts: np.ndarray
    contact: np.ndarray
    out: np.ndarray
    in_: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(n,) int64, distinct contacts of each customer."""
        return np.diff(self.starts)


def empty(n: int) -> Ties:
    nothing = np.empty(0, np.int32)
    return Ties(np.zeros(n + 1, np.int64), nothing, nothing, nothing)


def load(lake: Lake, period: str, positions: Positions, on_net: np.ndarray) -> Ties:
    """The ties of a period, read a row group at a time. Raises NotReady when customers lack a number."""
    users, contacts, outs, ins = [], [], [], []
    names = ["user", "contact", "calls_out", "messages_out", "calls_in", "messages_in"]
    for file in lake.files("contacts", period):
        for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=names):
            user = positions.known(batch["user"])
            kept = on_net[user]
            contact = positions.known(batch["contact"])
            numbers = {name: batch[name].to_numpy()[kept].astype(np.int32) for name in names[2:]}
            users.append(user[kept])
            contacts.append(contact[kept])
            outs.append(numbers["calls_out"] + numbers["messages_out"])
            ins.append(numbers["calls_in"] + numbers["messages_in"])
    if not users:
        return empty(len(positions))
    starts = np.zeros(len(positions) + 1, np.int64)
    np.cumsum(np.bincount(np.concatenate(users), minlength=len(positions)), out=starts[1:])
    return Ties(starts, np.concatenate(contacts), np.concatenate(outs), np.concatenate(ins))


def active(lake: Lake, period: str, positions: Positions) -> np.ndarray:
    """(n,) bool: who had any contact in the period."""
    found = np.zeros(len(positions), bool)
    for file in lake.files("contacts", period):
        for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=["user"]):
            words = as_words(batch["user"])
            first = np.ones(len(words), bool)
            first[1:] = (words[1:] != words[:-1]).any(axis=1)
            found[positions.known(batch["user"].filter(pa.array(first)))] = True
    return found
