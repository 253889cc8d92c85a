"""How well items fit customers: apps by their vectors, offers by propensity × value × priority.

Customers of whom the snapshot knows nothing get the shares of their segment, and without a segment those of all
customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matching.fold import with_near, with_use
from matching.propensity import Expected, expected
from matching.rank import pair_scores, scores_of, top_k
from matching.routes import choose
from matching.state import MatchState

MOST_LIKELY = 0.95
"""No acceptance is expected above this."""
VALUE_BOUNDS = (0.1, 10.0)
"""An offer's value counts from a tenth of the mean value to ten times."""


@dataclass(frozen=True)
class AppScores:
    """Scores of all apps for b customers.

    scores  float32 (b, m)
    left    float32 (b, d): customers' vectors, zeros where `exact`
    added   float32 (b, m): what neighbours of the apps used add, or (1, 0) where the snapshot has none
    exact   bool (b): shares of segment or network, not a dot product
    """

    scores: np.ndarray
    left: np.ndarray
    added: np.ndarray
    exact: np.ndarray


def app_scores(state: MatchState, users: np.ndarray, fold: np.ndarray | None = None) -> AppScores:
    """Scores of all apps for customers at `users` (b,).

    `fold` int64 (f,): apps that a single customer used since the snapshot. They count as if they had been used before
    (`matching.fold`); so do those of a customer who came, or began to use apps, after the snapshot.
    """
    vectors = state.vectors
    left, added = with_use(vectors, state.used, users, fold)
    scores = scores_of(left[0], vectors.apps)[None] if len(users) == 1 else left @ vectors.apps.T
    if added.size:
        scores += added
    return AppScores(scores, left, added, _shares(state, users, left, scores))


def best_of_each(state: MatchState, users: np.ndarray, mask: np.ndarray, k: int) -> tuple[np.ndarray, ...]:
    """The best k apps of each of many customers at `users` (b,) among those of `mask` (b, m): items, scores, and
    `exact`, as `app_scores` and `top_k` give them one by one."""
    vectors = state.vectors
    left, near = with_near(vectors, state.used, users)
    scores = left @ vectors.apps.T
    exact = _shares(state, users, left, scores)
    items, values = top_k(
        scores, mask, k, left=left, right=vectors.apps, longest=vectors.longest_app, exact=exact, near=near,
        parallel=True,
    )  # fmt: skip
    return items, values, exact


def _shares(state: MatchState, users: np.ndarray, left: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Put shares into the scores (b, m) of customers without a vector; who that is, bool (b)."""
    vectors = state.vectors
    exact: np.ndarray = np.asarray(~left.any(axis=1))
    if exact.any():
        segment = vectors.segment[users[exact]]
        shares = np.repeat(vectors.popularity[None], len(segment), axis=0)  # tile gives the map itself where empty
        shares[segment >= 0] = vectors.segment_apps[segment[segment >= 0]]
        scores[exact] = shares
    return exact


def readable(values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Scores of apps from 0 to 1, in the same order: shares as they are, and of a dot product z (standard
    deviations above the customer's mean app) 1 / (1 + exp(1 - z / 2)): .5 at 2 deviations, .88 at 6.

    >>> readable(np.array([[2.0], [0.25]]), np.array([False, True])).tolist()
    [[0.5], [0.25]]
    """
    if len(exact) == 1:  # one customer's, without looking which
        return values if exact[0] else 1 / (1 + np.exp(1 - values / 2))
    return np.where(exact[:, None], values, 1 / (1 + np.exp(1 - values / 2)))


@dataclass(frozen=True)
class OfferScores:
    """Scores of all offers for b customers and the factors they are made of, float64 (b, o).

    score = propensity × value × priority

    propensity = what the snapshot learned from answers (`matching.propensity`), or prior × 2 affinity where it learned
    nothing; at most MOST_LIKELY

    prior     acceptance of the offer, in the customer's segment where it was shown there
    affinity  0 to 1, of the customer to the offer's product; .5 where nothing is known
    value     (o) margin over the mean margin of all offers, within VALUE_BOUNDS; 1 where not given
    priority  (o) .5 to 1.5
    learned   what else moved a learned propensity; None where it is not
    """

    score: np.ndarray
    propensity: np.ndarray
    prior: np.ndarray
    affinity: np.ndarray
    value: np.ndarray
    priority: np.ndarray
    learned: Expected | None

    def factors(self, row: int, item: int) -> dict[str, float]:
        """The factors of one score, by name: `customer`, `channel` and `lately`, where there are answers to learn from,
        are what customer, channel and offers shown lately make of the odds, and `context` what the latter two make of
        the propensity: it is that many times what it would be without them."""
        moved: dict[str, float] = {}
        if self.learned is not None:
            moved = {n: float(getattr(self.learned, n)[row, item]) for n in ("customer", "channel", "lately")}
            chance, now = float(self.learned.chance[row, item]), moved["channel"] * moved["lately"]
            moved["context"] = chance + (1 - chance) * now  # chance / without, as odds = now × odds without
        return {
            "prior": float(self.prior[row, item]),
            "affinity": float(self.affinity[row, item]),
            **moved,
            "propensity": float(self.propensity[row, item]),
            "value": float(self.value[item]),
            "priority": float(self.priority[item]),
        }


def offer_scores(state: MatchState, users: np.ndarray, asked: int = -1) -> OfferScores:
    """Scores of all offers for customers at `users` (b,), through the channel `asked` for where it is (>= 0)."""
    offers, vectors = state.offers, state.vectors
    prior = offers.prior[vectors.segment[users]]  # -1 takes the last row, which is overall
    affinity = _affinity(state, users)
    mean = np.nanmean(offers.value) if np.isfinite(offers.value).any() else 1.0
    value = np.clip(np.nan_to_num(offers.value / (mean if mean > 0 else 1.0), nan=1.0), *VALUE_BOUNDS)
    priority = 0.5 + np.clip(offers.priority, 0, 100) / 100
    learned = None
    if state.propensity is not None:
        every = np.tile(np.arange(len(offers.ids)), (len(users), 1))
        learned = expected(state, state.propensity, users, affinity, choose(state, "offer", users, every, asked))
    propensity = np.minimum(prior * 2 * affinity if learned is None else learned.chance, MOST_LIKELY)
    return OfferScores(propensity * value * priority, propensity, prior, affinity, value, priority, learned)


def _affinity(state: MatchState, users: np.ndarray) -> np.ndarray:
    """Affinity (b, o): sigmoid of the vectors' product; without vectors, how the customer's segment differs from all:
    share in the segment / (share in the segment + share among all)."""
    vectors = state.vectors
    column = state.products.vector[state.offers.product]
    row = vectors.row[users]
    left = np.zeros((len(users), vectors.products.shape[1]), np.float32)
    left[row >= 0] = vectors.product_users[row[row >= 0]]
    affinity = 1 / (1 + np.exp(-pair_scores(left, vectors.products, column)))
    cold = ~left.any(axis=1)
    if cold.any():
        affinity[cold] = 0.5
        segment = vectors.segment[users]
        some = np.flatnonzero(cold & (segment >= 0))
        inside = vectors.segment_products[segment[some]][:, column].astype(np.float64)
        overall = np.broadcast_to(vectors.product_popularity[column].astype(np.float64), inside.shape)
        total = inside + overall
        affinity[some] = np.divide(inside, total, out=np.full(inside.shape, 0.5), where=total > 0)
    affinity[:, column < 0] = 0.5
    return affinity
