"""The feed `calls`: what ties, hotlines, receptions and fake accounts give in one month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.sample.calendar import NEVER, Calendar
from loaders.sample.draws import weighted
from loaders.sample.lifecycle import Life
from loaders.sample.people import AGENT, COMPANY, SIM_BOX, People
from loaders.sample.streams import Streams
from loaders.sample.ties import Ties

VOICE_HOUR = np.array([3, 1.5, 1, 1, 1, 2, 8, 22, 38, 50, 55, 56, 52, 48, 50, 54, 58, 62, 60, 54, 46, 34, 20, 9])
WEEKEND_HOUR = np.array([6, 4, 2, 1, 1, 1, 3, 8, 18, 32, 46, 54, 56, 50, 46, 46, 48, 52, 54, 52, 46, 36, 24, 12])
OFFICE_HOUR = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 1.0, 0.01)
WEEKDAY_KEEP = np.array([0.95, 0.95, 0.95, 0.97, 1.0, 0.88, 0.78])
HOLIDAY_RATE = 0.68
GREETINGS = 1.1
"""In the holiday month: expected greetings (messages) of a customer to acquaintances hardly spoken to otherwise."""


@dataclass
class Events:
    """One entry a call or message. Nodes at or above `people.nodes` are services; `second` counts from the first
    day; `length` in seconds, 0 for a message or a missed call.
    """

    caller: np.ndarray
    callee: np.ndarray
    second: np.ndarray
    message: np.ndarray
    answered: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.caller)


def tie_events(
    streams: Streams, calendar: Calendar, month: int, block: int, rows: slice, ties: Ties, people: People, life: Life
) -> Events:
    """Calls and messages of the ties in `rows`: Poisson counts, days on which both numbers are in use."""
    rng = streams("calls", month, block)
    low, high = int(calendar.bounds[month]), int(calendar.bounds[month + 1])
    a, b = ties.a[rows], ties.b[rows]
    begin = np.maximum(low, np.maximum(people.since[a], people.since[b]))
    end = np.minimum(high, np.minimum(people.until[a], people.until[b]))
    span = np.maximum(end - begin, 0)
    own = np.r_[life.rate[:, month], np.ones(people.nodes - people.n, np.float32)]
    rate = ties.rate[rows] * ties.alive(month, rows) * own[a] * own[b] * span / (high - low)
    if month == calendar.holiday:
        rate = rate * HOLIDAY_RATE
    count = rng.poisson(rate / WEEKDAY_KEEP.mean())
    which = np.repeat(np.arange(len(a)), count)
    day = begin[which] + np.floor(rng.random(len(which)) * span[which]).astype(np.int64)
    kept = rng.random(len(which)) < WEEKDAY_KEEP[calendar.weekday(day)]
    which, day = which[kept], day[kept]
    forward = rng.random(len(which)) < ties.a_calls[rows][which]
    caller, callee = np.where(forward, a[which], b[which]), np.where(forward, b[which], a[which])
    return _events(rng, calendar, people, caller, callee, day, 0.22 if month != calendar.holiday else 0.3)


def _events(
    rng: np.random.Generator, calendar: Calendar, people: People, caller: np.ndarray, callee: np.ndarray,
    day: np.ndarray, messages: float,
) -> Events:  # fmt: skip
    size = len(caller)
    weekend = calendar.weekday(day) >= 5
    hour = np.where(weekend, weighted(rng, WEEKEND_HOUR, size), weighted(rng, VOICE_HOUR, size))
    company = np.r_[people.kind == COMPANY, np.zeros(people.nodes - people.n, bool)]
    office = company[np.minimum(caller, people.nodes - 1)] | company[np.minimum(callee, people.nodes - 1)]
    hour = np.where(office, weighted(rng, OFFICE_HOUR, size), hour)
    second = day * 86_400 + hour * 3600 + rng.integers(0, 3600, size)
    message = rng.random(size) < messages
    answered = message | (rng.random(size) < 0.9)
    length = np.where(answered & ~message, 1 + np.floor(rng.lognormal(4.3, 1.1, size)), 0).clip(0, 7200)
    return Events(caller.astype(np.int64), callee.astype(np.int64), second, message, answered, length.astype(np.int64))


def other_events(streams: Streams, calendar: Calendar, month: int, people: People, life: Life, services: int) -> Events:
    """Hotlines, senders of messages, receptions, fake accounts, greetings, and a few calls to oneself."""
    rng = streams("other calls", month)
    n = people.n
    low, high = int(calendar.bounds[month]), int(calendar.bounds[month + 1])
    begin = np.maximum(low, people.since[:n])
    span = np.maximum(np.minimum(high, people.until[:n]) - begin, 0)
    there = (span > 0) & ~people.silent & (people.fake == 0)
    share = span / (high - low)

    def some(rate: np.ndarray | float) -> np.ndarray:
        return np.repeat(np.arange(n), rng.poisson(rate * share * there))

    pairs: list[tuple[np.ndarray, np.ndarray, float]] = []
    hot = some(0.22 + 0.9 * life.trouble[:, month])
    number = people.nodes + weighted(rng, 1 / (np.arange(services) + 1.5) ** 0.7, len(hot))
    pairs.append((hot, number, 0.02))
    back = hot[rng.random(len(hot)) < 0.01]
    pairs.append((people.nodes + rng.integers(0, services, len(back)), back, 0.0))
    reception = np.flatnonzero(people.reception)
    if len(reception):
        asking = rng.integers(0, n, rng.poisson(180) * len(reception))
        asking = asking[there[asking]]
        pairs.append((asking, rng.choice(reception, len(asking)), 0.0))
    pairs.append(_greetings(rng, calendar, month, people, there))
    pairs.append(_sim_boxes(rng, people, there, n))
    pairs.append(_agents(rng, people, span))
    self_calls = some(0.0004)
    pairs.append((self_calls, self_calls, 0.0))
    built = []
    for a, b, messages in pairs:
        own = np.where(a < n, a, b)
        own = np.where(own < n, own, 0)
        fine = span[own] > 0
        a, b, own = a[fine], b[fine], own[fine]
        first, last = begin[own], begin[own] + span[own]
        two = (a < n) & (b < people.nodes)
        mate = np.where(two, b, a.clip(0, people.nodes - 1))
        first, last = np.maximum(first, np.where(two, people.since[mate], low)), np.minimum(
            last, np.where(two, people.until[mate], NEVER))  # fmt: skip
        fine = last > first
        a, b, first, last = a[fine], b[fine], first[fine], last[fine]
        day = (first + np.floor(rng.random(len(a)) * (last - first))).astype(np.int64)
        built.append(_events(rng, calendar, people, a, b, day, messages))
    for box in (built[4], built[5]):
        # traffic that is sold on is answered and short; agents let it ring for a second
        box.length = np.where(box.length > 0, 1 + box.length // 4, 0)
    built[5].length = np.minimum(built[5].length, 3)
    return Events(*(np.concatenate([getattr(e, f) for e in built]) for f in Events.__dataclass_fields__))


def _greetings(
    rng: np.random.Generator, calendar: Calendar, month: int, people: People, there: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """In the holiday month messages go round within communities, also to people hardly known."""
    if month != calendar.holiday:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), 1.0
    n = people.n
    order = np.argsort(people.community[:n], kind="stable")
    bounds = np.searchsorted(people.community[:n][order], np.arange(len(people.community_city) + 1))
    a = np.repeat(np.arange(n), rng.poisson(GREETINGS * there))
    low, high = bounds[people.community[a]], bounds[people.community[a] + 1]
    b = order[low + np.floor(rng.random(len(a)) * (high - low)).astype(np.int64)]
    fine = (a != b) & there[b]
    return a[fine], b[fine], 1.0


def _sim_boxes(
    rng: np.random.Generator, people: People, there: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """About 110 calls a month to anybody, hardly any back."""
    boxes = np.flatnonzero(people.fake == SIM_BOX)
    a = np.repeat(boxes, rng.poisson(110, len(boxes)))
    b = rng.integers(0, people.nodes, len(a))
    fine = (b >= n) | there[np.minimum(b, n - 1)]
    return a[fine], b[fine], 0.0


def _agents(rng: np.random.Generator, people: People, span: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Agents' accounts ring each other, three times a month, to look alive."""
    agents = np.flatnonzero((people.fake == AGENT) & (span > 0))
    if len(agents) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), 0.0
    at = np.repeat(np.arange(len(agents)), rng.poisson(3, len(agents)))
    b = agents[(at + rng.integers(1, 3, len(at))) % len(agents)]
    fine = agents[at] != b
    return agents[at][fine], b[fine], 0.0
