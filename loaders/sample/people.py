"""Customers, persons with other operators, and the communities that both belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.calendar import ALWAYS, NEVER, Calendar
from loaders.sample.draws import choose, rank_within, weighted
from loaders.sample.geography import Geography
from loaders.sample.streams import Streams

PERSON, COMPANY, MACHINE = 0, 1, 2
KINDS = ("person", "company", "machine")
NO_FAKE, SIM_BOX, AGENT = 0, 1, 2
FAKES = ("", "sim_box", "agent")


@dataclass
class People:
    """Everybody that a call can reach but services. Nodes 0 … n-1 are customers (rows of `users`), the
    rest have other operators. Arrays of length n unless `nodes` is said; days count from the first day.
    """

    n: int
    community: np.ndarray  # nodes
    second: np.ndarray  # nodes; -1 for most
    bridge: np.ndarray
    sociability: np.ndarray  # nodes
    city: np.ndarray
    household: np.ndarray
    birth_year: np.ndarray
    female: np.ndarray
    income: np.ndarray
    kind: np.ndarray
    fake: np.ndarray
    silent: np.ndarray
    idle: np.ndarray
    reception: np.ndarray
    first_number: np.ndarray  # for a person's second number the customer with the first, else itself
    consent: np.ndarray
    no_contact: np.ndarray
    since: np.ndarray  # nodes: day from which the number is used
    until: np.ndarray  # nodes: day from which it is not
    contract_until: np.ndarray
    activity: np.ndarray
    community_city: np.ndarray
    community_age: np.ndarray

    @property
    def nodes(self) -> int:
        return len(self.community)

    @property
    def ordinary(self) -> np.ndarray:
        """Customers that are neither fake, silent, a machine nor a reception."""
        return ~(self.silent | self.reception | (self.fake != NO_FAKE) | (self.kind == MACHINE))


def make_people(streams: Streams, calendar: Calendar, geography: Geography, n: int) -> People:
    """Draw customers and the persons of other operators (1.3 for each customer)."""
    rng = streams("people")
    groups = max(2, round(n / 55))
    others = round(1.3 * n) + 20
    nodes = n + others
    weight = rng.lognormal(0, 0.5, groups)
    community_city = weighted(rng, geography.city_share, groups)
    community_age = rng.choice([19, 27, 36, 46, 58, 70], groups, p=[0.14, 0.24, 0.24, 0.18, 0.13, 0.07])
    community = np.r_[weighted(rng, weight, n), weighted(rng, weight, others)].astype(np.int32)
    second = np.where(rng.random(nodes) < 0.15, weighted(rng, weight, nodes), -1).astype(np.int32)
    bridge = rng.random(n) < 0.02

    city = np.where(rng.random(n) < 0.88, community_city[community[:n]], weighted(rng, geography.city_share, n))
    age = np.clip(np.round(rng.normal(community_age[community[:n]], 7)), 15, 95).astype(int)
    community_income = rng.normal(0, 0.6, groups)
    wealth = community_income[community[:n]] + 0.35 * np.clip((age - 20) / 20, 0, 1.5) + rng.normal(0, 0.8, n)
    income = np.clip(np.floor((wealth + 2.2) * 1.1), 0, 4).astype(np.int8) + 1
    people = People(
        n=n, community=community, second=second, bridge=bridge,
        sociability=rng.lognormal(-0.18, 0.6, nodes).astype(np.float32),
        city=city.astype(np.int32), household=_households(rng, community[:n]),
        birth_year=(calendar.day_zero.year - age).astype(np.int16), female=rng.random(n) < 0.505, income=income,
        kind=np.zeros(n, np.int8), fake=np.zeros(n, np.int8), silent=np.zeros(n, bool), idle=np.zeros(n, bool),
        reception=np.zeros(n, bool), first_number=np.arange(n),
        consent=rng.random(n) >= 0.06, no_contact=rng.random(n) < 0.03,
        since=np.full(nodes, ALWAYS), until=np.full(nodes, NEVER),
        contract_until=np.full(n, NEVER), activity=rng.lognormal(-0.12, 0.5, n).astype(np.float32),
        community_city=community_city, community_age=community_age,
    )  # fmt: skip
    _roles(rng, calendar, people)
    people.since[:n] = np.where(
        people.since[:n] == ALWAYS, -1 - np.floor(rng.exponential(900, n)).clip(0, 5000), people.since[:n]
    )
    bound = rng.random(n) < 0.55
    people.contract_until = np.where(bound, rng.integers(-60, 720, n), NEVER)
    return people


def _households(rng: np.random.Generator, community: np.ndarray) -> np.ndarray:
    """Groups of 1 to 5 within a community, numbered from 0."""
    order = np.lexsort((rng.random(len(community)), community))
    fresh = rng.random(len(order)) < 0.36
    ordered = community[order]
    fresh[1:] |= ordered[1:] != ordered[:-1]
    fresh[:1] = True
    run = np.cumsum(fresh)
    fresh |= rank_within(run) % 5 == 0
    household = np.empty(len(order), np.int32)
    household[order] = np.cumsum(fresh) - 1
    return household


def _roles(rng: np.random.Generator, calendar: Calendar, people: People) -> None:
    """Give the rare roles to different customers; in a very small sample most have nobody."""
    n, free = people.n, rng.permutation(people.n)
    at = 0

    def take(share: float) -> np.ndarray:
        nonlocal at
        taken = free[at : at + int(share * n)]
        at += len(taken)
        return taken

    people.kind[take(0.01)] = MACHINE
    boxes, agents = take(0.0015), take(0.003)
    people.fake[boxes], people.fake[agents] = SIM_BOX, AGENT
    people.reception[take(0.0005)] = True
    people.silent[take(0.015)] = True
    people.idle[take(0.004)] = True
    people.silent |= people.idle | (people.kind == MACHINE)
    people.kind[take(0.04)] = COMPANY
    people.kind[people.reception] = COMPANY
    seconds = take(0.02)
    if calendar.months > 1 and len(agents):
        # agents switch their accounts on in batches, on a handful of days
        batch = rng.integers(0, calendar.days * 2 // 3, max(1, len(agents) // 12))
        people.since[agents] = np.sort(rng.choice(batch, len(agents)))
        leaving = people.since[agents] + rng.integers(35, 75, len(agents))
        people.until[agents] = np.where(leaving < calendar.days, leaving, NEVER)
    if calendar.months > 1:
        joiners = take(0.06)
        people.since[joiners] = rng.integers(calendar.first[1], calendar.days - 5, len(joiners))
    if len(seconds):
        firsts = choose(rng, free[at:], len(seconds))
        people.first_number[seconds] = firsts
        for column in (people.community, people.second, people.city, people.household, people.birth_year):
            column[seconds] = column[firsts]
        for column in (people.female, people.income, people.consent, people.no_contact):
            column[seconds] = column[firsts]
        people.activity[seconds] *= 0.45
