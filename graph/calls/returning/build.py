"""`returning.parquet`: for each customer who left, the numbers that they may have now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graph.calls.ids import as_words
from graph.calls.lifetimes import Customers
from graph.calls.returning import chance, evidence, pairs
from graph.calls.returning.one_to_one import probabilities
from graph.calls.returning.pasts import Pasts, pasts
from graph.calls.returning.profiles import Profiles, profiles, starts_of
from graph.calls.returning.seen import Seen, seen
from graph.calls.state import Inputs, digest
from lake.periods import first_day, last_day
from lake.successions import NAME as SUCCESSIONS
from lake.tables import Lake

EPOCH = dt.date(1970, 1, 1)
SPAN = {"month": 3, "week": 13}
"""Periods that tell who a leaver talked to, the last ones, and who a new number talks to, the first ones."""
OVERLAP_DAYS = 30.0
"""A number that was there longer before the leaver's last contact is somebody else's."""
LEAST_DAYS = 7.0
"""Shorter pasts count as long as this, so that two calls on one day are no daily habit."""
ROUNDS = 3
"""Times that the pairs are weighed; from the second on contacts may have new numbers themselves."""
BELIEVED = 0.05
"""From this probability on a contact's new number stands for the contact."""
LEAST_SCORE = 0.01
MOST = 5
"""Candidates listed for one customer."""
MOST_LOG = 50.0
"""Bound of the logarithm of odds."""
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


@dataclass(frozen=True)
class Candidates:
    """New numbers: `number` (v,) int32 positions, rising; `first` and `until` (v,) days; their contacts."""

    number: np.ndarray
    first: np.ndarray
    until: np.ndarray
    talks: Profiles


@dataclass(frozen=True)
class Entries:
    """Whom pasts talk to, compressed: `starts`, `contact` rising in a row, `rate` events a day, `sure` probability."""

    starts: np.ndarray
    contact: np.ndarray
    rate: np.ndarray
    sure: np.ndarray


def returning(lake: Lake, customers: Customers, rounds: int = ROUNDS, joint: bool = True) -> pa.Table:
    """The table. Without `joint` each pair is judged alone, in one round: for comparison."""
    positions, periods = customers.positions, customers.periods
    known = seen(lake, periods, positions)
    span = SPAN["week" if "W" in periods[0] else "month"]
    past = pasts(customers, known, span)
    if not past.left.any():
        return SCHEMA.empty_table()
    new = _candidates(lake, customers, known, past, span)
    talked = profiles(lake, periods, positions, past.user, past.begins, past.ends)
    rate = talked.events / np.repeat(_days(periods, known, past), np.diff(talked.starts))
    entries = Entries(talked.starts, talked.contact, rate, np.ones(len(rate)))
    not_theirs = _not_theirs(lake, customers, past, talked)
    listed = entries
    for round_ in range(rounds if joint else 1):
        left, right, facts, shared = _weighed(customers, known, past, new, listed, not_theirs)
        late = np.sort(new.first)
        offset = -np.log(np.maximum(len(late) - np.searchsorted(late, past.end[left] - OVERLAP_DAYS), 1))
        is_left = past.left[left]
        weights = chance.fit(facts, offset, is_left, int(past.left.sum()), int((~past.left).sum()))
        odds = np.exp(np.clip(chance.log_odds(weights, facts, offset), -MOST_LOG, MOST_LOG))[is_left]
        left, right, shared = left[is_left], right[is_left], shared[is_left]
        score = probabilities(left, right, odds) if joint else odds / (1 + odds)
        if round_ < rounds - 1:
            believed = score >= BELIEVED
            listed = _renamed(entries, past.user[left[believed]], new.number[right[believed]], score[believed])
    return _table(customers, past.user[left], new.number[right], score, shared)


def _candidates(lake: Lake, customers: Customers, known: Seen, past: Pasts, span: int) -> Candidates:
    since = lake.read("customers", ["activated_on"])["activated_on"].combine_chunks()
    activated = since.cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    first = np.where(customers.on_net, np.fmin(known.first, activated), known.first)
    earliest = past.end[past.left].min() - OVERLAP_DAYS
    number = np.flatnonzero((known.ends >= 0) & (first >= earliest)).astype(np.int32)
    begins = known.begins[number]
    ends = np.minimum(begins + span - 1, len(customers.periods) - 1)
    closes = np.array([(last_day(p) - EPOCH).days + 1.0 for p in customers.periods])
    until = np.minimum(closes[ends], known.last.max())
    talks = profiles(lake, customers.periods, customers.positions, number, begins, ends)
    return Candidates(number, first[number], until, talks)


