"""Opinion leaders: persons ranked by their place in the call graph, and by whether contacts adopt after them.

The graph is that of the last periods between customers (`graph.calls.network`). Rows are persons who have not left;
companies, machines and who left still tie others together.

position is the mean of four ranks in (0, 1]: PageRank, core, brokerage and reach, each as the share of persons that
the customer is not below. 1 - position + 1 / persons is then the share that stands as high, evidence how often as many
contacts would follow by chance, and the score joins the two as tests of one thing (R. A. Fisher, "Statistical
Methods for Research Workers", 4th edition (1932), 21.1):

score = 1 - q (1 - ln q)    q = (1 - position + 1 / persons) * evidence

Without adoption data, or with contacts who adopted nothing that the customer did, the score is the position.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from graph.calls import adoptions, communities
from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.network import PERIODS, strengths
from graph.calls.position import cores, effective_size, pagerank, reach
from graph.calls.state import Inputs, digest
from lake.tables import Lake
from lake.use import APP_USE

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("score", pa.float64()),
        ("rank", pa.int64()),
        ("community_rank", pa.int64()),
        ("pagerank", pa.float64()),
        ("core", pa.int64()),
        ("brokerage", pa.float64()),
        ("reach", pa.int64()),
        ("adoptions_led", pa.int64()),
        ("evidence", pa.float64()),
    ]
)


def build(lake: Lake, customers: Customers, inputs: Inputs) -> bool:
    """Write `leaders.parquet`, sorted by user; false where its inputs did not change.

    Needs `communities` of the last period. The caller saves `inputs` afterwards.
    """
    rows = np.flatnonzero(customers.on_net & customers.person & ~customers.gone)
    print_ = digest(
        as_words(customers.users)[customers.on_net].tobytes(),
        rows.tobytes(),
        *[lake.facts("contacts", period) for period in customers.periods[-PERIODS:]],
        *[lake.facts(name) for name in ("communities", *APP_USE, "subscriptions")],
    )
    if inputs.get("leaders", "all") == print_ and lake.has("leaders"):
        return False
    lake.write("leaders", leaders(lake, customers, rows))
    inputs.put("leaders", "all", print_)
    return True


def leaders(lake: Lake, customers: Customers, rows: np.ndarray) -> pa.Table:
    """The table for the customers at `rows`."""
    out = strengths(lake, customers)
    both = (out + 1j * out.T).tocsr()  # every tie in both rows, whichever way the calls went: out and in together
    both.sort_indices()
    starts, contact = both.indptr.astype(np.int64), both.indices.astype(np.int32)
    ranks = pagerank(starts, contact, in_=both.data.imag.copy(), out=both.data.real.copy())[rows]
    core = cores(starts, contact)[rows]
    brokerage = effective_size(starts, contact)[rows]
    near = reach(starts, contact)[rows]
    score = position(ranks, core, brokerage, near)
    followed, evidence = None, np.full(len(rows), np.nan)
    found = adoptions.read(lake, customers.positions)
    if found is not None:
        every_led, every_evidence = adoptions.led(found, starts, contact)
        followed, evidence = every_led[rows], every_evidence[rows]
        score = np.where(np.isnan(evidence), score, _joined(1 - score + 1 / len(rows), evidence))
    order = np.lexsort((rows, -ranks, -score))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(1, len(rows) + 1)
    names = communities.last_names(lake, customers)[rows]
    return pa.table(
        {
            "user": customers.users.take(pa.array(rows)),
            "score": score,
            "rank": rank,
            "community_rank": pa.array(_rank_within(names, rank), mask=names < 0),
            "pagerank": ranks,
            "core": core,
            "brokerage": brokerage,
            "reach": near,
            "adoptions_led": pa.nulls(len(rows), pa.int64()) if followed is None else pa.array(followed),
            "evidence": pa.array(evidence, mask=np.isnan(evidence)),
        },
        schema=SCHEMA,
    )


def position(*measures: np.ndarray) -> np.ndarray:
    """(n,) in (0, 1]: the mean over measures of the share of persons that each is not below; ties share their mean."""
    return np.mean([rankdata(one, method="average") / max(len(one), 1) for one in measures], axis=0)


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 - the chance that the product of two independent p-values is as small."""
    q = np.maximum(one * other, 1e-300)
    return 1 - q * (1 - np.log(q))


def _rank_within(group: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """(n,) int64: place of each by `rank` among those of its group, 1 for the first."""
    order = np.lexsort((rank, group))
    sorted_group = group[order]
    begins = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]]) if len(group) else np.empty(0, int)
    place = np.arange(len(group)) - np.repeat(begins, np.diff(np.append(begins, len(group))))
    found = np.empty(len(group), np.int64)
    found[order] = place + 1
    return found
