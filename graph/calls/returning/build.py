"""`returning.parquet`: for each customer who left, the numbers that they may have now."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.returning.alike import traits, weights
from graph.calls.returning.pasts import Pasts, pasts
from graph.calls.returning.profiles import Profiles, profiles
from graph.calls.returning.rounds import OVERLAP_DAYS, Candidates, Entries, Judged, judged
from graph.calls.returning.seen import Seen, seen
from graph.calls.state import Inputs, digest
from lake.periods import first_day, last_day
from lake.successions import NAME as SUCCESSIONS
from lake.tables import Lake

EPOCH = dt.date(1970, 1, 1)
SPAN = {"month": 3, "week": 13}
"""Periods that tell who a leaver talked to, the last ones, and who a new number talks to, the first ones."""
LEAST_DAYS = 7.0
"""Shorter pasts count as long as this, so that two calls on one day are no daily habit."""
LEAST_SCORE = 0.01
MOST = 5
"""Candidates listed for one customer."""
SURE = 0.8
"""From this score on a pair becomes a SAME_AS edge; above one half nobody has two, as they add up to one at most."""

SCHEMA = pa.schema(
    [
        ("user", pa.binary()),
        ("candidate", pa.binary()),
        ("score", pa.float64()),
        ("shared_contacts", pa.int64()),
        ("rank", pa.int64()),
    ]
)


def build(lake: Lake, customers: Customers, inputs: Inputs) -> bool:
    """Write `returning.parquet`, sorted by user and rank; false where its inputs did not change.

    `score` is the probability that the candidate is the user's new number, `shared_contacts` how many contacts of the
    user's last periods the candidate talks to, a contact's own new number counting as the contact. At most `MOST`
    candidates each, none below `LEAST_SCORE`. The caller saves `inputs`.
    """
    print_ = digest(
        customers.periods,
        as_words(customers.users).tobytes(),
        customers.on_net.tobytes(),
        customers.gone.tobytes(),
        *[lake.facts("contacts", period) for period in customers.periods],
        lake.facts("customers"),
        lake.facts(SUCCESSIONS),
    )
    if inputs.get("returning", "all") == print_ and lake.has("returning"):
        return False
    lake.write("returning", returning(lake, customers))
    inputs.put("returning", "all", print_)
    return True


def returning(lake: Lake, customers: Customers, joint: bool = True) -> pa.Table:
    """The table. Without `joint` each pair is judged alone: for comparison."""
    positions, periods = customers.positions, customers.periods
    known = seen(lake, periods, positions)
    span = SPAN["week" if "W" in periods[0] else "month"]
    past = pasts(customers, known, span)
    if not past.left.any():
        return SCHEMA.empty_table()
    talked = profiles(lake, periods, positions, past.user, past.begins, past.ends)
    rate = talked.events / np.repeat(_days(periods, known, past), np.diff(talked.starts))
    entries = Entries(talked.starts, talked.contact, rate, np.ones(len(rate)))
    found = judged(
        past,
        entries,
        weights(traits(past, entries, known, customers.on_net), past.left),
        candidates(lake, customers, known, past, span),
        known,
        customers.on_net,
        _not_theirs(lake, customers, past, talked),
        joint=joint,
    )
    return table(customers, found)


def candidates(lake: Lake, customers: Customers, known: Seen, past: Pasts, span: int) -> Candidates:
    """Numbers that are not older than the first leaver's last contact allows; a customer is as old as the contract."""
    since = lake.read("customers", ["activated_on"])["activated_on"].combine_chunks()
    activated = since.cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    first = np.where(customers.on_net, np.fmin(known.first, activated), known.first)
    number = np.flatnonzero((known.ends >= 0) & (first >= past.end[past.left].min() - OVERLAP_DAYS)).astype(np.int32)
    begins = known.begins[number]
    ends = np.minimum(begins + span - 1, len(customers.periods) - 1)
    talks = profiles(lake, customers.periods, customers.positions, number, begins, ends)
    until = np.minimum(_closes(customers.periods)[ends], known.last.max())
    return Candidates(number, first[number], until, talks)


def _days(periods: list[str], known: Seen, past: Pasts) -> np.ndarray:
    """(m,) how many days the pasts tell of; of who stayed, the last period to its end."""
    opens = np.array([(first_day(p) - EPOCH).days for p in periods], float)
    begun = np.maximum(opens[past.begins], known.first[past.user])
    return np.maximum(np.minimum(_closes(periods)[past.ends], known.last[past.user]) - begun, LEAST_DAYS)


def _closes(periods: list[str]) -> np.ndarray:
    return np.array([(last_day(p) - EPOCH).days + 1.0 for p in periods])


def _not_theirs(lake: Lake, customers: Customers, past: Pasts, talked: Profiles) -> np.ndarray:
    """Keys `user * n + number` of leavers and numbers that are somebody else's: those that they talked to, and the
    number that was theirs once it is another customer's. Sorted."""
    n = len(customers.users)
    user = np.repeat(past.user, np.diff(talked.starts)).astype(np.int64)
    own = np.repeat(past.left, np.diff(talked.starts))
    keys = [user[own] * n + talked.contact[own]]
    if lake.has(SUCCESSIONS):
        held = lake.read(SUCCESSIONS, ["user", "former"])
        number, former = (customers.positions.of(held[name]) for name in ("user", "former"))
        both = (number >= 0) & (former >= 0)
        keys.append(former[both].astype(np.int64) * n + number[both])
    return np.unique(np.concatenate(keys))


def table(customers: Customers, found: Judged) -> pa.Table:
    """The best pairs of each customer who left, by user and rank."""
    score = np.round(found.score, 6)
    order = np.lexsort((found.number, -score, found.user))
    order = order[score[order] >= LEAST_SCORE]
    user = found.user[order]
    head = np.searchsorted(user, user, "left")
    rank = np.arange(len(user)) - head + 1
    order, rank = order[rank <= MOST], rank[rank <= MOST]
    columns = {
        "user": customers.users.take(pa.array(found.user[order])),
        "candidate": customers.users.take(pa.array(found.number[order])),
        "score": score[order],
        "shared_contacts": found.shared[order].astype(np.int64),
        "rank": rank,
    }
    return pa.table(columns, schema=SCHEMA)
