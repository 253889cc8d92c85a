"""The feed `app_usage`, a row for each customer, app and month, and what it adds up to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from loaders.sample.adoption import Adoptions
from loaders.sample.apps import Apps
from loaders.sample.calendar import Calendar
from loaders.sample.files import FeedFolder
from loaders.sample.people import People
from loaders.sample.streams import Streams

BLOCK = 100_000
"""Customers written in one go."""


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
    total, used = np.zeros(people.n), np.zeros(people.n)
    with folder.part("app_usage", calendar.names[month], "parquet") as part:
        for block, begin in enumerate(range(0, people.n, BLOCK)):
            stop = min(begin + BLOCK, people.n)
            low, high = np.searchsorted(adopted.user, [begin, stop])
            rng = streams("app_usage", month, block)
            rows = _month_rows(rng, calendar, month, adopted, slice(low, high), apps, people, rate)
            user, mb = rows.pop("user"), rows["mb"]
            total[begin:stop] = np.bincount(user - begin, mb, stop - begin)
            shrink = np.minimum(1, cap_mb[begin:stop] / np.maximum(total[begin:stop], 1e-9))
            rows["mb"] = np.round(mb * shrink[user - begin], 3)
            used[begin:stop] = np.bincount(user - begin, rows["mb"], stop - begin)
            rows["app"] = pa.array(apps.ids).take(pa.array(rows["app"]))
            part.write(pa.table({"number": number.take(pa.array(user)), **rows}))
    return total, used


def _month_rows(
    rng: np.random.Generator,
    calendar: Calendar,
    month: int,
    adopted: Adoptions,
    cut: slice,
    apps: Apps,
    people: People,
    rate: np.ndarray,
) -> dict[str, Any]:
    """Use in one month of the adoptions in `cut`, whose mb nothing has bounded yet."""
    low, high = calendar.bounds[month], calendar.bounds[month + 1]
    user, app, began = adopted.user[cut], adopted.app[cut], adopted.day[cut]
    begins = np.maximum(0, calendar.month_of(began))
    on = (begins <= month) & (month <= adopted.last[cut])
    on &= (people.since[user] < high) & (people.until[user] > low)
    on &= (rng.random(len(on)) < 0.87) | ((begins == month) & (began >= low))
    user, app, began, level = user[on], app[on], began[on], adopted.level[cut][on]
    first = np.maximum(low, np.maximum(people.since[user], began))
    end = np.minimum(high, people.until[user])
    chance = np.floor(first + np.minimum(rng.exponential(3, len(user)), 0.999 * (end - first)))
    day = np.where(began >= low, first, chance).astype(np.int64)
    open_share = np.maximum(end - day, 1) / (high - low)
    sessions = 1 + rng.poisson(level * rate[user] * open_share)
    seconds = np.round(sessions * rng.gamma(2, 110, len(user))).astype(np.int64)
    mb = sessions * apps.mb_a_session[app] * rng.gamma(3, 1 / 3, len(user)) * 5
    return {
        "user": user, "app": app, "at": calendar.dates(day), "sessions": sessions, "seconds": seconds, "mb": mb
    }  # fmt: skip
