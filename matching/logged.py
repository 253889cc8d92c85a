"""Offers that were shown since some moment, each with what else might have been shown to that customer then.

Only first places are looked at: who was shown what in the second depends on the first, and is accepted less often for
its place alone. What may be shown is what the rules of a `MatchState` of an earlier day say, through the channel of the
showing, without offers that have ended since, what the customer took up since, or refused lately.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.offers import read_answers
from lake.tables import Lake
from matching.arrays import binary, positions
from matching.eligibility import Block, eligible
from matching.scores import OfferScores, offer_scores
from matching.state import MatchState

DAY_US = 86_400_000_000
NOTED = 2 * DAY_US
"""A product counts as held so long after the day it was taken: never at the very showing that sold it, whatever the
zone. That it was accepted counts at once."""
FROM_ANSWERS = ("paused", "fatigue")
"""Rules that read what was answered, which an earlier policy may not have done."""
FOREVER = np.iinfo(np.int64).max
MOST = 200_000
"""Showings that are looked at, the latest."""
_CELLS = 1 << 22
"""Showings × offers looked at together."""


@dataclass(frozen=True)
class Shown:
    """r showings in order of time.

    user, offer, channel  int64 (r): positions in the state; -1 for a channel that is not known
    at                    int64 (r): microseconds since 1970
    accepted              bool (r)
    probability           float64 (r) of having been shown, nan where it was not logged
    left_out              how many others there were, and why they do not count
    """

    user: np.ndarray
    offer: np.ndarray
    channel: np.ndarray
    at: np.ndarray
    accepted: np.ndarray
    probability: np.ndarray
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: np.ndarray) -> Shown:
        """Only some rows."""
        names = ("user", "offer", "channel", "at", "accepted", "probability")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True)
class Closed:
    """What customers could not be shown for a while since: by customer, from `since` to `until` (microseconds), as they
    had answered it or, where `held`, had the product."""

    user: np.ndarray
    offer: np.ndarray
    since: np.ndarray
    until: np.ndarray
    held: np.ndarray

    def clear(self, users: np.ndarray, at: np.ndarray, mask: np.ndarray, *, held: bool = False) -> None:
        """Clear mask (b, offers) for `users` (b) at the moments `at` (b) in place; with `held` of what they had."""
        first, last = np.searchsorted(self.user, users), np.searchsorted(self.user, users, side="right")
        row = np.repeat(np.arange(len(users)), last - first)
        event = np.arange(len(row)) - np.repeat(np.cumsum(last - first) - last, last - first)
        holds = (self.since[event] < at[row]) & (at[row] <= self.until[event])
        holds &= self.held[event] == 1 if held else True
        mask[row[holds], self.offer[event[holds]]] = False


@dataclass(frozen=True)
class Moments:
    """Showings at `rows` (b), all through one channel: `allowed` bool (b, offers), what is `suited` apart from what was
    answered, and the scores of all offers."""

    rows: np.ndarray
    allowed: np.ndarray
    suited: np.ndarray
    scores: OfferScores


def read_shown(lake: Lake, state: MatchState, since: dt.datetime) -> Shown:
    """The first places of `lake` since a moment (UTC, without offset), of feed and API."""
    names = ["user", "offer", "channel", "accepted", "at", "position", "probability"]
    answers = read_answers(lake)
    if answers is None:
        nothing = np.zeros(0, np.int64)
        return Shown(nothing, nothing, nothing, nothing, nothing.astype(bool), nothing.astype(float), {})
    table = answers.filter(answers.at >= ibis.literal(since)).select(*names).order_by(["at", *names[:4]]).to_pyarrow()
    user = positions(table["user"], binary(state.customers.users))
    offer = positions(table["offer"], state.offers.ids)
    first = np.asarray(pc.fill_null(table["position"], 1)) <= 1
    known = (user >= 0) & (offer >= 0)
    every = np.flatnonzero(first & known)
    kept = every[-MOST:]
    probability = np.asarray(pc.fill_null(table["probability"], np.nan), np.float64)
    return Shown(
        user=user[kept],
        offer=offer[kept],
        channel=positions(table["channel"], state.channels.ids)[kept],
        at=_moments(table["at"])[kept],
        accepted=np.asarray(table["accepted"].to_numpy(), bool)[kept],
        probability=np.where(probability > 0, probability, np.nan)[kept],
        left_out={
            "not_in_the_first_place": int((~first).sum()),
            "not_known": int((first & ~known).sum()),
            "earlier": len(every) - len(kept),
        },
    )


def accepted_by_month(lake: Lake) -> dict[str, int]:
    """Acceptances in each month (`2026-06`) in which anything was shown."""
    answers = read_answers(lake)
    if answers is None:
        return {}
    each = answers.group_by(month=answers["at"].strftime("%Y-%m")).aggregate(accepted=answers.accepted.sum())
    table = each.order_by("month").to_pyarrow()
    return dict(zip(table["month"].to_pylist(), table["accepted"].to_pylist(), strict=True))


def read_closed(lake: Lake, state: MatchState, since: dt.datetime) -> Closed:
    """What was accepted, refused or taken up since a moment, and so may not be offered."""
    parts = [np.zeros((5, 0), np.int64)]
    users = binary(state.customers.users)
    answers = read_answers(lake)
    if answers is not None:
        said = answers.filter(answers.at >= ibis.literal(since), answers.accepted | answers.refused)
        table = said.select("user", "offer", "at", "accepted").to_pyarrow()
        at = _moments(table["at"])
        user, offer = positions(table["user"], users), positions(table["offer"], state.offers.ids)
        took = np.asarray(table["accepted"].to_numpy(), bool) & (offer >= 0)
        row, alike = state.history.beside.pairs(offer[took])  # the offer itself is among them
        user, at = (np.append(each[~took], each[took][row]) for each in (user, at))
        offer = np.append(offer[~took], alike)
        parts.append(np.stack([user, offer, at, at + state.history.pause.days * DAY_US, np.zeros_like(at)]))
    if lake.has("subscriptions"):
        held = lake.scan("subscriptions")
        table = held.filter(held.since >= since.date()).select("user", "product", "since").to_pyarrow()
        user, product = positions(table["user"], users), positions(table["product"], state.products.ids)
        noted = np.asarray(table["since"].cast(pa.int32()), np.int64) * DAY_US + NOTED
        p = len(state.products.ids)
        barred = np.eye(p + 1, p, dtype=bool)  # the last row is a product that nobody knows
        barred[state.products.excludes.pairs(np.arange(p))] = True
        row, offer = np.nonzero(barred[:, state.offers.product][product])
        parts.append(np.stack([user[row], offer, noted[row], np.full(len(row), FOREVER), np.ones_like(offer)]))
    found = np.concatenate(parts, axis=1)
    found = found[:, (found[0] >= 0) & (found[1] >= 0)]
    return Closed(*found[:, np.lexsort((found[2], found[1], found[0]))])


def moments(lake: Lake, state: MatchState, shown: Shown, closed: Closed) -> Iterator[Moments]:
    """All showings, in blocks of one channel each."""
    unanswered = replace(state, rules=tuple(rule for rule in state.rules if rule.name not in FROM_ANSWERS))
    last = ends(lake, state)
    size = max(1, _CELLS // max(1, len(state.offers.ids)))
    for channel in np.unique(shown.channel).tolist():
        every = np.flatnonzero(shown.channel == channel)
        for rows in np.array_split(every, -(-len(every) // size)):
            users, at = shown.user[rows], shown.at[rows]
            block, runs = Block("offer", users, channel), at[:, None] < last
            allowed, suited = eligible(state, block) & runs, eligible(unanswered, block) & runs
            closed.clear(users, at, allowed)
            closed.clear(users, at, suited, held=True)
            yield Moments(rows, allowed, suited, offer_scores(state, users, channel))


def ends(lake: Lake, state: MatchState) -> np.ndarray:
    """The moment at which the last day of each offer is over, by the operator's clock: int64 (offers)."""
    days, one = lake.read("offers", ["ends_on"])["ends_on"].to_pylist(), dt.timedelta(days=1)
    over = [state.days.begins(day + one) if day and day.year < dt.MAXYEAR else None for day in days]
    return np.asarray(pc.fill_null(pa.array(over, pa.timestamp("us")).cast(pa.int64()), FOREVER), np.int64)


def _moments(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64()), np.int64)
