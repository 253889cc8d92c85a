"""Communities of customers in each period, in two levels, that last where the network does.

Level 0 is the fine one, level 1 the coarse one that it lies in. The graph of a period joins the customers followed in
it by the calls and messages of the last periods (`graph.calls.network`), weighted by ln(1 + them), so that one
talkative couple does not outweigh a family. Off-net numbers are seen from one side only and are left out. A
customer without such a tie is in no community and has no row.

Each period is parted beginning with the communities of the one before: among many partitions that are about
equally good (B. H. Good, Y.-A. de Montjoye, A. Clauset, Phys. Rev. E 81 (2010)) the answer is one near the last, and
names, carried by overlap, stay with their customers (T. Aynaud, J.-L. Guillaume, "Static community detection
algorithms for evolving networks" (2010)).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array

from graph.calls.ids import as_words
from graph.calls.leiden import two_levels
from graph.calls.lifetimes import Customers
from graph.calls.naming import carry_names
from graph.calls.network import PERIODS, Talk
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

    A period is parted again, and so are all after it, where the ties or customers that it looks back at changed.
    The caller saves `inputs` afterwards.
    """
    path = lake.root / "communities.parquet"
    prints = _fingerprints(lake, customers)
    stale = [p for p, print_ in prints.items() if inputs.get("communities", p) != print_ or not path.exists()]
    if not stale and inputs.keys("communities") == sorted(prints):
        return []
    names = [np.full(len(customers.users), -1, np.int64) for _ in LEVELS]
    unused = [1 for _ in LEVELS]
    talk = Talk(lake, customers)
    with writing(path, SCHEMA) as writer:
        for place, period in enumerate(track(customers.periods, "communities")):
            if period in stale:
                labels = partition(talk.of(place), names)
                for level in range(len(LEVELS)):
                    names[level], unused[level] = carry_names(labels[level], names[level], unused[level])
            else:
                names = _stored(lake, period, customers)
                unused = [max(had, int(now.max(initial=0)) + 1) for had, now in zip(unused, names, strict=True)]
            for level in range(len(LEVELS)):
                writer.write(_rows(customers, period, level, names[level]))
    inputs.forget("communities")
    for period, print_ in prints.items():
        inputs.put("communities", period, print_)
    return stale


def _fingerprints(lake: Lake, customers: Customers) -> dict[str, str]:
    words = as_words(customers.users)
    facts = [lake.facts("contacts", period) for period in customers.periods]
    found: dict[str, str] = {}
    before = ""
    for place, period in enumerate(customers.periods):
        window = facts[max(0, place - PERIODS + 1) : place + 1]
        before = found[period] = digest(before, words[customers.listed(place)].tobytes(), window)
    return found


def partition(talk: csr_array, names: list[np.ndarray]) -> list[np.ndarray]:
    """Communities of each level, (n,) each as `canonical`, -1 in none; `names` are those of the period before."""
    sizes = np.diff(talk.indptr)
    tied = sizes > 0  # only they: an answer does not depend on how many others there are
    starts = np.append(talk.indptr[:-1][tied], talk.indptr[-1]).astype(np.int64)
    place = np.cumsum(tied) - 1
    contact, weight = place[talk.indices].astype(np.int32), np.log1p(talk.data)
    coarse, fine = two_levels(starts, contact, weight, names[1][tied], names[0][tied])
    labels = []
    for found in (fine, coarse):
        one = np.full(len(sizes), -1, np.int64)
        one[tied] = found
        labels.append(one)
    return labels


def last_names(lake: Lake, customers: Customers, level: int = 0) -> np.ndarray:
    """(n,) int64: numbers in the names of the communities of the last period, -1 in none."""
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
        labels.append(found)
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
