"""Which channels customers use and at what hours; the feed `touches`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loaders.sample.calendar import Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.people import MACHINE, NO_FAKE, People
from loaders.sample.products import CHANNELS, channel_ids, channel_of
from loaders.sample.streams import Streams

TOUCHES_A_MONTH = 2.4
_YOUNG = np.array([5, 2.5, 1.2, 2, 0.6, 0.4, 1.5, 0.2])
_OLD = np.array([1.2, 1.5, 1.5, 0.8, 3, 3, 0.3, 0.6])


@dataclass(frozen=True)
class Habits:
    """`share` (n, 8): of each channel among the customer's touches; `hour`, `second_hour` (n,): favourite hours."""

    share: np.ndarray
    hour: np.ndarray
    second_hour: np.ndarray

    def order(self) -> np.ndarray:
        """(n, 8): channels, the favourite first."""
        return np.argsort(-self.share, axis=1, kind="stable")


def make_habits(streams: Streams, people: People, age: np.ndarray, system: np.ndarray) -> Habits:
    """Few channels each, more digital ones with the young; favourite hours of morning, noon or evening people."""
    rng = streams("habits")
    n = people.n
    elder = np.clip((age - 20) / 50, 0, 1)[:, None]
    base = _YOUNG * (1 - elder) + _OLD * elder
    base = np.where((system == 2)[:, None], base * np.isin(CHANNELS, ("sms", "hotline", "store", "outbound")), base)
    share = rng.gamma(0.45 * base + 1e-3) + 1e-9
    share /= share.sum(axis=1, keepdims=True)
    centre = rng.choice([8, 12, 17, 20, 22], n, p=[0.15, 0.2, 0.25, 0.28, 0.12])
    hour = np.clip(np.round(rng.normal(centre, 1.2)), 6, 23).astype(np.int8)
    second = np.clip(np.round(rng.normal(rng.choice([9, 13, 19], n), 1.2)), 6, 23).astype(np.int8)
    root = people.first_number
    return Habits(share[root].astype(np.float32), hour[root], second[root])


def hours(rng: np.random.Generator, habits: Habits, user: np.ndarray, habit: float = 0.7) -> np.ndarray:
    """An hour of the day each: near a favourite with chance `habit`, else any from 8 to 21."""
    favourite = np.where(rng.random(len(user)) < 0.65, habits.hour[user], habits.second_hour[user])
    near = np.clip(np.round(rng.normal(favourite, 0.9)), 0, 23)
    return np.where(rng.random(len(user)) < habit, near, rng.integers(8, 22, len(user))).astype(np.int64)


def pick_channel(rng: np.random.Generator, share: np.ndarray) -> np.ndarray:
    """One channel a row of `share` (rows sum to 1)."""
    return np.minimum((np.cumsum(share, axis=1) < rng.random(len(share))[:, None]).sum(axis=1), share.shape[1] - 1)


def write_touches(
    streams: Streams, calendar: Calendar, folder: FeedFolder, month: int, people: People, habits: Habits,
    trouble: np.ndarray, number: pa.Array, channels: int = len(CHANNELS),
) -> None:  # fmt: skip
    """One month; bad service brings calls to the hotline on top. `channels`: how many there are."""
    rng = streams("touches", month)
    n = people.n
    low, high = calendar.bounds[month], calendar.bounds[month + 1]
    begin, end = np.maximum(low, people.since[:n]), np.minimum(high, people.until[:n])
    there = (end > begin) & ~people.idle & (people.kind != MACHINE) & (people.fake == NO_FAKE)
    share = np.where(there, (end - begin) / (high - low), 0)
    user = np.repeat(np.arange(n), rng.poisson(TOUCHES_A_MONTH * people.activity * share))
    channel = pick_channel(rng, habits.share[user])
    upset = np.flatnonzero(trouble & there & (rng.random(n) < 0.4))
    user = np.r_[user, upset]
    channel = np.r_[channel, np.full(len(upset), CHANNELS.index("hotline"))]
    hour = hours(rng, habits, user)
    hour = np.where(channel == CHANNELS.index("store"), np.clip(hour, 9, 18), hour)
    day = begin[user] + np.floor(rng.random(len(user)) * (end - begin)[user]).astype(np.int64)
    second = day * 86_400 + hour * 3600 + rng.integers(0, 3600, len(user))
    with folder.part("touches", calendar.names[month], "parquet" if month % 2 == 0 else "csv") as part:
        part.write(
            pa.table(
                {
                    "number": number.take(pa.array(user)),
                    "channel": pa.array(channel_ids(channels)).take(pa.array(channel_of(channel, user, channels))),
                    "at": calendar.moments(second),
                }
            )
        )
