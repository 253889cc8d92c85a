"""Who leaves, what shows before, who only looks like it, and who comes back under another number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.draws import choose
from loaders.sample.people import People
from loaders.sample.streams import Streams
from loaders.sample.ties import Ties, expand, neighbours, new_ties

LEAVE_A_MONTH = 0.022
SIGNED = 0.75
RETURNING = 0.14


@dataclass
class Life:
    """What befalls customers; all arrays of length n, or (n, months) where said. -1: never.

    `leave_month` may be the month after the last or the one after that: leaving shows already, and is
    known to the truth alone.
    """

    leave_month: np.ndarray
    sign_months: np.ndarray
    trouble_from: np.ndarray
    decides: np.ndarray
    moves_less: np.ndarray
    cheaper: np.ndarray
    follows: np.ndarray  # leaves after contacts have left
    stay_shrink_from: np.ndarray
    stay_shrink_to: np.ndarray
    successor: np.ndarray  # node of the new number
    number_from: np.ndarray  # position whose number is used; another customer's where it was recycled
    rate: np.ndarray  # (n, months) factor on calls
    dip: np.ndarray  # (n, months) fewer calls, same circle
    trouble: np.ndarray  # (n, months) bad service

    @property
    def leavers(self) -> np.ndarray:
        return np.flatnonzero(self.leave_month >= 0)

    def month_before(self, months: int) -> np.ndarray:
        """(n, months): the months in which the circle of a leaver with the sign shrinks."""
        month = np.arange(months)[None, :]
        leave, signs = self.leave_month[:, None], self.sign_months[:, None]
        return (leave >= 0) & (month >= leave - signs) & (month < leave)


def make_life(streams: Streams, calendar: Calendar, people: People, ties: Ties, bad_months: np.ndarray) -> Life:
    """Draw the lives and change `people` (until, since) and `ties` (gaps, new ties) accordingly.

    `bad_months` (n, months): the cell where the customer lives serves badly.
    """
    rng = streams("lifecycle")
    n, months = people.n, calendar.months
    leave, follows = _leavers(rng, calendar, people, ties, bad_months)
    left = leave >= 0
    signed = left & (rng.random(n) < SIGNED)
    signs = np.where(signed, np.where(rng.random(n) < 0.55, 2, 1), 0)
    trouble_from = np.where(signed & (rng.random(n) < 0.55), np.maximum(0, leave - signs - rng.integers(1, 3, n)), -1)
    month = np.arange(months)[None, :]
    life = Life(
        leave_month=leave, sign_months=signs, trouble_from=trouble_from,
        decides=np.where(signed, rng.random(n) < 0.8, left & (rng.random(n) < 0.15)),
        moves_less=signed & (rng.random(n) < 0.5), cheaper=signed & (rng.random(n) < 0.15), follows=follows,
        stay_shrink_from=np.full(n, -1), stay_shrink_to=np.full(n, -1), successor=np.full(n, -1),
        number_from=np.arange(n), rate=np.ones((n, months), np.float32),
        dip=rng.random((n, months)) < 0.04,
        trouble=(trouble_from >= 0)[:, None] & (month >= trouble_from[:, None]) & (month < leave[:, None]),
    )  # fmt: skip
    life.trouble |= rng.random((n, months)) < np.where(bad_months, 0.5, 0.03)
    _days(rng, calendar, people, life)
    _shrink_leavers(rng, months, people, ties, life)
    _shrink_stayers(rng, months, people, ties, life)
    fading = life.month_before(months)
    last = fading & (month == leave[:, None] - 1)
    life.rate[fading] *= 0.8
    life.rate[last] *= 0.7
    life.rate[left[:, None] & (month == leave[:, None])] *= 0.6
    life.rate[life.dip & ~fading] *= 0.4
    _returning(rng, calendar, people, ties, life)
    _recycled(rng, people, life, calendar)
    return life


def _leavers(
    rng: np.random.Generator, calendar: Calendar, people: People, ties: Ties, bad: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two rounds: by circumstance, then drawn also by contacts who left. Month for each customer, and who followed."""
    n, months = people.n, calendar.months
    able = people.ordinary & (people.since[:n] < 0) & (people.until[:n] == NEVER)
    mood = rng.normal(0, 0.5, len(people.community_city))
    young = calendar.day_zero.year - people.birth_year < 30
    appeal = 0.8 * mood[people.community[:n]] + 0.35 * young + 0.9 * bad.any(axis=1)
    appeal -= 0.9 * ((people.contract_until > calendar.days) & (people.contract_until != NEVER))
    total = LEAVE_A_MONTH * able.sum() * (months + 1)
    leave, follows = np.full(n, -1), np.zeros(n, bool)
    first = choose(rng, np.flatnonzero(able), round(0.65 * total), np.exp(appeal[able]))
    leave[first] = rng.integers(1, months + 2, len(first))

    bounds, other, _ = neighbours(ties, n, np.flatnonzero(ties.rate > np.median(ties.rate)))
    early = first[leave[first] < months]
    which, place = expand(bounds, early)
    friend = other[place]
    own = friend < n
    pull = np.bincount(friend[own], minlength=n)
    earliest = np.full(n, months + 1)
    np.minimum.at(earliest, friend[own], leave[early][which][own])
    rest = able & (leave < 0)
    pulled = np.exp(appeal[rest] + 1.1 * np.minimum(pull[rest], 3))
    second = choose(rng, np.flatnonzero(rest), round(total) - len(first), pulled)
    low = np.where(pull[second] > 0, np.minimum(earliest[second] + 1, months + 1), 1)
    leave[second] = low + np.floor(rng.random(len(second)) * (months + 2 - low))
    follows[second] = pull[second] > 0
    return leave, follows


