"""Which customer uses which app from which day: by taste, and after a leader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.apps import Apps
from loaders.sample.calendar import ALWAYS, Calendar
from loaders.sample.draws import rank_within
from loaders.sample.people import NO_FAKE, People
from loaders.sample.streams import Streams
from loaders.sample.tastes import FAVOURITES, Tastes

BLOCK = 100_000
FROM_NICHES = 0.75


@dataclass
class Adoptions:
    """One entry a customer and app. `day`: of first use (ALWAYS: before the first month); `last`: month of the
    last use; `level`: sessions in a month.
    """

    user: np.ndarray
    app: np.ndarray
    day: np.ndarray
    last: np.ndarray
    level: np.ndarray

    def append(self, other: Adoptions) -> None:
        """The other's entries replace those of the same customer and app; sorted by customer."""
        member = np.zeros(1 + max(self.user.max(initial=0), other.user.max(initial=0)), bool)
        member[other.user] = True
        rows = np.flatnonzero(member[self.user])
        key = self.user[rows].astype(np.int64) * 100_000 + self.app[rows]
        kept = np.ones(len(self.user), bool)
        kept[rows] = ~np.isin(key, other.user.astype(np.int64) * 100_000 + other.app)
        order = np.argsort(np.concatenate([self.user[kept], other.user]), kind="stable").astype(np.int32)
        for name in self.__dataclass_fields__:
            setattr(self, name, np.concatenate([getattr(self, name)[kept], getattr(other, name)])[order])


def taste_adoptions(
    streams: Streams, calendar: Calendar, people: People, tastes: Tastes, apps: Apps, system: np.ndarray
) -> Adoptions:
    """Three draws in four from the favourite niches, one from all apps, each by popularity; no app twice."""
    by_niche = np.lexsort((-apps.popularity, apps.niche))
    cumulative = np.r_[0, np.cumsum(apps.popularity[by_niche])]
    bounds = np.searchsorted(apps.niche[by_niche], np.arange(apps.niche.max() + 2))
    blocks = []
    for block, begin in enumerate(range(0, people.n, BLOCK)):
        rng = streams("adoption", block)
        who = np.arange(begin, min(begin + BLOCK, people.n))
        who = who[~(people.idle[who] | (people.kind[who] == 2) | (people.fake[who] != NO_FAKE))]
        draws = np.ceil(1.7 * tastes.count[who]).astype(int) + 4
        user = np.repeat(who, draws)
        share = np.cumsum(tastes.weight[who], axis=1)
        drawn, slot = rng.random(len(user)), np.zeros(len(user), np.int8)
        for favourite in range(FAVOURITES - 1):
            slot += np.repeat(share[:, favourite], draws) < drawn
        niche = tastes.niche[user, slot]
        anything = rng.random(len(user)) > FROM_NICHES
        low = np.where(anything, 0, cumulative[bounds[niche]])
        high = np.where(anything, cumulative[-1], cumulative[bounds[niche + 1]])
        place = np.searchsorted(cumulative, low + rng.random(len(user)) * (high - low), side="right") - 1
        app = by_niche[np.clip(place, 0, len(apps) - 1)]
        fits = np.flatnonzero(apps.runs_on(app, system[user]))
        _, first = np.unique(user[fits] * np.int64(100_000) + app[fits], return_index=True)
        rows = fits[np.sort(first)]
        rows = rows[rank_within(user[rows]) < tastes.count[user[rows]]]
        blocks.append(_timed(rng, calendar, people, apps, user[rows], app[rows]))
    return Adoptions(*(np.concatenate([getattr(b, f) for b in blocks]) for f in Adoptions.__dataclass_fields__))


def _timed(
    rng: np.random.Generator, calendar: Calendar, people: People, apps: Apps, user: np.ndarray, app: np.ndarray
) -> Adoptions:
    """Three in five are used from before; others begin on some day, new apps and customers after they came."""
    size = len(user)
    day = np.where(rng.random(size) < 0.6, ALWAYS, np.floor(rng.random(size) * calendar.days)).astype(np.int32)
    after_release = apps.released[app] + np.floor(rng.exponential(45, size))
    day = np.where(apps.released[app] >= 0, after_release, day)
    joined = people.since[user] >= 0
    day = np.where(joined, np.maximum(day, people.since[user] + np.floor(rng.exponential(12, size))), day)
    fine = (day < calendar.days) & (day < people.until[user])
    begins = np.maximum(0, calendar.month_of(day))
    last = np.minimum(begins + np.floor(rng.exponential(14, size)), calendar.months - 1)
    level = rng.lognormal(1.6, 0.9, size)
    return Adoptions(
        user[fine].astype(np.int32), app[fine].astype(np.int32), day[fine].astype(np.int32),
        last[fine].astype(np.int16), level[fine].astype(np.float32),
    )  # fmt: skip