def _days(periods: list[str], known: Seen, past: Pasts) -> np.ndarray:
    """(m,) how many days the pasts tell of."""
    opens = np.array([(first_day(p) - EPOCH).days for p in periods], float)
    closes = np.array([(last_day(p) - EPOCH).days + 1.0 for p in periods])
    begun = np.maximum(opens[past.begins], known.first[past.user])
    return np.maximum(np.minimum(closes[past.ends], known.last[past.user]) - begun, LEAST_DAYS)


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


def _weighed(
    customers: Customers, known: Seen, past: Pasts, new: Candidates, listed: Entries, not_theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of rows of pasts and candidates, their evidence and shared contacts."""
    n = len(customers.users)
    many = np.diff(new.talks.starts)
    rarity = np.log1p(known.contacts.sum() / np.maximum(known.contacts, 1))
    left, right = pairs.pairs(
        listed.starts,
        listed.contact,
        listed.sure,
        past.user,
        past.end - OVERLAP_DAYS,
        new.number,
        new.first,
        many,
        *pairs.index(new.talks.starts, new.talks.contact, n),
        rarity,
    )
    key = past.user[left].astype(np.int64) * n + new.number[right]
    fine = ~(np.isin(key, not_theirs) & past.left[left])
    left, right = left[fine], right[fine]
    facts, shared = evidence.weigh(
        left,
        right,
        listed.starts,
        listed.contact,
        listed.rate,
        listed.sure,
        past.end,
        new.talks.starts,
        new.talks.contact,
        new.first,
        new.until,
        customers.on_net[new.number],
        customers.on_net,
        known.last,
        known.contacts,
    )
    return left, right, facts, shared


def _renamed(entries: Entries, user: np.ndarray, number: np.ndarray, score: np.ndarray) -> Entries:
    """Entries, and one more for each number that a contact may have now; a number that is an entry already stays it."""
    order = np.argsort(user, kind="stable")
    user, number, score = user[order], number[order], score[order]
    first = np.searchsorted(user, entries.contact, "left")
    many = np.searchsorted(user, entries.contact, "right") - first
    row = np.repeat(np.arange(len(entries.starts) - 1), np.diff(entries.starts))
    at = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
    rows = np.r_[row, np.repeat(row, many)]
    contact = np.r_[entries.contact, number[at]]
    rate = np.r_[entries.rate, np.repeat(entries.rate, many)]
    sure = np.r_[entries.sure, score[at] * np.repeat(entries.sure, many)]
    order = np.lexsort((-sure, contact, rows))
    rows, contact, rate, sure = rows[order], contact[order], rate[order], sure[order]
    head = np.r_[True, (rows[1:] != rows[:-1]) | (contact[1:] != contact[:-1])]
    return Entries(starts_of(rows[head], len(entries.starts) - 1), contact[head], rate[head], sure[head])


def _table(
    customers: Customers, user: np.ndarray, number: np.ndarray, score: np.ndarray, shared: np.ndarray
) -> pa.Table:
    score = np.round(score, 6)
    listed = score >= LEAST_SCORE
    user, number, score, shared = user[listed], number[listed], score[listed], shared[listed]
    order = np.lexsort((number, -score, user))
    user, number, score, shared = user[order], number[order], score[order], shared[order]
    head = np.flatnonzero(np.r_[True, user[1:] != user[:-1]]) if len(user) else order
    rank = np.arange(len(user)) - np.repeat(head, np.diff(np.r_[head, len(user)])) + 1
    best = rank <= MOST
    columns = {
        "user": customers.users.take(pa.array(user[best])),
        "candidate": customers.users.take(pa.array(number[best])),
        "score": score[best],
        "shared_contacts": shared[best].astype(np.int64),
        "rank": rank[best],
    }
    return pa.table(columns, schema=SCHEMA)