def _days(rng: np.random.Generator, calendar: Calendar, people: People, life: Life) -> None:
    """The day of leaving, and contracts that have mostly run out by then."""
    gone = life.leavers
    inside = gone[life.leave_month[gone] < calendar.months]
    month = life.leave_month[inside]
    length = np.diff(calendar.bounds)[month]
    people.until[inside] = calendar.first[month] + 2 + np.floor(rng.random(len(inside)) * (length - 4))
    free = inside[rng.random(len(inside)) < 0.7]
    held = people.contract_until[free] != NEVER
    people.contract_until[free[held]] = people.until[free[held]] - rng.integers(0, 45, held.sum())


def _shrink_leavers(rng: np.random.Generator, months: int, people: People, ties: Ties, life: Life) -> None:
    """Half of the ties end in the month before leaving (one month of sign), or a third and then two fifths."""
    bounds, _, tie = neighbours(ties, people.n, np.arange(len(ties)))
    ego = np.flatnonzero(life.sign_months > 0)
    which, place = expand(bounds, ego)
    row = tie[place]
    leave, signs = life.leave_month[ego][which], life.sign_months[ego][which]
    weaker = np.where(ties.rate[row] < np.median(ties.rate), 1.2, 0.85)
    u = rng.random(len(row)) / weaker
    later = rng.random(len(row)) / weaker
    month = np.where(signs == 1, np.where(u < 0.5, leave - 1, months), months)
    month = np.where(signs == 2, np.where(u < 0.35, leave - 2, np.where(later < 0.42, leave - 1, months)), month)
    ends = month < months
    np.minimum.at(ties.gap_from, row[ends], np.maximum(month[ends], 0).astype(np.int16))


def _shrink_stayers(rng: np.random.Generator, months: int, people: People, ties: Ties, life: Life) -> None:
    """One in forty of those who stay loses nearly half of the circle too; for half of them it comes back."""
    if months < 2:
        return
    stay = np.flatnonzero(people.ordinary & (life.leave_month < 0) & (people.since[: people.n] < 0))
    ego = choose(rng, stay, round(0.025 * len(stay)))
    begin = rng.integers(1, months, len(ego))
    back = np.where(rng.random(len(ego)) < 0.5, begin + rng.integers(1, 4, len(ego)), months)
    life.stay_shrink_from[ego], life.stay_shrink_to[ego] = begin, np.minimum(back, months)
    bounds, _, tie = neighbours(ties, people.n, np.arange(len(ties)))
    which, place = expand(bounds, ego)
    lost = (rng.random(len(place)) < 0.45) & (ties.gap_from[tie[place]] == months)
    row = tie[place][lost]
    ties.gap_from[row], ties.gap_to[row] = begin[which][lost], np.minimum(back, months)[which][lost]


