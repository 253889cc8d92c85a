"""The feed `app_usage`, a row for each customer, app and month, and what it adds up to."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from loaders.sample.adoption import Adoptions
from loaders.sample.apps import Apps
from loaders.sample.calendar import Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.people import People
from loaders.sample.streams import Streams

ROWS = 2_000_000


def write_usage(
    streams: Streams,
    calendar: Calendar,
    folder: FeedFolder,
    month: int,
    adopted: Adoptions,
    apps: Apps,
    people: People,
    rate: np.ndarray,
    cap_mb: np.ndarray,
    number: pa.Array,
) -> tuple[np.ndarray, np.ndarray]:
    """Write one month; the answer is each customer's mb wanted and mb used, (n,) each.

    `at` is the first day of use in the month.
    `rate`: factor of each customer on sessions; `cap_mb`: what the plan and purse allow, above it all use shrinks.
    """  # fmt: skip
    rng = streams("app_usage", month)
    low, high = calendar.bounds[month], calendar.bounds[month + 1]
    begins = np.maximum(0, calendar.month_of(adopted.day))
    on = (begins <= month) & (month <= adopted.last)
    on &= (people.since[adopted.user] < high) & (people.until[adopted.user] > low)
    fresh = begins == month
    on &= (rng.random(len(on)) < 0.87) | (fresh & (adopted.day >= low))
    rows = np.flatnonzero(on)
    rows = rows[np.argsort(adopted.user[rows], kind="stable")]
    user, app = adopted.user[rows], adopted.app[rows]
    first = np.maximum(low, np.maximum(people.since[user], adopted.day[rows]))
    end = np.minimum(high, people.until[user])
    chance = np.floor(first + np.minimum(rng.exponential(3, len(rows)), 0.999 * (end - first)))
    day = np.where(adopted.day[rows] >= low, first, chance).astype(np.int64)
    open_share = np.maximum(end - day, 1) / (high - low)
    sessions = 1 + rng.poisson(adopted.level[rows] * rate[user] * open_share)
    seconds = np.round(sessions * rng.gamma(2, 110, len(rows))).astype(np.int64)
    mb = sessions * apps.mb_a_session[app] * rng.gamma(3, 1 / 3, len(rows)) * 5
    total = np.bincount(user, mb, people.n)
    shrink = np.minimum(1, cap_mb / np.maximum(total, 1e-9))
    mb = np.round(mb * shrink[user], 3)
    with folder.part("app_usage", calendar.names[month], "parquet") as part:
        for at in range(0, max(len(rows), 1), ROWS):
            cut = slice(at, at + ROWS)
            part.write(
                pa.table(
                    {
                        "number": number.take(pa.array(user[cut])),
                        "app": pa.array(apps.ids).take(pa.array(app[cut])),
                        "at": calendar.dates(day[cut]),
                        "sessions": sessions[cut],
                        "seconds": seconds[cut],
                        "mb": mb[cut],
                    }
                )
            )
    return total, np.bincount(user, mb, people.n)
