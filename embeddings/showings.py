"""What was shown and how it was answered, as rows that acceptance can be learned from.

Nothing of an answer is in its own row: rates come from other customers (of another fifth), habits of answering from
earlier answers, affinities from vectors that are older than the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa

from embeddings.catalogue import Catalogue
from embeddings.graph import Graph
from embeddings.offers import STRENGTH, counted, read_answers, smoothed
from embeddings.popularity import Segments, popularity, segment_shares
from embeddings.scorer import Vectors
from lake.tables import Lake

FOLDS = 5
CONTEXT = ("not_first", "first_channel", "second_channel", "third_channel", "lately")
"""Circumstances of a showing: not in the first place; through the customer's most used channel, the second, the third;
logarithm of 1 + offers shown to the customer in the `LATELY` days before."""
PREFERRED = 3
LATELY = 30
MOST = 3_000_000
"""Showings that are looked at, the latest."""
BLOCK = 1 << 16
"""Showings whose vectors are held at once."""
DAY_US = 86_400_000_000
WEIGHTS = (0.1, 10.0)
"""A showing weighs a tenth to ten times of the average one."""


@dataclass(frozen=True)
class Showings:
    """r showings in order of time.

    user, offer, channel  int32 (r), -1 where unknown
    at                    int64 (r), microseconds since 1970
    accepted, refused     bool (r)
    context               float32 (r, 5), as `CONTEXT`
    weight                float64 (r): share of the offer among all showings over the probability that this customer was
                          shown it, within `WEIGHTS`
    logged                share of the showings whose probability was logged; that of the others is estimated: the
                          share of the offer in the customer's segment and the channel
    """

    user: np.ndarray
    offer: np.ndarray
    channel: np.ndarray
    at: np.ndarray
    accepted: np.ndarray
    refused: np.ndarray
    context: np.ndarray
    weight: np.ndarray
    logged: float

    def __len__(self) -> int:
        return len(self.user)


def read_showings(lake: Lake, nodes: Catalogue, segments: Segments, offers: pa.Array, channels: pa.Array) -> Showings:
    """The latest showings of `offers` (o), in feed and API, at most `MOST`."""
    answers = read_answers(lake)
    names = ["user_at", "offer_at", "channel_at", "at", "accepted", "refused", "position", "probability"]
    if answers is None:
        table = pa.table({name: pa.array([], pa.float64()) for name in names})
    else:
        rows = answers.inner_join(_index("offer", offers), "offer").left_join(nodes.index("user"), "user")
        rows = rows.left_join(_index("channel", channels), "channel")
        rows = rows.select(*names)
        order = ["at", "user_at", "offer_at", "channel_at", "accepted", "refused", "position", "probability"]
        latest = rows.order_by([ibis.desc(name) for name in order]).limit(MOST)
        table = latest.order_by(order).to_pyarrow()

    def column(name: str, missing: float, kind: type) -> np.ndarray:
        return table[name].cast(pa.float64()).fill_null(missing).to_numpy().astype(kind)

    user, offer, channel = (column(f"{name}_at", -1, np.int32) for name in ("user", "offer", "channel"))
    at = table["at"].cast(pa.int64()).to_numpy()
    context = np.zeros((len(user), len(CONTEXT)), np.float32)
    context[:, 0] = column("position", 1, np.int64) > 1
    best = preferred(lake, nodes, channels)
    context[:, 1 : 1 + PREFERRED] = (best[user] == channel[:, None]) & (channel >= 0)[:, None]
    context[:, 4] = np.log1p(shown_lately(user, at))
    probability = column("probability", np.nan, np.float64)
    logged = probability > 0
    segment = np.append(segments.of, -1)[user]
    guess = _estimated(offer, segment, channel, len(offers))
    share = np.bincount(offer, minlength=len(offers)) / max(1, len(offer))
    weight = np.clip(share[offer] / np.where(logged, probability, guess), *WEIGHTS)
    accepted, refused = column("accepted", 0, bool), column("refused", 0, bool)
    share_logged = float(logged.mean()) if len(user) else 0.0
    return Showings(user, offer, channel, at, accepted, refused, context, weight, share_logged)


def preferred(lake: Lake, nodes: Catalogue, channels: pa.Array) -> np.ndarray:
    """Each customer's most used channels (n + 1, `PREFERRED`), best first, -1 after them; the last row is nobody."""
    best = np.full((len(nodes.users) + 1, PREFERRED), -1, np.int32)
    if lake.has("channel_use"):
        use = lake.scan("channel_use").filter(ibis._["rank"] <= PREFERRED)
        rows = (
            use.inner_join(nodes.index("user"), "user").inner_join(_index("channel", channels), "channel").to_pyarrow()
        )
        best[rows["user_at"].to_numpy(), rows["rank"].to_numpy() - 1] = rows["channel_at"].to_numpy()
    return best


