"""The chance that a customer accepts an offer, as `embeddings.propensity` learned it and the snapshot holds it.

log-odds = level of the offer in the customer's segment + a · log-odds of the affinity + numbers of the customer
· weights of the offer + that of the channel + v · log(1 + offers shown lately), for the first place.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from embeddings.snapshot import Snapshot
from lake.tables import Lake
from matching.arrays import positions
from matching.customers import whole
from matching.days import Days
from matching.rank import pair_scores

if TYPE_CHECKING:
    from matching.state import MatchState

LATELY = 30
"""Days whose showings make a customer tired of more."""
PREFERRED = 3
"""A customer's most used channels that are told apart."""
SURE = 1e-6
"""No affinity counts as nearer to 0 or 1 than this."""


@dataclass(frozen=True)
class Propensity:
    """Of n' users of the snapshot, o offers, c channels and s segments.

    users     float32 (n', f): customers' numbers
    weights   float32 (o, f)
    level     float64 (s + 1, o): the offer's level and its rate in the segment; the last row is for anybody
    affinity  weight of the affinity's log-odds
    channels  float64 (c + 1): log-odds of each channel, 0 in the last place: not known
    preferred float64 (3): of the customer's most used channel, the second, the third
    lately    float64 (n + 1): of the offers shown to each customer in the last `LATELY` days
    """

    users: np.ndarray
    weights: np.ndarray
    level: np.ndarray
    affinity: float
    channels: np.ndarray
    preferred: np.ndarray
    lately: np.ndarray


@dataclass(frozen=True)
class Expected:
    """Acceptance expected, float64 (b, o), and what moved it beside rate and affinity, as factors of the odds."""

    chance: np.ndarray
    customer: np.ndarray
    channel: np.ndarray
    lately: np.ndarray


def load_propensity(
    snapshot: Snapshot,
    lake: Lake,
    users: pa.ChunkedArray,
    offers: pa.Array,
    channels: pa.Array,
    prior: np.ndarray,
    today: dt.date,
    days: Days,
) -> Propensity | None:
    """What the snapshot learned from answers, for the lake's offers (o) and channels (c) and their `prior` (s + 1, o);
    None where nothing was learned. An offer that came since takes what all offers have in common."""
    if not len(snapshot.offer_weights) or not len(offers):
        return None
    table = np.asarray(snapshot.offer_weights, np.float64)[positions(offers, snapshot.offers["offer"])]
    rate, affinity, _, *preferred, lately = (float(slope) for slope in snapshot.offer_slopes)
    told = snapshot.channels
    log_odds = np.append(np.asarray(whole(told["log_odds"]).cast(pa.float64())), 0.0)
    return Propensity(
        users=snapshot.offer_users,
        weights=np.ascontiguousarray(table[:, 1:], np.float32),
        level=table[:, 0] + rate * _log_odds(prior),
        affinity=affinity,
        channels=np.append(log_odds[positions(channels, told["channel"])], 0.0),
        preferred=np.array(preferred),
        lately=lately * np.log1p(shown_lately(lake, users, today, days)),
    )


def shown_lately(lake: Lake, users: pa.ChunkedArray, today: dt.date, days: Days) -> np.ndarray:
    """Offers shown to each customer in the `LATELY` days before today, int64 (n + 1), each once a decision."""
    found = np.zeros(len(users) + 1, np.int64)
    first, end = days.begins(today - dt.timedelta(days=LATELY)), days.begins(today + dt.timedelta(days=1))
    tables = []
    for name in ("responses", "answers"):
        if lake.has(name):
            rows = lake.scan(name)
            rows = rows.filter(rows.kind == "offer").mutate(offer=rows.item) if name == "answers" else rows
            rows = rows.filter(rows.at >= first, rows.at < end)
            once = ibis.coalesce(rows.decision, rows.at.cast("string"))
            tables.append(rows.select("user", "offer", decision=once).distinct())
    if tables:
        both = ibis.union(*tables, distinct=True) if len(tables) > 1 else tables[0]
        each = both.group_by("user").aggregate(shown=ibis._.count()).to_pyarrow()
        row = positions(each["user"], users)
        found[row[row >= 0]] = np.asarray(each["shown"])[row >= 0]
    return found


def expected(
    state: MatchState, learned: Propensity, users: np.ndarray, affinity: np.ndarray, through: np.ndarray
) -> Expected:
    """Acceptance of all offers by the customers at `users` (b,), each `through` a channel (b, o), -1 for none."""
    vectors = state.vectors
    row = vectors.row[users]
    numbers = np.zeros((len(users), learned.users.shape[1]), np.float32)
    numbers[row >= 0] = learned.users[row[row >= 0]]
    customer = pair_scores(numbers, learned.weights, np.arange(len(learned.weights), dtype=np.int32))
    channel = learned.channels[through]
    for place, weight in enumerate(learned.preferred):
        best = state.channels.best[users, place][:, None]
        channel += np.where((through == best) & (best >= 0), weight, 0.0)
    lately = np.broadcast_to(learned.lately[users][:, None], customer.shape)
    z = learned.level[vectors.segment[users]] + learned.affinity * _log_odds(np.clip(affinity, SURE, 1 - SURE))
    z += customer + channel + lately
    return Expected(1 / (1 + np.exp(-z)), np.exp(customer), np.exp(channel), np.exp(lately))


def _log_odds(share: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(share) - np.log1p(-share))