def _returning(rng: np.random.Generator, calendar: Calendar, people: People, ties: Ties, life: Life) -> None:
    """New numbers for some leavers, with most of the contacts from before the circle shrank."""
    n = people.n
    gone = np.flatnonzero((people.until[:n] < calendar.days - 10) & (life.leave_month >= 0))
    back = choose(rng, gone, round(RETURNING * len(gone)))
    day = people.until[back] + rng.integers(0, 10, len(back))
    newcomers = np.flatnonzero(people.ordinary & (people.since[:n] > 0) & (people.first_number == np.arange(n)))
    stays_here = rng.random(len(back)) < 0.45
    here = choose(rng, newcomers, min(stays_here.sum(), len(newcomers) // 2))
    rng.shuffle(here)
    stays_here &= np.cumsum(stays_here) <= len(here)
    node = np.empty(len(back), np.int64)
    node[stays_here] = here
    node[~stays_here] = choose(rng, np.arange(n, people.nodes), (~stays_here).sum())
    life.successor[back] = node
    people.since[node] = day
    people.community[node] = people.community[back]
    old, new = back[stays_here], node[stays_here]
    people.first_number[new] = people.first_number[old]
    for column in (people.city, people.household, people.birth_year, people.female, people.income):
        column[new] = column[old]

    # the successors' own ties go; they get those of the former number instead, both ends translated
    fresh = np.zeros(people.nodes, bool)
    fresh[node] = True
    now = np.arange(people.nodes)
    now[back] = node
    untouched = ~(fresh[ties.a] | fresh[ties.b])
    rows = np.flatnonzero(untouched & ((now[ties.a] != ties.a) | (now[ties.b] != ties.b)))
    rows = rows[rng.random(len(rows)) < 0.75]
    a, b, share = now[ties.a[rows]], now[ties.b[rows]], ties.a_calls[rows]
    a, b, share = np.where(a < n, a, b), np.where(a < n, b, a), np.where(a < n, share, 1 - share)
    begins = np.maximum(people.since[a], people.since[b])
    kept = (a < n) & (begins < calendar.days)
    carried = new_ties(a[kept], b[kept], ties.rate[rows][kept], calendar.months, share[kept])
    carried.start = np.maximum(0, calendar.month_of(begins[kept])).astype(np.int16)
    carried.end = np.maximum(ties.end[rows][kept], carried.start)
    for name in ties.__dataclass_fields__:
        setattr(ties, name, getattr(ties, name)[untouched])
    ties.append(carried)
    size = 3 * len(node)
    a, b = rng.integers(0, n, size), np.repeat(node, 3)
    fine = (a != b) & people.ordinary[a]
    added = new_ties(a[fine], b[fine], rng.lognormal(-0.5, 0.8, fine.sum()), calendar.months, np.full(fine.sum(), 0.5))
    ties.append(added)


def _recycled(rng: np.random.Generator, people: People, life: Life, calendar: Calendar) -> None:
    """Some newcomers get the number of somebody who left at least sixty days before."""
    n = people.n
    freed = np.flatnonzero((life.leave_month >= 0) & (people.until[:n] < NEVER))
    freed = freed[np.argsort(people.until[freed], kind="stable")]
    coming = np.flatnonzero(people.ordinary & (people.since[:n] > 0) & (people.first_number == np.arange(n)))
    coming = coming[np.argsort(people.since[coming], kind="stable")]
    late = coming[people.since[coming] >= calendar.bounds[min(3, calendar.months)]]
    taken = late[len(late) - min(round(0.08 * len(coming)), len(late), len(freed)) :]
    former = freed[: len(taken)]
    fine = people.since[taken] >= people.until[former] + 60
    life.number_from[taken[fine]] = former[fine]
