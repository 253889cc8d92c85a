"""The feed `responses`: offers shown by a simple earlier policy, and what customers answered.

Acceptance follows one logistic model, written to the truth with its parameters and every probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.sample.calendar import Calendar
from loaders.sample.draws import softmax
from loaders.sample.files import FeedFolder
from loaders.sample.habits import Habits, hours, pick_channel
from loaders.sample.offers import Offers
from loaders.sample.people import People
from loaders.sample.products import CHANNELS, EXCLUDES, channel_ids, channel_of
from loaders.sample.streams import Streams
from loaders.sample.tastes import Tastes

DECISIONS_A_MONTH = 1.1
MODEL = {
    "interest": 8.0,  # times (share of the offer's interest - 0.1), bounded to -0.8 … 2.4
    "need": 0.8,  # times log(wanted / plan), bounded to -1 … 1.5
    "channel": 1.6,  # times (share of the channel in the customer's touches - 0.2)
    "hour": 0.35,  # within two hours of a favourite hour
    "position": -0.45,  # for every place below the first
    "fatigue": -0.25,  # for every offer already shown in the month
    "openness": 0.6,  # standard deviation between customers
}
SECOND_SLOT = 0.4
OUTCOMES = ("accepted", "refused", "ignored", "shown")


@dataclass
class Shown:
    """One entry an offer shown, in order of time."""

    user: np.ndarray
    offer: np.ndarray
    channel: np.ndarray
    second: np.ndarray
    position: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    accept: np.ndarray


def openness(streams: Streams, people: People) -> np.ndarray:
    """(n,): how readily a customer says yes to anything, in log odds."""
    return streams("openness").normal(0, MODEL["openness"], people.n)[people.first_number].astype(np.float32)


def appeal(offers: Offers, tastes: Tastes, need: dict[str, np.ndarray], willing: np.ndarray) -> np.ndarray:
    """(n, offers): log odds of acceptance apart from channel, hour, position and fatigue."""
    logit = offers.base[None, :] + willing[:, None]
    for j in range(len(offers)):
        if offers.interest[j] >= 0:
            share = tastes.interest[:, offers.interest[j]]
            logit[:, j] += np.clip(MODEL["interest"] * (share - 0.1), -0.8, 2.4)
        if offers.need[j]:
            logit[:, j] += MODEL["need"] * np.clip(np.log(np.maximum(need[offers.need[j]], 1e-3)), -1, 1.5)
    return logit.astype(np.float32)


def show_and_answer(
    streams: Streams,
    calendar: Calendar,
    month: int,
    people: People,
    habits: Habits,
    offers: Offers,
    eligible: np.ndarray,
    held: np.ndarray,
    logit: np.ndarray,
    policy: np.ndarray,
) -> tuple[Shown, np.ndarray]:
    """Decisions of one month with their outcome (position in OUTCOMES).

    `eligible` (n, offers): for handset, audience and product; `policy` (n, offers): log weights of the earlier
    policy, which knows priorities and age, not tastes. After an acceptance a customer is left in peace that month.
    """  # fmt: skip
    rng = streams("responses", month)
    n = people.n
    low, high = int(calendar.bounds[month]), int(calendar.bounds[month + 1])
    begin, end = np.maximum(low, people.since[:n]), np.minimum(high, people.until[:n])
    reachable = people.consent & ~people.no_contact & people.ordinary & (end > begin)
    rate = np.where(reachable, DECISIONS_A_MONTH * (end - begin) / (high - low), 0)
    user = np.repeat(np.arange(n), rng.poisson(rate))
    mixed = 0.6 * habits.share[user] + 0.4 / len(CHANNELS)
    channel = pick_channel(rng, mixed)
    day = begin[user] + np.floor(rng.random(len(user)) * (end - begin)[user]).astype(np.int64)
    hour = hours(rng, habits, user, 0.5)
    second = day * 86_400 + hour * 3600 + rng.integers(0, 3600, len(user))
    order = np.lexsort((second, user))
    user, channel, second, day = user[order], channel[order], second[order], day[order]

    open_now = (offers.starts <= day[:, None]) & (day[:, None] <= offers.ends)
    allowed = eligible[user] & open_now & offers.through[:, channel].T
    some = allowed.any(axis=1)
    user, channel, second, allowed = user[some], channel[some], second[some], allowed[some]
    decision = np.arange(len(user))
    chance = softmax(np.where(allowed, policy[user], -np.inf))
    first = pick_channel(rng, chance)
    p_first = chance[decision, first]
    clash = EXCLUDES[offers.product][:, offers.product] | (offers.product[:, None] == offers.product)
    remaining = allowed & ~clash[first]
    two = remaining.any(axis=1) & (rng.random(len(user)) < SECOND_SLOT) & np.isin(channel, [0, 1, 3])
    rest = softmax(np.where(remaining[two], policy[user[two]], -np.inf))
    second_offer = pick_channel(rng, rest)
    p_second = rest[np.arange(len(rest)), second_offer]

    at = np.r_[decision, decision[two]]
    shown = Shown(
        user[at], np.r_[first, second_offer], channel[at], second[at],
        np.r_[np.ones(len(user), np.int64), np.full(int(two.sum()), 2)], np.r_[p_first, p_second], at,
        np.zeros(len(at)),
    )  # fmt: skip
    order = np.lexsort((shown.position, shown.decision))
    shown = Shown(*(getattr(shown, f)[order] for f in Shown.__dataclass_fields__))
    shown.accept = _accept(habits, shown, logit)
    yes = rng.random(len(order)) < shown.accept
    shown, yes = _peace(shown, yes)
    personal = np.isin(shown.channel, [CHANNELS.index(c) for c in ("hotline", "store", "outbound")])
    u = rng.random(len(yes))
    refused = ~yes & (u < np.where(personal, 0.45, 0.18))
    outcome = np.where(yes, 0, np.where(refused, 1, np.where(u > 0.9, 3, 2)))
    return shown, outcome


def _accept(habits: Habits, shown: Shown, logit: np.ndarray) -> np.ndarray:
    hour = shown.second % 86_400 // 3600
    near = np.minimum(abs(hour - habits.hour[shown.user]), abs(hour - habits.second_hour[shown.user])) <= 2
    start = np.searchsorted(shown.user, shown.user)
    before = np.arange(len(shown.user)) - start
    value = logit[shown.user, shown.offer].astype(np.float64)
    value += MODEL["channel"] * (habits.share[shown.user, shown.channel] - 0.2) + MODEL["hour"] * near
    value += MODEL["position"] * (shown.position - 1) + MODEL["fatigue"] * before
    return 1 / (1 + np.exp(-value))


def _peace(shown: Shown, yes: np.ndarray) -> tuple[Shown, np.ndarray]:
    """Take away what came after the decision in which a customer first accepted."""
    last = np.full(len(shown.user) and int(shown.user.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(last, shown.user[yes], shown.decision[yes])
    kept = shown.decision <= last[shown.user] if len(shown.user) else np.zeros(0, bool)
    return Shown(*(getattr(shown, f)[kept] for f in Shown.__dataclass_fields__)), yes[kept]


def write_responses(
    calendar: Calendar, folder: FeedFolder, month: int, shown: Shown, outcome: np.ndarray, offers: Offers,
    number: pa.Array, channels: int = len(CHANNELS),
) -> None:  # fmt: skip
    """One month of the feed, and beside it the true probability of each acceptance. `channels`: how many there are."""
    used = channel_of(shown.channel, shown.user, channels)
    decision = pc.binary_join_element_wise(calendar.names[month], pa.array(shown.decision).cast(pa.string()), "-")
    offer = pa.array(offers.ids).take(pa.array(shown.offer))
    with folder.part("responses", calendar.names[month], "csv" if month % 2 == 0 else "parquet") as part:
        part.write(
            pa.table(
                {
                    "number": number.take(pa.array(shown.user)),
                    "offer": offer,
                    "channel": pa.array(channel_ids(channels)).take(pa.array(used)),
                    "at": calendar.moments(shown.second),
                    "outcome": pa.array(OUTCOMES).take(pa.array(outcome)),
                    "decision": decision,
                    "position": shown.position,
                    "probability": np.round(shown.probability, 6),
                }
            )
        )
    with folder.part("truth/acceptance", calendar.names[month], "parquet") as part:
        part.write(
            pa.table({"decision": decision, "offer": offer, "position": shown.position, "probability": shown.accept})
        )
