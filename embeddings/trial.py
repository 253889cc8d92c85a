"""Which scorer serves: all are fitted on the past, tuned on half of the measured users, reported on the other half."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from embeddings.baselines import baselines
from embeddings.evaluate import K, Lists, Quality, Score, bootstrap, ends, halves, measure, measured_users, ranked
from embeddings.figures import by_segment, gini, margin, rows_of
from embeddings.filter import WIDEST, GraphFilter
from embeddings.popularity import Segments, popularity, segment_shares
from embeddings.scorer import Vectors, joined
from embeddings.split import EPOCH, Split

WIDTHS = (8, 16, 32, 48, 64, 96, 128, 192, 256, WIDEST)
"""Dimensions of the filter that are tried; they are nested, so one decomposition gives all."""
EXPONENTS = (0.42, 0.25)
"""Exponents of an app's degree that are tried. Few, as they are easily tuned to the cut, not to the customers."""
LINEARS = (1.0, 5.0)
"""Weights of the filter's linear part that are tried beside none, at the best width without it and at the widest."""
MOST_TRIED = 2000
"""Tuning users by whom the filter is chosen."""
MARGIN = 1.01
"""A wider vector costs every request: it has to rank better by a hundredth."""
RISK = 1.05
"""Another exponent has to rank better by a twentieth: it moves all lists towards what is common, or away from it, and
what customers begin to use is not what they used. (On Gowalla a random cut preferred .25 by 4 %, its test did not.)"""
WEIGHTS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Weights of the trained scorer in the blend that are tried."""


@dataclass(frozen=True)
class Newcomers:
    """What serves those without use. `users`: segment, attributes or gnn; `apps`: none or attributes.

    `penalty`, `app_penalty`: λ of the ridge (`ridge`); `calls`: what the people called add (`social`).
    """

    users: str = "segment"
    penalty: float = 30.0
    calls: float = 0.0
    apps: str = "none"
    app_penalty: float = 30.0


@dataclass(frozen=True)
class Choice:
    """What to serve: `served` is popularity, filter, gnn or blend; `cold`: GNN vectors for customers without use;
    `calls`: what the people called add to the vectors of customers with use."""

    served: str
    width: int
    exponent: float
    linear: float
    weighted: bool
    weight: float
    cold: bool
    newcomers: Newcomers = Newcomers()
    calls: float = 0.0


Found = tuple[float, GraphFilter, Vectors]
"""A filter's NDCG over the tuning users, its parameters, its vectors."""


