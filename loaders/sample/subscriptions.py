"""The feed `subscriptions`: what customers held at first, and what the months add."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.draws import weighted_rows
from loaders.sample.leaders import Cascade
from loaders.sample.people import MACHINE, People
from loaders.sample.products import EXCLUDES, IDS, MB, PLANS, VALID_DAYS, product
from loaders.sample.streams import Streams
from loaders.sample.tastes import INTERESTS, Tastes

_LIKED = {"tone": "music", "mailbox-plus": "money", "shield": "family", "music-box": "music", "cinema-box": "video",
    "media-all": "video",
          "sport-live": "sport", "play-pass": "games", "family-guard": "family", "cloud-50": "making",
          "cloud-200": "making"}  # fmt: skip
_DATA_PACKS = np.array([product("data-1"), product("data-5"), product("data-20")])


@dataclass
class Ledger:
    """Subscriptions as they come, and each customer's plan. Every entry: customer, product, since, until."""

    n: int
    plan: np.ndarray
    plan_since: np.ndarray
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, user: np.ndarray, item: np.ndarray, since: np.ndarray, until: np.ndarray | None = None) -> None:
        """New subscriptions; a plan closes the one before it; packs end after their days."""
        valid = VALID_DAYS[item]
        if until is None:
            until = np.where(valid > 0, since + valid, NEVER)
        is_plan = np.isin(item, PLANS)
        other = ~is_plan
        self.entries.append((user[other], item[other], since[other], until[other]))
        changing, to, on = user[is_plan], item[is_plan], since[is_plan]
        self.entries.append((changing, self.plan[changing], self.plan_since[changing], on))
        self.plan[changing], self.plan_since[changing] = to, on

    def all(self, open_until: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Every subscription, one a key, ended no later than `open_until` (n,) says."""
        everybody = np.arange(self.n)
        parts = [*self.entries, (everybody, self.plan, self.plan_since, np.full(self.n, NEVER))]
        user, item, since, until = (np.concatenate([p[i] for p in parts]).astype(np.int64) for i in range(4))
        until = np.minimum(until, open_until[user])
        fine = since < until
        user, item, since, until = user[fine], item[fine], since[fine], until[fine]
        key = (user * len(IDS) + item) * 1_000_000 + since + 500_000
        _, once = np.unique(key, return_index=True)
        return user[once], item[once], since[once], until[once]

    def held(self, day: int) -> np.ndarray:
        """(n, products) bool: held on a day."""
        table = np.zeros((self.n, len(IDS)), bool)
        table[np.arange(self.n), self.plan] = True
        for user, item, since, until in self.entries:
            now = (since <= day) & (until > day)
            table[user[now], item[now]] = True
        return table


def first_subscriptions(streams: Streams, calendar: Calendar, people: People, tastes: Tastes) -> Ledger:
    """Plans by income and kind, services by interest, contracts by `contract_until`."""
    rng = streams("subscriptions")
    n = people.n
    #                 s     m    l    xl  max stud off prepaid
    by_income = np.array([[4, 3, 1, 0.3, 0.1, 1, 0, 5], [4, 5, 2, 0.6, 0.2, 1, 0, 4], [3, 5, 4, 1.5, 0.5, 0.7, 0, 2],
                          [1, 4, 6, 3, 1.2, 0.4, 0, 1], [0.5, 2, 5, 6, 4, 0.3, 0, 0.5], [0, 0.3, 1, 1, 1, 0, 8,
                              0]])  # fmt: skip
    office = people.kind == 1
    plan = np.array(PLANS)[weighted_rows(rng, by_income, np.where(office, 5, people.income.astype(int) - 1))]
    young = (calendar.day_zero.year - people.birth_year < 27) & (rng.random(n) < 0.5) & ~office
    plan[young] = product("plan-student")
    plan[people.kind == MACHINE] = product("plan-s")
    plan[people.fake > 0] = product("plan-prepaid")
    since = np.maximum(people.since[:n], -np.floor(rng.exponential(600, n)).astype(np.int64) - 1)
    since = np.where(people.since[:n] >= 0, people.since[:n], since)
    ledger = Ledger(n, plan, since)
    held = np.zeros((n, len(IDS)), bool)
    for name, interest in _LIKED.items():
        item = product(name)
        chance = 0.01 + 0.45 * np.maximum(tastes.interest[:, INTERESTS.index(interest)] - 0.08, 0)
        chance = np.where(people.ordinary, chance * FIRST_SHARE.get(name, 1), 0)
        user = np.flatnonzero((rng.random(n) < chance) & ~(held & EXCLUDES[item]).any(axis=1))
        held[user, item] = True
        begin = np.maximum(people.since[user], -rng.integers(1, 600, len(user)))
        begin = np.where(people.since[user] >= 0, people.since[user] + rng.integers(0, 20, len(user)), begin)
        ended = np.where(rng.random(len(user)) < 0.12, begin + rng.integers(60, 500, len(user)), NEVER)
        ledger.add(user, np.full(len(user), item), begin, np.where(ended < calendar.days, ended, NEVER))
    bound = np.flatnonzero(people.contract_until != NEVER)
    long = rng.random(len(bound)) < 0.6
    signed = people.contract_until[bound] - np.where(long, 730, 365)
    signed = np.maximum(signed, people.since[bound])
    kind = np.where(long, product("contract-24"), product("contract-12"))
    over = people.contract_until[bound] < calendar.days
    ledger.add(bound, kind, signed, np.where(over, np.maximum(people.contract_until[bound], signed + 1), NEVER))
    moving = np.flatnonzero(people.ordinary & (rng.random(n) < 0.05) & (people.since[:n] < 0))
    to = np.array(PLANS[:4])[rng.integers(0, 4, len(moving))]
    day = rng.integers(0, calendar.days, len(moving))
    fine = (to != ledger.plan[moving]) & (ledger.plan_since[moving] < day)
    ledger.add(moving[fine], to[fine], day[fine])
    return ledger


FIRST_SHARE = {"tone": 0.6, "mailbox-plus": 0.6, "shield": 0.6, "cloud-50": 0.6, "media-all": 0.4, "cloud-200": 0.5}


def add_cascades(ledger: Ledger, cascade: Cascade) -> None:
    """What leaders led and others followed; a service already held is left as it is."""
    product_lead = cascade.lead_product
    followed = product_lead[cascade.lead]
    user = np.r_[cascade.lead_user[product_lead], cascade.user[followed]]
    item = np.r_[cascade.lead_item[product_lead], cascade.lead_item[cascade.lead[followed]]]
    day = np.r_[cascade.lead_day[product_lead], cascade.day[followed]]
    for i, (u, p, s, e) in enumerate(ledger.entries):
        repeated = np.isin(u * 1000 + p, user * 1000 + item)
        ledger.entries[i] = (u[~repeated], p[~repeated], s[~repeated], e[~repeated])
    ledger.add(user.astype(np.int64), item.astype(np.int64), day.astype(np.int64))


def order_packs(
    streams: Streams,
    calendar: Calendar,
    month: int,
    ledger: Ledger,
    people: People,
    wanted: np.ndarray,
    thrifty: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Data packs of one month. Chance: 0.3 × (mb wanted / mb of the plan − 0.8), at most 0.6; none of the thrifty.

    The answer is each customer's chance, (n,), and who ordered.
    """  # fmt: skip
    rng = streams("packs", month)
    ratio = wanted / np.maximum(MB[ledger.plan], 400)
    low, high = calendar.bounds[month], calendar.bounds[month + 1]
    there = (people.since[: people.n] <= low) & (people.until[: people.n] >= high) & people.ordinary
    flat = ledger.held(int(low))[:, product("data-flat")]
    chance = np.where(there & ~thrifty & ~flat, np.clip(0.3 * (ratio - 0.8), 0, 0.6), 0)
    user = np.flatnonzero(rng.random(people.n) < chance)
    lacking = wanted[user] - MB[ledger.plan[user]]
    pack = _DATA_PACKS[np.searchsorted([1500, 9000], lacking)]
    ledger.add(user, pack, rng.integers(low + 8, high, len(user)))
    return chance, user


def subscriptions_table(calendar: Calendar, people: People, ledger: Ledger, number: pa.Array) -> pa.Table:
    """The feed, sorted by customer, product and date."""
    user, item, since, until = ledger.all(people.until[: people.n])
    return pa.table(
        {
            "number": number.take(pa.array(user)),
            "product": pa.array(IDS).take(pa.array(item)),
            "since": calendar.dates(since),
            "until": calendar.dates(np.where(until < calendar.days + 40, until, NEVER)),
        }
    )
