"""The feeds `web_visits` and `url_rules`, on hosts under `.example`, which nobody can own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from loaders.sample.adoption import Adoptions
from loaders.sample.apps import Apps
from loaders.sample.calendar import Calendar
from loaders.sample.draws import choose
from loaders.sample.files import FeedFolder
from loaders.sample.handsets import Holdings
from loaders.sample.people import People
from loaders.sample.streams import Streams
from loaders.sample.tastes import INTERESTS, Tastes

SHOP = "shop.homenetwork.example/phones"
_PAGES = 4
_WILD = 0.3
"""Visits a customer and month to hosts that no rule knows and that are no app's."""


def rules_table(streams: Streams, apps: Apps) -> pa.Table:
    """Three apps in five by their host, an interest by the hosts of its magazine, and the shop's pages of handsets."""
    rng = streams("url_rules")
    covered = choose(rng, np.arange(len(apps)), len(apps) * 3 // 5)
    pattern = [apps.host[a] for a in covered] + [f"*.{i}-weekly.example" for i in INTERESTS] + [SHOP]
    size = len(covered)
    return pa.table(
        {
            "pattern": pattern,
            "app": pa.array([apps.ids[a] for a in covered] + [None] * (len(INTERESTS) + 1), pa.string()),
            "tag": pa.array([None] * size + list(INTERESTS) + ["handset shopping"], pa.string()),
            "content": pa.array([None] * size + ["articles"] * len(INTERESTS) + ["handsets"], pa.string()),
        }
    )


def wild_addresses(streams: Streams) -> list[str]:
    """Hosts as they are found in the wild: counted servers, ports, IP addresses, somebody's own line and site."""
    lines = streams("wild").integers(10**6, 10**7, 60)
    return [
        *(f"ad{k}.pixelfarm.example/c.gif?u=1" for k in range(12)),
        *(f"Edge-{k}.widedelivery.example:8443/segment/{k}.ts" for k in range(20)),
        *(f"198.51.100.{k}/update" for k in range(1, 31)),
        *(f"line-{line}.dyn.homenetwork.example" for line in lines),
        *(f"at-home-{chr(97 + k % 26)}{chr(97 + k // 26)}.example./" for k in range(300)),
    ]


def write_visits(
    streams: Streams,
    calendar: Calendar,
    folder: FeedFolder,
    month: int,
    people: People,
    adopted: Adoptions,
    apps: Apps,
    tastes: Tastes,
    held: Holdings,
    number: pa.Array,
) -> None:
    """One month: pages of apps, magazines by interest, the shop before a new handset, hosts that no rule knows."""
    rng = streams("web", month)
    n = people.n
    low, high = int(calendar.bounds[month]), int(calendar.bounds[month + 1])
    on = (np.maximum(0, calendar.month_of(adopted.day)) <= month) & (month <= adopted.last)
    rows = np.flatnonzero(on & (rng.random(len(on)) < 0.07))
    user, host = adopted.user[rows].astype(np.int64), adopted.app[rows].astype(np.int64)
    reading = np.repeat(np.arange(n), rng.poisson(np.where(people.ordinary, 0.9, 0)))
    interest = (np.cumsum(tastes.interest[reading], axis=1) < rng.random(len(reading))[:, None]).sum(axis=1)
    magazine = len(apps) + np.minimum(interest, len(INTERESTS) - 1) * _PAGES + rng.integers(0, _PAGES, len(reading))
    soon = np.flatnonzero((held.changed_on >= low) & (held.changed_on < high + 25) & (rng.random(n) < 0.6))
    looking = np.r_[soon, np.flatnonzero(people.ordinary & (rng.random(n) < 0.01))]
    looking = np.repeat(looking, 1 + rng.poisson(1.5, len(looking)))
    shop = len(apps) + len(INTERESTS) * _PAGES
    strayed = np.repeat(np.arange(n), streams("wild", month).poisson(np.where(people.ordinary, _WILD, 0)))
    wild = wild_addresses(streams)
    stray = shop + 1 + streams("wild pages", month).integers(0, len(wild), len(strayed))
    user = np.r_[user, reading, looking, strayed]
    page = np.r_[host, magazine, np.full(len(looking), shop), stray]
    begin, end = np.maximum(low, people.since[user]), np.minimum(high, people.until[user])
    begin[: len(rows)] = np.maximum(begin[: len(rows)], adopted.day[rows])  # no visit before the first use
    fine = end > begin
    user, page, begin, end = user[fine], page[fine], begin[fine], end[fine]
    day = begin + np.floor(rng.random(len(user)) * (end - begin)).astype(np.int64)
    # before the new handset, not after it
    shopping = (page == shop) & (held.changed_on[user] >= low)
    latest = np.minimum(held.changed_on[user], high)
    day = np.where(shopping, np.clip(latest - rng.integers(1, 25, len(user)), begin, end - 1), day)
    second = day * 86_400 + rng.integers(7, 24, len(user)) * 3600 + rng.integers(0, 3600, len(user))
    urls = [f"{h}/start?session=1" for h in apps.host]
    urls += [f"www{p}.{i}-weekly.example/{p}" for i in INTERESTS for p in range(_PAGES)]
    urls += [f"{SHOP}/new", *wild]
    with folder.part("web_visits", calendar.names[month], "csv" if month % 3 == 1 else "parquet") as part:
        part.write(
            pa.table(
                {
                    "number": number.take(pa.array(user)),
                    "at": calendar.moments(second),
                    "url": pa.array(urls).take(pa.array(page)),
                    "mb": np.round(rng.exponential(1.2, len(user)), 3),
                }
            )
        )
