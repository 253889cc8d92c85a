"""When each number, of whatever network, first and last has contact with anybody, and with how many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from graph.calls.ids import Positions
from lake.tables import Lake

ROWS = 1 << 20
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Seen:
    """By position (n,): `first` and `last` float64, days since 1970 (inf and -inf: never); `begins` and `ends` int32,
    the places of those periods (number of periods, and -1); `contacts` int64, added up over periods."""

    first: np.ndarray
    last: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    contacts: np.ndarray


def seen(lake: Lake, periods: list[str], positions: Positions) -> Seen:
    """Looks through the contacts of all periods, a row group at a time."""
    n = len(positions)
    found = Seen(
        first=np.full(n, np.inf),
        last=np.full(n, -np.inf),
        begins=np.full(n, len(periods), np.int32),
        ends=np.full(n, -1, np.int32),
        contacts=np.zeros(n, np.int64),
    )
    for place, period in enumerate(periods):
        for file in lake.files("contacts", period):
            for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=["user", "first_at", "last_at"]):
                if not batch.num_rows:
                    continue
                user = positions.known(batch["user"])  # rising: the table is sorted by user
                head = np.flatnonzero(np.r_[True, user[1:] != user[:-1]])
                who = user[head]
                first, last = (batch[name].cast("int64").to_numpy() / DAY_US for name in ("first_at", "last_at"))
                found.first[who] = np.minimum(found.first[who], np.minimum.reduceat(first, head))
                found.last[who] = np.maximum(found.last[who], np.maximum.reduceat(last, head))
                found.begins[who] = np.minimum(found.begins[who], place)
                found.ends[who] = place
                found.contacts[who] += np.diff(np.r_[head, len(user)])
    return found