@dataclass
class Trial:
    """Measured users in two halves, `tuning` and `reporting`, and what was found of each scorer."""

    held: Split
    segments: Segments
    seed: int
    known: sp.csr_array = field(init=False)
    wanted: sp.csr_array = field(init=False)
    tuning: np.ndarray = field(init=False)
    reporting: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.known, self.wanted = self.held.train.uses.matrix(), self.held.held.matrix()
        users = measured_users(self.held.held, self.seed)
        self.tuning, self.reporting = halves(users, self.seed)

    def quality(self, score: Score, users: np.ndarray) -> Quality:
        return measure(score, self.known, self.wanted, users)

    def lists(self, score: Score, users: np.ndarray) -> Lists:
        """The first K apps of each of `users`, for every figure that is reported."""
        return ranked(score, self.known, self.wanted, users)

    def with_fallback(self, vectors: Vectors) -> Score:
        """The scores as they are served: customers without a vector get their segment's shares."""
        segment = self.baselines["segment"]

        def score(rows: np.ndarray) -> np.ndarray:
            found = vectors.scores(rows)
            without = ~vectors.users[rows].any(axis=1)
            found[without] = segment(rows[without])
            return found

        return score

    def best_filter(self) -> tuple[GraphFilter, Vectors]:
        """The filter that ranks best, and its vectors: exponent, linear part, width and kind of edges (all alike, or by
        strength) are tried."""
        best = self._best_with(GraphFilter(exponent=EXPONENTS[0], seed=self.seed))
        for exponent in EXPONENTS[1:]:
            other = self._best_with(GraphFilter(exponent=exponent, seed=self.seed))
            best = other if other[0] > best[0] * RISK else best
        strengths = self.held.train.uses.strength
        if len(strengths) and strengths.min() < strengths.max():
            other = self._best_with(GraphFilter(exponent=best[1].exponent, weighted=True, seed=self.seed))
            best = other if other[0] > best[0] * MARGIN else best
        return best[1], best[2]

    def _best_with(self, scorer: GraphFilter) -> Found:
        """`scorer` at the width and with the linear part at which it ranks best; a width wins by more than `MARGIN`."""
        whole = replace(scorer, linear=1.0).fit(self.held.train)
        users = self.tuning[:: -(-len(self.tuning) // MOST_TRIED) or 1]

        def tried(linear: float, width: int) -> Found:
            narrow = whole.weighed(linear).first(width)
            quality = self.quality(self.with_fallback(narrow), users)
            reached = float(quality.ndcg.sum()) / max(1, len(users))
            return reached, replace(scorer, linear=linear, dimensions=width), narrow

        widths = sorted({min(width, whole.width) for width in WIDTHS})
        best = tried(0.0, widths[0])
        for width in widths[1:]:
            wider = tried(0.0, width)
            best = wider if wider[0] > best[0] * MARGIN else best
        for linear in LINEARS:
            for width in sorted({best[1].dimensions, whole.width}):
                other = tried(linear, width)
                wins = MARGIN if width > best[1].dimensions else 1.0
                best = other if other[0] > best[0] * wins else best
        return best

    def helps(self, blend: Vectors, alone: Vectors) -> bool:
        """Whether a blend ranks surely better than the filter alone for the tuning users."""
        one, other = (self.quality(self.with_fallback(vectors), self.tuning) for vectors in (blend, alone))
        return surely_better(one, other, self.seed)

    def best_blend(self, left: Vectors, right: Vectors) -> tuple[float, Vectors]:
        """The weight of `right` in the blend that ranks best, and the blend.

        All weights share one array of users.
        """
        blend, split_at = joined(left, right, 1.0), left.users.shape[1]
        reached = {w: self.quality(self.with_fallback(blend.tilted(split_at, w)), self.tuning) for w in WEIGHTS}
        weight = max(WEIGHTS, key=lambda w: float(reached[w].ndcg.sum()))
        return weight, blend.tilted(split_at, weight)

    @cached_property
    def baselines(self) -> dict[str, Score]:
        """Popularity, and popularity within the customer's segment."""
        shares = popularity(self.held.train.uses)
        table = np.vstack([segment_shares(self.held.train.uses, self.segments), shares])
        return {
            "popularity": lambda rows: np.broadcast_to(shares, (len(rows), len(shares))),
            "segment": lambda rows: table[self.segments.of[rows]],
        }

    def simple(self) -> tuple[dict[str, Score], dict[str, str]]:
        """The simple methods of `baselines`, each at the setting that ranks best for the tuning users; and in words
        the setting of each, or why it is left out. Whoever used nothing before gets the segment's shares, as with ours.
        """
        found, words = baselines(self.known, self.seed)
        scores: dict[str, Score] = {}
        for name, variants in found.items():
            best = -1.0
            for variant in variants:
                score = self._or_segment(variant.of(self.known))
                reached = float(self.quality(score, self.tuning).ndcg.sum())
                if reached > best:
                    best, scores[name], words[name] = reached, score, variant.setting
        return scores, words

    def _or_segment(self, score: Score) -> Score:
        segment, used = self.baselines["segment"], np.diff(self.known.indptr)

        def scores(rows: np.ndarray) -> np.ndarray:
            without = used[rows] == 0
            found = np.array(score(rows), np.float32)
            found[without] = segment(rows[without])
            return found

        return scores


def choose(tuned: dict[str, Quality], seed: int) -> str:
    """The scorer to serve by the NDCG of the tuning users: the filter; the blend where it beats that by more than
    chance (the lower end of a paired bootstrap interval above 0); the GNN alone where it beats these by a twentieth
    (`RISK`), as what is trained fits its own cut best; popularity where it is better than the one chosen."""
    mean = {name: float(q.ndcg.mean()) if len(q.ndcg) else 0.0 for name, q in tuned.items()}
    served = "blend" if surely_better(tuned["blend"], tuned["filter"], seed) else "filter"
    served = "gnn" if mean["gnn"] > mean[served] * RISK else served
    return served if mean[served] > max(mean["popularity"], mean["segment"]) else "popularity"


def surely_better(one: Quality, other: Quality, seed: int) -> bool:
    """Whether `one` has the higher NDCG over the same users in 97.5 % of bootstrap draws."""
    difference = one.ndcg - other.ndcg
    return bool(len(difference)) and ends(bootstrap(difference[:, None], seed)[:, 0])[0] > 0


def lift(without: Quality, with_it: Quality, kept: bool) -> dict[str, Any]:
    """What something gives: NDCG without and with it, their ratio (None over 0), and whether it is kept."""
    one, two = (float(quality.ndcg.mean()) if len(quality.ndcg) else 0.0 for quality in (without, with_it))
    figures = {"without": round(one, 5), "with": round(two, 5), "lift": round(two / one, 5) if one else None}
    return {**figures, "kept": kept}


def report(
    trial: Trial,
    choice: Choice,
    tuned: dict[str, Quality],
    found: dict[str, Lists],
    words: dict[str, str],
) -> dict[str, Any]:
    """What `embed` prints and the report page shows: each scorer's figures and their intervals, over the reporting
    users; what the tuning users said (`validation`); the lift, NDCG over popularity's, with its paired interval. Where
    nobody could be measured there are no figures: an empty table, and no margin."""
    held, seed = trial.held, trial.seed
    of_apps, of_users = held.train.uses.degrees()[1], held.train.uses.degrees()[0]
    everybody = int((of_users > 0).sum())
    measured: dict[str, Any] = {"table": {}, "lift": None, "lift_interval": None, "baselines": {}, "segments": []}
    if len(trial.reporting):
        table = rows_of(found, of_apps, everybody, seed)
        lift, lift_interval = lift_of(found[choice.served].quality(), found["popularity"].quality(), seed)
        names, of = trial.segments.names.to_pylist(), trial.segments.of[trial.reporting]
        measured = {
            "table": table,
            "interval": {f"ndcg@{K}": table[choice.served]["interval"][f"ndcg@{K}"]},
            "lift": lift,
            "lift_interval": lift_interval,
            "margin": margin(found, choice.served, seed),
            "baselines": words,
            "segments": by_segment(found, names, of, choice.served, seed),
        }
    return {
        "k": K,
        "held_out": held.how,
        "cut": "time" if held.cutoff else "random",
        "last_day": last_day(held),
        "users": len(trial.reporting),
        "served": choice.served,
        "choice": {name: value for name, value in asdict(choice).items() if name != "served"},
        "validation": {
            "users": len(trial.tuning),
            "shared": len(trial.tuning) > 0 and trial.tuning is trial.reporting,
            **{name: quality.summary()[f"ndcg@{K}"] for name, quality in tuned.items()},
        },
        "catalogue": {"apps": len(of_apps), "users": everybody, "gini": round(gini(of_apps), 5)},
        **measured,
    }


def lift_of(served: Quality, base: Quality, seed: int) -> tuple[float | None, list[float] | None]:
    """NDCG of what is served over that of popularity for the same users, and its 95 % interval: both are drawn
    together, so what makes a user hard for both does not widen it. None where popularity never hits, or nothing was
    measured: a multiple of nothing says nothing."""
    if not base.ndcg.any():
        return None, None
    lift = float(served.ndcg.mean() / base.ndcg.mean())
    means = bootstrap(np.stack([served.ndcg, base.ndcg], axis=1), seed)
    hit = means[:, 1] > 0
    return round(lift, 5), ends(means[hit, 0] / means[hit, 1])


def last_day(held: Split) -> str | None:
    """The last day of app use that is known of, held out or not; None without any day."""
    days = [int(edges.last.max()) for edges in (held.train.uses, held.held) if len(edges)]
    return (EPOCH + dt.timedelta(days=max(days))).isoformat() if days and max(days) >= 0 else None
