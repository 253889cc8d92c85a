"""The catalogue of apps: interests, niches, popularity, release."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loaders.sample.calendar import Calendar
from loaders.sample.streams import Streams
from loaders.sample.tastes import INTERESTS, NICHES
from loaders.sample.words import names

_KINDS = (
    ("arcade", "puzzle", "strategy", "racing"), ("series", "clips", "live", "cinema"), ("radio", "streams",
     "podcasts", "karaoke"),
    ("football", "running", "scores", "outdoor"), ("banking", "saving", "markets", "payments"), ("fashion",
     "groceries", "second hand", "coupons"),
    ("flights", "hotels", "maps", "trains"), ("messaging", "photos", "children", "health"), ("languages", "school",
     "news", "reading"),
    ("cooking", "garden", "design", "repair"),
)  # fmt: skip


@dataclass(frozen=True)
class Apps:
    """Arrays of one entry an app. `systems` is a bit set of handset systems, 0 for any."""

    ids: list[str]
    niche: np.ndarray
    popularity: np.ndarray
    systems: np.ndarray
    released: np.ndarray
    mb_a_session: np.ndarray
    host: list[str]
    table: pa.Table

    def __len__(self) -> int:
        return len(self.ids)

    def runs_on(self, app: np.ndarray, system: np.ndarray) -> np.ndarray:
        """Whether each app runs on each system; a basic handset runs only apps for any system."""
        allowed = self.systems[app]
        return np.where(system == 2, allowed == 0, (allowed == 0) | ((allowed >> system) & 1 == 1))


def app_count(users: int) -> int:
    """500 at 20,000 users, 24,728 from 2.2 million on, at least 60.

    >>> app_count(20_000), app_count(2_200_000), app_count(2_000), app_count(50)
    (500, 24728, 199, 60)
    """
    power = 0.4 if users < 20_000 else np.log(24_728 / 500) / np.log(110)
    return int(np.clip(round(500 * (users / 20_000) ** power), 60, 24_728))


def make_apps(streams: Streams, calendar: Calendar, size: int) -> Apps:
    """Popularity falls with rank; one app in eight appears during the months, one in thirty is the operator's."""
    rng = streams("apps")
    niche = rng.permutation(np.arange(size) % (len(INTERESTS) * NICHES))
    popularity = rng.permutation(1 / (np.arange(size) + 6) ** 0.85)
    systems = rng.choice([0, 1, 2, 3], size, p=[0.3, 0.14, 0.08, 0.48])
    released = np.where(rng.random(size) < 0.125, rng.integers(5, max(6, calendar.days * 5 // 6), size), -1)
    own = rng.random(size) < 1 / 30
    width = len(str(size))
    ids = [f"app{i + 1:0{width}d}" for i in range(size)]
    titles = names(rng, size)
    publishers = names(rng, max(5, size // 6))
    publisher = rng.integers(0, len(publishers), size)
    host = [f"{title.lower().replace(' ', '-')}.example" for title in titles]
    named = {0: "", 1: "android", 2: "ios", 3: "android;ios"}
    table = pa.table(
        {
            "app": ids,
            "name": titles,
            "category": [INTERESTS[g // NICHES] for g in niche],
            "subcategory": [_KINDS[g // NICHES][g % NICHES] for g in niche],
            "publisher": ["Home Network" if o else publishers[p] for o, p in zip(own, publisher, strict=True)],
            "os": [named[int(s)] for s in systems],
            "own": own,
            "price": np.where(rng.random(size) < 0.15, rng.choice([0.99, 1.99, 4.99], size), 0.0),
        }
    )
    mb = rng.lognormal(0.6, 0.8, size) * np.where(niche // NICHES == 1, 8, 1)
    return Apps(ids, niche, popularity, systems, released, mb, host, table)
