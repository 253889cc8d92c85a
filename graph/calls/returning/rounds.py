"""All pairs judged together, a few times over: a contact of a leaver may have a new number too.

In the first round contacts are who they are. From the second on, where a contact A has left and v is A's new number
with probability q, v counts as that contact with q, for leavers and for those who stayed; and pairs with a number that
is somebody else's count less when evidence is turned into odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph.calls.returning import chance, evidence, pairs
from graph.calls.returning.one_to_one import probabilities
from graph.calls.returning.pasts import Pasts
from graph.calls.returning.profiles import Profiles, starts_of
from graph.calls.returning.seen import Seen

OVERLAP_DAYS = 30.0
"""A number that was there longer before the leaver's last contact is somebody else's."""
ROUNDS = 3
BELIEVED = 0.05
"""From this probability on a contact's new number stands for the contact."""
FITTED = 500_000
"""Pairs that odds are learned from, about: those of every so many pasts, where there are more."""
MOST_LOG = 50.0
"""Bound of the logarithm of odds."""


@dataclass(frozen=True)
class Candidates:
    """New numbers: `number` (v,) int32 positions, rising; `first` and `until` (v,) days that they are watched; whom
    they talk to."""

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


@dataclass(frozen=True)
class Judged:
    """Pairs by user and number (positions): `score`, the probability to be one person, and `shared` contacts."""

    user: np.ndarray
    number: np.ndarray
    score: np.ndarray
    shared: np.ndarray


def judged(
    past: Pasts,
    entries: Entries,
    counts: np.ndarray,
    new: Candidates,
    known: Seen,
    on_net: np.ndarray,
    not_theirs: np.ndarray,
    rounds: int = ROUNDS,
    joint: bool = True,
) -> Judged:
    """Pairs of leavers and new numbers with their probability.

    `counts` (m,) is what each past counts (`alike`); `not_theirs` are sorted keys `user * n + number` of pairs that
    cannot be. Without `joint` each pair is judged alone, in one round: for comparison.
    """
    late = np.sort(new.first)
    candidates = len(late) - np.searchsorted(late, past.end - OVERLAP_DAYS)
    offset = -np.log(np.maximum(candidates, 1))
    listed, fitted = entries, None
    theirs: np.ndarray = np.zeros(len(new.number))  # how likely a number is some leaver's
    before, mine = np.empty(0, np.int64), np.empty(0)
    for round_ in range(rounds if joint else 1):
        left, right, facts, shared = _weighed(past, listed, new, known, on_net, not_theirs)
        is_left = past.left[left]
        pair = left.astype(np.int64) * len(new.number) + right
        free = np.clip(1 - theirs[right] + _looked_up(before, mine, pair), 0, 1)
        some = left % (1 + len(left) // FITTED) == 0
        fitted = chance.fit(facts[:, some], offset[left][some], is_left[some], (counts[left] * free)[some], near=fitted)
        odds = np.exp(np.clip(chance.log_odds(fitted, facts, offset[left]), -MOST_LOG, MOST_LOG))[is_left]
        left, right, shared = left[is_left], right[is_left], shared[is_left]
        score = probabilities(left, right, odds) if joint else odds / (1 + odds)
        if round_ < rounds - 1:
            theirs = np.bincount(right, score, len(new.number))
            before, mine = pair[is_left], score
            likely = score >= BELIEVED
            listed = renamed(entries, past.user[left[likely]], new.number[right[likely]], score[likely])
    return Judged(past.user[left], new.number[right], score, shared)


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where it is none of the sorted `keys`."""
    if not len(keys):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0.0)


def _weighed(
    past: Pasts, listed: Entries, new: Candidates, known: Seen, on_net: np.ndarray, not_theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of pasts and of candidates, by both, their evidence and shared contacts."""
    n = len(on_net)
    left, right = pairs.pairs(
        listed.starts,
        listed.contact,
        listed.sure,
        past.user,
        past.end - OVERLAP_DAYS,
        new.number,
        new.first,
        np.diff(new.talks.starts),
        *pairs.index(new.talks.starts, new.talks.contact, n),
        np.log1p(known.contacts.sum() / np.maximum(known.contacts, 1)),
    )
    impossible = np.isin(past.user[left].astype(np.int64) * n + new.number[right], not_theirs) & past.left[left]
    left, right = left[~impossible], right[~impossible]
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
        on_net[new.number],
        on_net,
        known.last,
        known.contacts,
    )
    return left, right, facts, shared


def renamed(entries: Entries, user: np.ndarray, number: np.ndarray, score: np.ndarray) -> Entries:
    """Entries, and one more for each `number` that a contact `user` has with probability `score`.

    A number that is an entry already stays it; of several probabilities the highest counts.

    >>> entries = Entries(np.array([0, 1]), np.array([7], np.int32), np.array([0.5]), np.array([1.0]))
    >>> found = renamed(entries, np.array([7]), np.array([9]), np.array([0.8]))
    >>> found.contact.tolist(), found.rate.tolist(), found.sure.tolist()
    ([7, 9], [0.5, 0.5], [1.0, 0.8])
    """
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