def shown_lately(user: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Showings (r,) to the same customer in the `LATELY` days before each, those of the same moment apart.

    >>> shown_lately(np.array([1, 1, 1, 2]), np.array([0, 5, 5, 5]) * DAY_US).tolist()
    [0, 1, 1, 0]
    """
    order = np.lexsort((at, user))
    who, when = user[order], at[order] - at.min(initial=0)
    key = who.astype(np.int64) * (int(when.max(initial=0)) // 1_000_000 + LATELY * 86_400 + 1) + when // 1_000_000
    first = np.maximum(np.searchsorted(key, key - LATELY * 86_400), np.searchsorted(who, who))
    found = np.zeros(len(user), np.int64)
    found[order] = np.searchsorted(key, key) - first
    return found


def habits(rows: Showings, known: np.ndarray, users: int) -> tuple[np.ndarray, np.ndarray]:
    """How readily customers say yes and no: before each row (r, 2), and at the end (n, 2), from the `known` rows alone.

    Σ (answer - that answer's share of the offer) · w / (answers + w), w = `STRENGTH`, of acceptances and of refusals:
    how many more than expected, drawn to 0 where little was asked.
    """
    order = np.lexsort((rows.at, rows.user))
    who, counts = rows.user[order], known[order].astype(np.float64)
    new_user = np.append(True, who[1:] != who[:-1])[: len(who)]
    new_moment = new_user | np.append(True, np.diff(rows.at[order]) != 0)[: len(who)]
    place = np.arange(len(who))
    begun = np.maximum.accumulate(np.where(new_user, place, 0))
    moment = np.maximum.accumulate(np.where(new_moment, place, 0))
    total = max(1, int(rows.offer.max(initial=0)) + 1)
    shown = np.bincount(rows.offer[known], minlength=total)
    before, after = np.zeros((len(rows), 2), np.float32), np.zeros((users, 2), np.float32)
    asked = np.append(0.0, np.cumsum(counts))
    for j, said in enumerate((rows.accepted, rows.refused)):
        share = np.bincount(rows.offer[known], said[known], total) / np.maximum(shown, 1)
        more = np.append(0.0, np.cumsum(np.where(known, said - share[rows.offer], 0.0)[order]))
        before[order, j] = STRENGTH * (more[moment] - more[begun]) / (asked[moment] - asked[begun] + STRENGTH)
        last = np.flatnonzero(np.append(new_user[1:], True)[: len(who)])
        last = last[who[last] >= 0]
        after[who[last], j] = (
            STRENGTH * (more[last + 1] - more[begun[last]]) / (asked[last + 1] - asked[begun[last]] + STRENGTH)
        )
    before[rows.user < 0] = 0
    return before, after


def rates(rows: Showings, known: np.ndarray, segments: Segments, offers: int) -> np.ndarray:
    """Smoothed acceptance (r,) of each row's offer in the customer's segment, from the `known` rows; of those, each
    is told by the customers of the other folds alone."""
    segment = np.append(segments.of, -1)[rows.user]
    fold = rows.user % FOLDS

    def told(some: np.ndarray) -> np.ndarray:
        return smoothed(*counted(rows.offer[some], segment[some], rows.accepted[some], offers, len(segments.names)))

    found = told(known)[segment, rows.offer]
    for f in range(FOLDS):
        mine = known & (fold == f)
        found[mine] = told(known & (fold != f))[segment[mine], rows.offer[mine]]
    return found


def affinities(rows: Showings, vectors: Vectors, graph: Graph, segments: Segments, product: np.ndarray) -> np.ndarray:
    """Log-odds (r,) of the affinity of each row's customer to the offer's product at `product` (o,): of the vectors, or
    of the segment's share against everybody's where there are none; 0 where neither tells."""
    column, u = product[rows.offer], rows.user
    told = (u >= 0) & (column >= 0)
    found = np.zeros(len(rows))
    some = np.flatnonzero(told & np.append(vectors.everybody.any(axis=1), False)[u])
    for at in range(0, len(some), BLOCK):
        rows_at = some[at : at + BLOCK]
        two = vectors.users[u[rows_at]], vectors.apps[column[rows_at]]
        found[rows_at] = np.einsum("rd,rd->r", *two, dtype=np.float64)
    segment = np.append(segments.of, -1)[u]
    rest = np.setdiff1d(np.flatnonzero(told & (segment >= 0)), some)
    inside, overall = (
        segment_shares(graph.holds, segments)[segment[rest], column[rest]],
        popularity(graph.holds)[column[rest]],
    )
    both = (inside > 0) & (overall > 0)
    found[rest[both]] = np.log(inside[both] / overall[both])
    return found


def _estimated(offer: np.ndarray, segment: np.ndarray, channel: np.ndarray, offers: int) -> np.ndarray:
    """Share (r,) of each row's offer among the showings in its segment and channel, smoothed by that in the channel."""
    cell = np.unique(np.stack([segment, channel]), axis=1, return_inverse=True)[1].ravel()
    near = _share(cell, offer, offers)
    wide = _share(channel - channel.min(initial=0), offer, offers)
    return (near[0] + STRENGTH * wide[0] / np.maximum(wide[1], 1)) / (near[1] + STRENGTH)


def _share(group: np.ndarray, offer: np.ndarray, offers: int) -> tuple[np.ndarray, np.ndarray]:
    pair = group.astype(np.int64) * offers + offer
    size = int(group.max(initial=-1)) + 1
    return np.bincount(pair, minlength=size * offers)[pair], np.bincount(group, minlength=size)[group]


def _index(name: str, ids: pa.Array) -> ibis.Table:
    return ibis.memtable(pa.table({name: ids, f"{name}_at": np.arange(len(ids), dtype=np.int32)}))
