"""Communities of customers in each period, in two levels, with names that last.

Level 0 is the fine one, level 1 the coarse one that it lies in. The graph of a period joins customers who had
calls or messages, weighted by ln(1 + calls and messages), so that one talkative couple does not outweigh a
family. Off-net numbers are seen from one side only and are left out. A customer without a tie to another
customer that period is in no community and has no row.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls import ties
from graph.calls.ids import as_words
from graph.calls.leiden import two_levels
from graph.calls.lifetimes import Customers
from graph.calls.naming import canonical, carry_names
from graph.calls.state import Inputs, digest, writing
from lake.progress import track
from lake.tables import Lake

LEVELS = ("f", "c")
"""What names of level 0 (fine) and 1 (coarse) begin with."""

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("period", pa.string()),
        ("level", pa.int64()),
        ("community", pa.string()),
        ("size", pa.int64()),
    ]
)


def build(lake: Lake, customers: Customers, inputs: Inputs) -> list[str]:
    """Write `communities.parquet`, sorted by period, level and user; returns the periods parted anew.

    A period whose ties did not change keeps its communities, and is renamed only where a period before it changed.
    The caller saves `inputs` afterwards.
    """
    path = lake.root / "communities.parquet"
    on_net = digest(as_words(customers.users)[customers.on_net].tobytes())
    prints = {period: digest(on_net, lake.facts("contacts", period)) for period in customers.periods}
    stale = [p for p, print_ in prints.items() if inputs.get("communities", p) != print_ or not path.exists()]
    if not stale and inputs.keys("communities") == sorted(prints):
        return []
    names = [np.full(len(customers.users), -1, np.int64) for _ in LEVELS]
    unused = [1 for _ in LEVELS]
    with writing(path, SCHEMA) as writer:
        for period in track(customers.periods, "communities"):
            if period in stale:
                labels = partition(ties.load(lake, period, customers.positions, customers.on_net), customers)
            else:
                labels = _stored(lake, period, customers)
            for level in range(len(LEVELS)):
                names[level], unused[level] = carry_names(labels[level], names[level], unused[level])
                writer.write(_rows(customers, period, level, names[level]))
    inputs.forget("communities")
    for period, print_ in prints.items():
        inputs.put("communities", period, print_)
    return stale


def partition(now: ties.Ties, customers: Customers) -> list[np.ndarray]:
    """Communities of each level of one period's ties, (n,) each as `canonical`; -1 in none."""
    n = len(customers.users)
    source = np.repeat(np.arange(n), now.sizes)
    once = (source < now.contact) & customers.on_net[now.contact]
    weight = np.log1p((now.out + now.in_)[once])
    coarse, fine = two_levels(n, source[once], now.contact[once], weight)
    return [fine, coarse]


def last_names(lake: Lake, customers: Customers, level: int = 0) -> np.ndarray:
    """(n,) int64: numbers of the communities of the last period, -1 in none."""
    return _stored(lake, customers.periods[-1], customers)[level]


def _stored(lake: Lake, period: str, customers: Customers) -> list[np.ndarray]:
    table = pq.read_table(lake.root / "communities.parquet", filters=[("period", "==", period)])
    place = customers.positions.of(table["user"])
    level = table["level"].to_numpy()
    number = np.array([int(name[1:]) for name in table["community"].unique().to_pylist()] or [0])
    of_row = number[table["community"].combine_chunks().dictionary_encode().indices.to_numpy()]
    labels = []
    for one in range(len(LEVELS)):
        here = (level == one) & (place >= 0)
        found = np.full(len(customers.users), -1, np.int64)
        found[place[here]] = of_row[here]
        labels.append(canonical(found))
    return labels


def _rows(customers: Customers, period: str, level: int, names: np.ndarray) -> pa.Table:
    rows = np.flatnonzero(names >= 0)
    found, community, size = np.unique(names[rows], return_inverse=True, return_counts=True)
    texts = pa.array([f"{LEVELS[level]}{name}" for name in found.tolist()], pa.string())
    return pa.table(
        {
            "user": customers.users.take(pa.array(rows)),
            "period": pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int8), [period]).cast(pa.string()),
            "level": np.full(len(rows), level),
            "community": texts.take(pa.array(community)),
            "size": size[community],
        },
        schema=SCHEMA,
    )
