"""Customers and apps without use: what they are served, chosen on customers and apps whose every edge was taken away.

Some customers and some apps are made new: none of their use is left in the graph that the scorers are fitted on. For
customers, all they used is to be found; for apps, among the new apps those that a customer with use has. Held against
popularity among customers alike: in the groups by one or two attributes that tell most. (The lake's segments know these
customers' taste, which a newcomer's cannot.) For apps, against how the customer's segment uses apps alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from embeddings.arithmetic import product
from embeddings.evaluate import K, Quality, Score, bootstrap, ends, halves, measure
from embeddings.gnn_training import TrainedVectors
from embeddings.graph import Edges, Graph, no_edges
from embeddings.newcomers import fill_apps, learned_from, of_new, voices
from embeddings.popularity import Segments, popularity, segment_shares
from embeddings.ridge import PENALTIES, fit_ridge, known_of_apps, known_of_users
from embeddings.scorer import Vectors, joined, standardised
from embeddings.social import ALPHAS
from embeddings.trial import Newcomers, Trial, lift, lift_of, surely_better

SHARE = 0.1
"""Of the customers and of the apps with use, those made new."""
MOST_NEW, MOST_MEASURED = 2000, 1000
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
    trial: Trial,
    served: str,
    whole: Vectors | None,
    fit: Callable[[Graph], Vectors],
    train: Callable[[Graph], TrainedVectors],
    weight: float,
) -> tuple[Newcomers, dict[str, Any]]:
    """Fit what is served (`fit` the filter, `train` the GNN, `weight` the GNN's in the blend) without the use of some
    customers and apps, and measure what those are given. `whole` are the trial's own vectors of what is served, None
    for popularity, which knows no newcomers."""
    split = new_split(trial.held.train, trial.seed)
    enough = len(split.users) >= FEWEST_NEW and len(split.train.uses) <= MOST_EDGES
    trained = train(split.train) if enough else None
    vectors = fit(split.train)
    if trained is not None and served != "filter":
        vectors = trained.apps if served == "gnn" else joined(vectors, trained.apps, weight)
    may_serve = ("attributes", "gnn") if served in ("gnn", "blend") else ("attributes",)
    chosen, metrics = measure_new(split, standardised(vectors), trained, trial.segments, trial.seed, may_serve)
    del split, vectors, trained  # a graph and everybody's vectors
    if whole is None:
        return Newcomers(), metrics
    if chosen.apps != "none":
        kept, metrics["new_apps"] = in_lists(trial, whole, chosen.app_penalty)
        chosen = chosen if kept else replace(chosen, apps="none")
    return chosen, metrics


def in_lists(trial: Trial, vectors: Vectors, penalty: float) -> tuple[bool, dict[str, Any]]:
    """Whether the lists of the trial's customers stand apps without use by their attributes: not when they rank surely
    worse with them. Of such apps many stay without use, which those made new cannot show."""
    graph = trial.held.train
    own, (_, users_of) = standardised(vectors), graph.uses.degrees()
    if users_of.all():
        return True, {}
    filled = replace(own, apps=own.apps.copy())
    fill_apps(filled, graph, penalty, trial.seed)
    without, filled_in = trial.with_fallback(own), trial.with_fallback(filled)
    worse = surely_better(trial.quality(without, trial.tuning), trial.quality(filled_in, trial.tuning), trial.seed)
    given = lift(trial.quality(without, trial.reporting), trial.quality(filled_in, trial.reporting), not worse)
    return not worse, {"apps": int((users_of == 0).sum()), **given}


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

    known, learned = known_of_users(graph), learned_from(graph, vectors)
    ridges = {value: fit_ridge(known, vectors.everybody, learned, value, seed) for value in PENALTIES}
    weights = voices(graph, learned)
    told = {value: of_new(ridge, known, vectors, weights, measured) for value, ridge in ridges.items()}
    alone = {value: scores_of(told[value].vectors(0.0), measured, vectors.apps, alike) for value in PENALTIES}
    penalty = max(PENALTIES, key=lambda value: on_tuning(alone[value]))
    scores["attributes"] = alone[penalty]
    alpha, heard = 0.0, {}
    if weights is not None:
        social = {a: scores_of(told[penalty].vectors(a), measured, vectors.apps, alike) for a in ALPHAS}
        best = max(ALPHAS, key=lambda value: on_tuning(social[value]))
        scores["calls"] = social[best]
        kept = surely_better(of(social[best], tuning), of(alone[penalty], tuning), seed)
        alpha = best if kept else 0.0
        heard = {"alpha": best, **lift(of(alone[penalty], reporting), of(social[best], reporting), kept)}
    if trained is not None and trained.cold_users is not None:
        scores["gnn"] = scores_of(trained.cold_users[measured], measured, trained.apps.apps, alike)
    tuned = {name: of(score, tuning) for name, score in scores.items()}
    ours = {"attributes": tuned["calls" if alpha else "attributes"]}
    if "gnn" in tuned and "gnn" in may_serve:
        ours["gnn"] = tuned["gnn"]
    best_name = max(ours, key=lambda name: float(ours[name].ndcg.sum()))
    served = best_name if surely_better(ours[best_name], tuned["segment"], seed) else "segment"
    cold = rows_of_new({name: of(score, reporting) for name, score in scores.items()}, seed)
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
    alike: dict[str, list[Score]] = {
        "popularity": [among_new(_rows_of(table, everybody)) for table in _by_kind(graph, overall, used, split.apps)],
        "segment": [among_new(_rows_of(table, segments.of)) for table in _by_kind(graph, by_segment, used, split.apps)],
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
    found = rows_of_new({name: of(score, reporting) for name, score in scores.items()}, seed)
    return Newcomers(apps=served, app_penalty=penalty), found


def rows_of_new(found: dict[str, Quality], seed: int) -> dict[str, dict[str, Any]]:
    """One row a scorer: Recall and NDCG, the 95 % bootstrap `interval` of each; and of all but `segment` the `lift`,
    NDCG over that of popularity in segment for the same users, with its paired `lift_interval`; neither where that
    never hits. No rows where nobody was measured."""
    rows = dict[str, dict[str, Any]]()
    for name, quality in found.items():
        if not len(quality.ndcg):
            continue
        means = bootstrap(np.stack([quality.recall, quality.ndcg], axis=1), seed)
        intervals = {figure: ends(means[:, i]) for i, figure in enumerate(quality.summary())}
        rows[name] = {**quality.summary(), "interval": intervals}
        if name != "segment" and found["segment"].ndcg.any():
            rows[name]["lift"], rows[name]["lift_interval"] = lift_of(quality, found["segment"], seed)
    return rows


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


def scores_of(found: np.ndarray, users: np.ndarray, apps: np.ndarray, other: Score) -> Score:
    """Scores by the vectors `found` (c, d) of `users` (c,), sorted; `other` for those without a vector."""

    def score(rows: np.ndarray) -> np.ndarray:
        mine = found[np.searchsorted(users, rows)]
        scores = product(mine, apps.T)
        without = ~mine.any(axis=1)
        scores[without] = other(rows[without])
        return scores

    return score


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


def _by_kind(graph: Graph, shares: np.ndarray, used: np.ndarray, new: np.ndarray) -> list[np.ndarray]:
    """For each attribute of apps the mean of `shares` (s, m) over the `used` apps with the value of each of the `new`,
    (s, a); over all used ones where the value is unknown or new itself."""
    mean = shares[:, used].mean(axis=1, keepdims=True) if len(used) else np.zeros((len(shares), 1), np.float32)
    tables = []
    for column in graph.features.codes["app"].T if graph.features is not None else ():
        size = int(column.max(initial=0)) + 1
        count = np.bincount(column[used], minlength=size)
        ones = np.ones(len(used), np.float32)
        alike = sp.csr_array((ones, (column[used], np.arange(len(used)))), shape=(size, len(used)))
        means = (alike @ shares[:, used].T).T / np.maximum(count, 1)
        tables.append(np.where((column[new] > 0) & (count[column[new]] > 0), means[:, column[new]], mean))
    return tables or [np.broadcast_to(mean, (len(shares), len(new)))]
