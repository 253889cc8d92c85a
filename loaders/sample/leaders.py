"""Leaders whose contacts adopt after them, and decoys whose contacts adopt the same without following."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.adoption import Adoptions
from loaders.sample.apps import Apps
from loaders.sample.calendar import Calendar
from loaders.sample.draws import choose
from loaders.sample.people import People
from loaders.sample.streams import Streams
from loaders.sample.ties import Ties, expand, neighbours

SHARE = 0.01
FOLLOW = 0.22
SECOND_HOP = 0.08
APPS_LED = (2, 5)


@dataclass
class Cascade:
    """`leads`: one entry a (leader or decoy, item); `adopters`: one an adoption caused by it (hop 1 or 2)
    or, for a decoy, shared with it. Items are apps, or services where `product` is set.
    """

    leader: np.ndarray
    decoy: np.ndarray
    lead_user: np.ndarray
    lead_item: np.ndarray
    lead_product: np.ndarray
    lead_day: np.ndarray
    lead: np.ndarray  # position in the leads, of each adopter
    user: np.ndarray
    day: np.ndarray
    hop: np.ndarray
    source: np.ndarray  # the customer that was followed


def make_cascades(
    streams: Streams,
    calendar: Calendar,
    people: People,
    ties: Ties,
    apps: Apps,
    system: np.ndarray,
    services: np.ndarray,
) -> Cascade:
    """Draw leaders (1 %), as many decoys with circles as large, what they lead, and who adopts when."""
    rng = streams("leaders")
    n = people.n
    rows = np.flatnonzero(ties.alive(0) & (ties.b < n))
    bounds, other, tie = neighbours(ties, n, rows)
    degree = np.diff(bounds)
    able = people.ordinary & (people.since[:n] < 0) & (people.until[:n] > calendar.days) & (system != 2)
    floor = np.median(degree[able]) if able.any() else 0
    pool = np.flatnonzero(able & (degree >= floor) & (degree > 0))
    both = choose(rng, pool, 2 * max(1, round(SHARE * n)), np.sqrt(degree[pool]))
    # sorted by degree and dealt out in turn: both groups have circles of the same sizes
    both = both[np.argsort(degree[both], kind="stable")]
    leader, decoy = both[::2], both[1::2]

    is_decoy = np.zeros(n, bool)
    is_decoy[decoy] = True
    chosen = np.sort(both)
    user = np.repeat(chosen, rng.integers(*APPS_LED, len(chosen)))
    product = rng.random(len(user)) < 0.15
    few = np.argsort(apps.popularity)[: max(1, len(apps) * 2 // 3)]
    few = few[(apps.released[few] < calendar.days // 4)]
    item = np.where(product, rng.choice(services, len(user)), rng.choice(few, len(user)))
    fits = product | apps.runs_on(np.where(product, 0, item), system[user])
    _, once = np.unique(np.column_stack([user, product, item]), axis=0, return_index=True)
    fits &= np.isin(np.arange(len(user)), once)
    user, item, product = user[fits], item[fits], product[fits]
    early = np.maximum(0, np.where(product, 0, apps.released[np.where(product, 0, item)]))
    day = early + np.floor((0.2 + 0.45 * rng.random(len(user))) * (calendar.days - early))
    day = day.astype(np.int32)

    which, place = expand(bounds, user)
    strong = np.clip((ties.rate[tie[place]] / 0.6) ** 0.35, 0.4, 2.2)
    hit = rng.random(len(place)) < FOLLOW * strong
    lead, follower = which[hit], other[place][hit]
    delay = 2 + np.floor(rng.gamma(1.6, 9, len(lead)))
    # a decoy's contacts adopt as often, on days that have nothing to do with the decoy's
    independent = early[lead] + np.floor(rng.random(len(lead)) * (calendar.days - early[lead]))
    when = np.where(is_decoy[user[lead]], independent, day[lead] + delay)
    hop = np.ones(len(lead), np.int8)
    source = user[lead]

    leading = ~is_decoy[user[lead]]
    on, place = expand(bounds, follower[leading])
    hit = rng.random(len(place)) < SECOND_HOP
    parent = np.flatnonzero(leading)[on[hit]]
    lead2, follower2 = lead[parent], other[place][hit]
    when2 = when[parent] + 2 + np.floor(rng.gamma(1.6, 9, len(parent)))
    lead, user2 = np.r_[lead, lead2], np.r_[follower, follower2]
    when, hop = np.r_[when, when2], np.r_[hop, np.full(len(lead2), 2, np.int8)]
    source = np.r_[source, follower[parent]]

    fine = (user2 != user[lead]) & (when < calendar.days) & (when >= people.since[user2]) & (when < people.until[user2])
    fine &= ~(people.idle[user2] | (people.kind[user2] == 2))
    fine &= product[lead] | apps.runs_on(np.where(product[lead], 0, item[lead]), system[user2])
    lead, user2, when, hop, source = lead[fine], user2[fine], when[fine], hop[fine], source[fine]
    # one item is adopted once, from whoever was first; a leader's own adoption is not overwritten
    key = np.column_stack([user2, product[lead], item[lead]]).astype(np.int64)
    flat = (key[:, 0] * 2 + key[:, 1]) * 100_000 + key[:, 2]
    own = (user.astype(np.int64) * 2 + product) * 100_000 + item
    order = np.lexsort((when, flat))
    order = order[np.r_[True, flat[order][1:] != flat[order][:-1]]] if len(order) else order
    order = order[~np.isin(flat[order], own)]
    order = np.sort(order)
    return Cascade(leader, decoy, user, item, product, day, lead[order], user2[order],
                   when[order].astype(np.int32), hop[order], source[order])  # fmt: skip


def cascade_adoptions(streams: Streams, calendar: Calendar, cascade: Cascade) -> Adoptions:
    """The apps among the cascades, as adoptions that last to the end."""
    rng = streams("cascade levels")
    app = ~cascade.lead_product
    followed = app[cascade.lead]
    user = np.r_[cascade.lead_user[app], cascade.user[followed]].astype(np.int32)
    item = np.r_[cascade.lead_item[app], cascade.lead_item[cascade.lead[followed]]].astype(np.int32)
    day = np.r_[cascade.lead_day[app], cascade.day[followed]].astype(np.int32)
    last = np.full(len(user), calendar.months - 1, np.int16)
    return Adoptions(user, item, day, last, rng.lognormal(1.9, 0.7, len(user)).astype(np.float32))
