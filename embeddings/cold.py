"""Customers and apps without use: what they are served, chosen on customers and apps whose every edge was taken away.

Some customers and some apps are made new: none of their use is left in the graph that the scorers are fitted on. For
customers, all they used is to be found; for apps, among the new apps those that a customer with use has. Held against
popularity among customers alike: in the groups by one or two attributes that tell most. (The lake's segments know these
customers' taste, which a newcomer's cannot.) For apps, against how the customer's segment uses apps alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from embeddings.evaluate import K, Quality, Score, measure
from embeddings.gnn_training import TrainedVectors
from embeddings.graph import Edges, Graph, no_edges
from embeddings.popularity import Segments, popularity, segment_shares
from embeddings.ridge import PENALTIES, Ridge, fit_ridge, known_of_apps, known_of_users
from embeddings.scorer import Vectors, joined, standardised
from embeddings.social import ALPHAS, hearing
from embeddings.trial import FEW, Newcomers, Trial, lift, surely_better

SHARE = 0.1
"""Of the customers and of the apps with use, those made new."""
MOST_NEW, MOST_MEASURED = 2000, 2000
FEWEST_NEW = 100
MOST_EDGES = 2_000_000
"""With fewer new customers or more edges than this the GNN is not trained once more only to be compared here, and
newcomers are served without it."""
MOST_SHARES = 50_000_000
"""Entries of a table of shares by group; finer groups are not tried."""


@dataclass(frozen=True)
class NewSplit:
    """`train`: the graph without any use by `users` (c,) or of `apps` (a,); `uses` all edges, `buyers` customers
    with use who have some of the new apps."""

    train: Graph
    uses: Edges
    users: np.ndarray
    apps: np.ndarray
    buyers: np.ndarray


def new_split(graph: Graph, seed: int) -> NewSplit:
    """Take all edges from a random tenth of the customers and of the apps with use; one stays, where there are any."""
    rng = np.random.default_rng(seed)
    active, used = (np.flatnonzero(degree) for degree in graph.uses.degrees())
    few, some = min(MOST_NEW, int(len(active) * SHARE)), int(len(used) * SHARE)
    users = np.sort(rng.choice(active, few, replace=False)) if few else active[:0]
    apps = np.sort(rng.choice(used, some, replace=False)) if some else used[:0]
    new_user, new_app = np.zeros(graph.uses.shape[0], bool), np.zeros(graph.uses.shape[1], bool)
    new_user[users], new_app[apps] = True, True
    by_new, of_new = new_user[graph.uses.users], new_app[graph.uses.items]
    train = replace(graph, uses=graph.uses.keep(~by_new & ~of_new))
    left = np.intersect1d(np.unique(graph.uses.users[~by_new & of_new]), train.uses.users)
    buyers = np.sort(rng.choice(left, min(MOST_MEASURED, len(left)), replace=False))
    return NewSplit(train, graph.uses, users, apps, buyers)


def measure_new(
    split: NewSplit,
    vectors: Vectors,
    trained: TrainedVectors | None,
    segments: Segments,
    seed: int,
    served: tuple[str, ...] = ("attributes", "gnn"),
) -> tuple[Newcomers, dict[str, Any]]:
    """What to serve newcomers, by half of the new customers (and buyers); metrics `cold`, `cold_items` and the calls'
    share by the other half. `vectors` (and `trained`) were fitted on the split's graph; customers may be served one of
    `served`."""
    users, cold, heard = _measure_users(split, vectors, trained, seed, served)
    apps, items = _measure_apps(split, vectors, trained, segments, seed)
    chosen = replace(users, apps=apps.apps, app_penalty=apps.app_penalty)
    return chosen, {"cold": cold, "cold_items": items, "calls": {"cold": heard}}


def measure_newcomers(
    trial: Trial, served: str, fit: Callable[[Graph], Vectors], train: Callable[[Graph], TrainedVectors], weight: float
) -> tuple[Newcomers, dict[str, Any]]:
    """Fit what is served (`fit` the filter, `train` the GNN, `weight` the GNN's in the blend) without the use of some
    customers and apps, and measure what those are given."""
    split = new_split(trial.held.train, trial.seed)
    enough = len(split.users) >= FEWEST_NEW and len(split.train.uses) <= MOST_EDGES
    trained = train(split.train) if enough else None
    vectors = fit(split.train)
    if trained is not None and served != "filter":
        vectors = trained.apps if served == "gnn" else joined(vectors, trained.apps, weight)
    may_serve = ("attributes", "gnn") if served in ("gnn", "blend") else ("attributes",)
    chosen, metrics = measure_new(split, standardised(vectors), trained, trial.segments, trial.seed, may_serve)
    return (Newcomers() if served == "popularity" else chosen), metrics


def _measure_users(
    split: NewSplit, vectors: Vectors, trained: TrainedVectors | None, seed: int, may_serve: tuple[str, ...]
) -> tuple[Newcomers, dict[str, Any], dict[str, Any]]:
    graph, wanted = split.train, split.uses.keep(~np.isin(split.uses.items, split.apps)).matrix()
    nothing = no_edges(*wanted.shape).matrix()
    measured = split.users[np.diff(wanted.indptr)[split.users] > 0]
    tuning, reporting = halves(measured, seed)

    def of(score: Score, users: np.ndarray) -> Quality:
        return measure(score, nothing, wanted, users)

    def on_tuning(score: Score) -> float:
        return float(of(score, tuning).ndcg.sum())

    shares = popularity(graph.uses)
    everybody: Score = lambda rows: np.broadcast_to(shares, (len(rows), len(shares)))  # noqa: E731
    alike = max([everybody, *groups(graph, on_tuning)], key=on_tuning)
    scores = {"popularity": everybody, "segment": alike}

    def told(penalty: float, alpha: float) -> Score:
        found = vectors_of_new(vectors, graph, split.users, penalty, alpha, seed)
        return or_else(Vectors(_placed(found, split.users, wanted.shape[0]), vectors.apps), alike)

    alone = {penalty: told(penalty, 0.0) for penalty in PENALTIES}
    penalty = max(PENALTIES, key=lambda value: on_tuning(alone[value]))
    scores["attributes"] = alone[penalty]
    alpha, heard = 0.0, {}
    if graph.calls is not None and len(graph.calls):
        social = {a: told(penalty, a) for a in ALPHAS}
        best = max(ALPHAS, key=lambda value: on_tuning(social[value]))
        scores["calls"] = social[best]
        kept = surely_better(of(social[best], tuning), of(alone[penalty], tuning), seed)
        alpha = best if kept else 0.0
        heard = lift(of(alone[penalty], reporting), of(social[best], reporting), best, kept)
    if trained is not None:
        scores["gnn"] = or_else(Vectors(trained.cold_users, trained.apps.apps), alike)
    tuned = {name: of(score, tuning) for name, score in scores.items()}
    ours = {"attributes": tuned["calls" if alpha else "attributes"]}
    if "gnn" in tuned and "gnn" in may_serve:
        ours["gnn"] = tuned["gnn"]
    best_name = max(ours, key=lambda name: float(ours[name].ndcg.sum()))
    served = best_name if surely_better(ours[best_name], tuned["segment"], seed) else "segment"
    cold = {name: of(score, reporting).summary() for name, score in scores.items()}
    return Newcomers(users=served, penalty=penalty, calls=alpha), cold, heard


def _measure_apps(
    split: NewSplit, vectors: Vectors, trained: TrainedVectors | None, segments: Segments, seed: int
) -> tuple[Newcomers, dict[str, Any]]:
    graph = split.train
    wanted = split.uses.keep(np.isin(split.uses.items, split.apps)).matrix()
    nothing = no_edges(*wanted.shape).matrix()
    tuning, reporting = halves(split.buyers, seed)
    k = min(K, max(1, len(split.apps) // 5))

    def of(score: Score, users: np.ndarray) -> Quality:
        return measure(score, nothing, wanted, users, k)

    def on_tuning(score: Score) -> float:
        return float(of(score, tuning).ndcg.sum())

    def among_new(score: Score) -> Score:
        def scores(rows: np.ndarray) -> np.ndarray:
            found = np.full((len(rows), wanted.shape[1]), -np.inf, np.float32)
            found[:, split.apps] = score(rows)
            return found

        return scores

    known, used = known_of_apps(graph), np.flatnonzero(graph.uses.degrees()[1])
    overall = popularity(graph.uses)[None]
    by_segment = np.vstack([segment_shares(graph.uses, segments), overall])
    everybody = np.zeros(wanted.shape[0], np.int32)
    kinds = list(_kinds(graph, used, split.apps)) or [np.full((len(used), len(split.apps)), 1 / max(1, len(used)))]
    alike: dict[str, list[Score]] = {
        "popularity": [among_new(_rows_of((overall[:, used] @ kind).astype(np.float32), everybody)) for kind in kinds],
        "segment": [
            among_new(_rows_of((by_segment[:, used] @ kind).astype(np.float32), segments.of)) for kind in kinds
        ],
    }
    scores = {name: max(parts, key=on_tuning) for name, parts in alike.items()}
    ridges = {p: fit_ridge(known, vectors.apps, used, p, seed).of(known[split.apps]) for p in PENALTIES}
    told = {p: among_new(Vectors(vectors.users, apps).scores) for p, apps in ridges.items()}
    penalty = max(PENALTIES, key=lambda value: on_tuning(told[value]))
    scores["attributes"] = told[penalty]
    cold_apps = getattr(trained, "cold_apps", None)
    if trained is not None and cold_apps is not None:
        scores["gnn"] = among_new(Vectors(trained.apps.users, cold_apps[split.apps]).scores)
    tuned = {name: of(score, tuning) for name, score in scores.items()}
    best = max(
        (name for name in ("attributes", "gnn") if name in tuned), key=lambda name: float(tuned[name].ndcg.sum())
    )
    served = best if surely_better(tuned[best], tuned["segment"], seed) else "none"
    found = {name: of(score, reporting).summary() for name, score in scores.items()}
    return Newcomers(apps=served, app_penalty=penalty), found


def vectors_of_new(
    vectors: Vectors, graph: Graph, users: np.ndarray, penalty: float, alpha: float, seed: int
) -> np.ndarray:
    """Vectors (c, d) of the customers at `users` (c,), who have no use, by what is known of them and, where `alpha` is
    not 0, by the people they call; zeros where there is neither."""
    known = known_of_users(graph)
    learned = np.flatnonzero((graph.uses.degrees()[0] > 0) & vectors.users.any(axis=1))
    ridge = fit_ridge(known, vectors.users, learned, penalty, seed)
    return told(ridge, known, vectors, graph, users, learned, alpha)


def told(
    ridge: Ridge,
    known: sp.csr_array,
    vectors: Vectors,
    graph: Graph,
    users: np.ndarray,
    learned: np.ndarray,
    alpha: float,
) -> np.ndarray:
    """expected + α · mean over the people called of (vector - expected), expected by the ridge; see `social`."""
    mine = known[users]
    found = ridge.of(mine)
    something = np.diff(mine.indptr) > 0
    if alpha and graph.calls is not None and len(graph.calls):
        warm = np.zeros(len(vectors.users), bool)
        warm[learned] = True
        weights = hearing(graph.calls, warm)[users]
        hears = np.diff(weights.indptr) > 0
        differs = weights @ vectors.users - (weights @ known) @ ridge.weights - hears[:, None] * ridge.base
        found += np.float32(alpha) * np.asarray(differs, np.float32)
        something |= hears
    return found * something[:, None]


def with_newcomers(vectors: Vectors, graph: Graph, chosen: Newcomers, seed: int) -> Vectors:
    """The vectors served, with those of customers and apps without use put in as chosen, in place."""
    used_by, users_of = graph.uses.degrees()
    if chosen.users == "attributes":
        new = np.flatnonzero(used_by == 0)
        vectors.users[new] = vectors_of_new(vectors, graph, new, chosen.penalty, chosen.calls, seed)
    if chosen.apps == "attributes":
        known, new = known_of_apps(graph), np.flatnonzero(users_of == 0)
        ridge = fit_ridge(known, vectors.apps, np.flatnonzero(users_of), chosen.app_penalty, seed)
        vectors.apps[new] = ridge.of(known[new]) * (np.diff(known[new].indptr) > 0)[:, None]
    return standardised(vectors) if (chosen.users, chosen.apps) != ("segment", "none") else vectors


def groups(graph: Graph, quality: Callable[[Score], float]) -> list[Score]:
    """Popularity within groups of customers alike: by the attribute that tells most, and by it and each other one."""
    if graph.features is None:
        return []
    codes = [_dense(column) for column in graph.features.codes["user"].T]
    if graph.handset is not None:
        codes += [_dense(np.append(column, 0)[graph.handset]) for column in graph.features.codes["handset"].T]
    single = [(column, score) for column in codes if (score := _shares_of(graph, column)) is not None]
    if not single:
        return []
    best, score = max(single, key=lambda pair: quality(pair[1]))
    pairs = [_shares_of(graph, _dense(best.astype(np.int64) * (other.max() + 1) + other)) for other in codes]
    return [score, *(pair for pair in pairs if pair is not None)]


def or_else(vectors: Vectors, other: Score) -> Score:
    """The vectors' scores; `other` for customers without a vector."""

    def score(rows: np.ndarray) -> np.ndarray:
        found = vectors.scores(rows)
        without = ~vectors.users[rows].any(axis=1)
        found[without] = other(rows[without])
        return found

    return score


def halves(users: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tuning and reporting users; with fewer than `FEW` they are the same."""
    half = np.random.default_rng(seed + 1).permutation(len(users)) % 2 == 0
    return (users[half], users[~half]) if len(users) >= FEW else (users, users)


def _placed(found: np.ndarray, users: np.ndarray, n: int) -> np.ndarray:
    full = np.zeros((n, found.shape[1]), np.float32)
    full[users] = found
    return full


def _dense(codes: np.ndarray) -> np.ndarray:
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)


def _shares_of(graph: Graph, codes: np.ndarray) -> Score | None:
    count = int(codes.max(initial=-1)) + 1
    if count < 2 or count * graph.uses.shape[1] > MOST_SHARES:
        return None
    names = pa.array(np.arange(count).astype(str).tolist())
    return _rows_of(segment_shares(graph.uses, Segments(names, codes)), codes)


def _rows_of(table: np.ndarray, of: np.ndarray) -> Score:
    return lambda rows: table[of[rows]]


def _kinds(graph: Graph, used: np.ndarray, new: np.ndarray) -> Iterable[np.ndarray]:
    """For each attribute of apps the weights (used, new) that give the mean over the used apps with the same value."""
    if graph.features is None:
        return
    for column in graph.features.codes["app"].T:
        same = (column[used][:, None] == column[new][None, :]) & (column[new] > 0)[None, :]
        total = same.sum(axis=0)
        weights = np.where(total > 0, same / np.maximum(total, 1), 1 / max(1, len(used)))
        yield weights.astype(np.float32)
