"""The step `embed`: read the lake, measure every scorer on held-out use, serve the best, write a snapshot."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from embeddings.acceptance import Acceptance, with_log_odds
from embeddings.acceptance import learn as learn_acceptance
from embeddings.acceptance import measure as measure_acceptance
from embeddings.arithmetic import fixed_threads
from embeddings.catalogue import read_catalogue, user_bytes
from embeddings.cold import measure_newcomers
from embeddings.compare import against_current
from embeddings.evaluate import Score
from embeddings.features import current_handsets, read_features
from embeddings.filter import GraphFilter
from embeddings.gnn_training import LONG, GNNScorer, TrainedVectors
from embeddings.graph import Graph, read_calls, read_holds, read_uses
from embeddings.losses import best_loss
from embeddings.memory import enough_memory
from embeddings.newcomers import with_newcomers
from embeddings.offers import channel_table, offer_tables
from embeddings.popularity import Segments, popularity, read_segments, segment_shares
from embeddings.products import Affinity, affinity_vectors, fit_affinity
from embeddings.publish import REPORT, make_current, write_snapshot
from embeddings.resume import kept, last_start
from embeddings.scorer import Vectors, joined, standardised
from embeddings.social import best_alpha, hearing, smoothed
from embeddings.split import split
from embeddings.trial import Choice, Trial, choose, report
from embeddings.uptake import learn_uptake
from lake.errors import NotReady
from lake.home import Home
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake
from lake.use import APP_USE

TABLES = (
    "customers",
    "successions",
    "apps",
    *APP_USE,
    "products",
    "subscriptions",
    "bills",
    "categories",
    "handsets",
    "user_handsets",
    "offers",
    "channels",
    "channel_use",
    "responses",
    "answers",
    "segments",
    "contacts",
)
"""Lake tables that a snapshot is made from."""


def train(lake: Lake, home: Home, settings: Settings, *, force: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train, measure, and write a snapshot; make it current unless it is worse than the current one.

    Returns the manifest's `metrics` with `snapshot` (its id), `current` (whether it is in force) and `compared`:
    whether it is `worse` and `why`, by how both rank for the same customers or by their lifts (`compare`). `force`
    makes it current all the same. Raises NotReady where there are neither apps nor products, or no customers.
    """
    with fixed_threads() as threads:
        with working("reading who uses what"):
            graph = read_graph(lake)
            segments = read_segments(lake, graph.nodes)
        scorer = GNNScorer(seed=seed)
        with working("training and measuring on held-out use"):
            trial = Trial(split(lake, graph, seed), segments, seed)
            before = last_start(home, graph.nodes, trial.held.cutoff, scorer.dimensions)
            scorer.start = before[1] if before else None
            scorer, choice, affinity, metrics, served = measure_all(scorer, trial)
            start, begins = kept(scorer.model, graph.nodes, trial.held.cutoff)
            verdict = against_current(home, metrics, trial, served)
            uptake = learn_uptake(trial, served, metrics["served"])
            metrics["uptake"] = uptake.metrics
            answered = measure_acceptance(lake, trial.held, segments, affinity.then, seed)
            metrics["offers"] = answered.metrics
            affinity = replace(affinity, then=None)
            del trial, served  # as large as the vectors of everybody
        with working("training on everything"):
            trained = scorer.fit_all(graph, cold=False)
            scorer.model = None
            vectors = served_vectors(graph, choice, trained, seed)
        arrays = _arrays(graph, vectors, affinity_vectors(trained.products, affinity.slope), segments)
        with working("learning from answers"):
            acceptance = learn_acceptance(lake, graph, segments, answered)
    manifest = {
        "inputs": inputs(lake),
        "versions": versions(),
        "parameters": {"seed": seed, "gnn": scorer.parameters(), "choice": metrics["choice"]},
        "threads": threads,
        "metrics": metrics,
        "start": begins | {"from": before[0] if before else None},
    }
    with working("writing the snapshot"):
        id = write_snapshot(
            home,
            arrays | acceptance.arrays | start,
            _tables(lake, graph, segments, acceptance) | {"uptake": uptake.table},
            manifest,
        )
        taken = force or not verdict.worse
        if taken:
            make_current(home, id)
    compared = {"worse": verdict.worse, "why": verdict.why, **verdict.figures}
    page = str(home.snapshots / id / REPORT)
    return {**metrics, "snapshot": id, "current": taken, "compared": compared, "report": page}


def read_graph(lake: Lake) -> Graph:
    """Everything the scorers learn from. Raises NotReady where there is nothing to learn from."""
    nodes = read_catalogue(lake)
    if not len(nodes.users):
        raise NotReady("there is nothing to learn from: no customers", "load users, or feeds that name their numbers")
    if not len(nodes.apps) and not len(nodes.products):
        raise NotReady("there is nothing to learn from: no apps and no products", "load app_usage, apps or products")
    enough_memory(len(nodes.users))
    return Graph(
        nodes,
        read_uses(lake, nodes),
        read_holds(lake, nodes),
        read_features(lake, nodes),
        current_handsets(lake, nodes),
        read_calls(lake, nodes),
    )


def measure_all(scorer: GNNScorer, trial: Trial) -> tuple[GNNScorer, Choice, Affinity, dict[str, Any], Score]:
    """Fit every scorer, and simple methods, on the past and compare them on what was held out.

    Returns the trained scorer, what to serve, how products fit, the metrics, and the scores of what is served as it was
    measured.
    """
    held, seed = trial.held, trial.seed
    low_pass, filtered = trial.best_filter()
    scorer, trained, weight, blend = best_loss(scorer, trial, filtered)
    if trial.helps(blend, filtered):
        scorer.epochs = LONG
        trained = scorer.fit_all(held.train, whole=True, cold=False)
        weight, blend = trial.best_blend(filtered, trained.apps)
    vectors = {"filter": filtered, "gnn": trained.apps, "blend": blend}
    simple, words = trial.simple()
    scores = {**trial.baselines, **simple, **{name: trial.with_fallback(part) for name, part in vectors.items()}}
    tuned = {name: trial.quality(score, trial.tuning) for name, score in scores.items()}
    served = choose(tuned, seed)
    found = {name: trial.lists(score, trial.reporting) for name, score in scores.items()}
    whole, score = vectors.get(served), scores[served]
    del vectors, filtered, blend, scores  # everybody's vectors by scorers that are not served
    alpha, by_calls = 0.0, dict[str, Any]()
    if whole is not None:
        alpha, score, by_calls = best_alpha(trial, whole)
        found[served] = trial.lists(score, trial.reporting)
    again = GNNScorer(scorer.dimensions, seed, loss=scorer.loss)
    newcomers, of_new = measure_newcomers(trial, served, whole, low_pass.fit, again.fit_all, weight)
    choice = Choice(
        served,
        low_pass.dimensions,
        low_pass.exponent,
        low_pass.linear,
        low_pass.weighted,
        weight,
        newcomers.users == "gnn",
        newcomers,
        alpha,
    )
    affinity = fit_affinity(trained.products, held.held_products, held.train.holds, seed)
    affinity = replace(affinity, then=affinity_vectors(trained.products, affinity.slope))
    metrics = report(trial, choice, tuned, found, words)
    metrics |= {**of_new, "calls": {"warm": by_calls, **of_new["calls"]}}
    metrics["products"] = {"auc": affinity.auc, "pairs": affinity.pairs}
    return scorer, choice, affinity, metrics, score


def served_vectors(graph: Graph, choice: Choice, trained: TrainedVectors, seed: int) -> Vectors:
    """The chosen scorer fitted on everything, standardised; users and apps without use get what was chosen for them."""
    low_pass = GraphFilter(choice.width, choice.exponent, choice.linear, choice.weighted, seed)
    gnn = Vectors(trained.apps.users, trained.apps.apps)
    warm = graph.uses.degrees()[0] > 0
    if not choice.cold and choice.served in ("gnn", "blend"):
        gnn = Vectors(gnn.users * warm[:, None], gnn.apps)
    if choice.served == "popularity":
        return Vectors(np.zeros((len(warm), 1), np.float32), np.zeros((graph.uses.shape[1], 1), np.float32))
    if choice.served == "filter":
        vectors = standardised(low_pass.fit(graph))
    elif choice.served == "gnn":
        vectors = standardised(gnn)
    else:
        vectors = joined(low_pass.fit(graph), gnn, choice.weight)
        vectors = standardised(vectors, vectors.everybody)
    if choice.calls and graph.calls is not None:
        vectors = standardised(smoothed(vectors, hearing(graph.calls, warm), choice.calls))
    return with_newcomers(vectors, graph, choice.newcomers, seed)


def _arrays(graph: Graph, apps: Vectors, products: Vectors, segments: Segments) -> dict[str, np.ndarray]:
    return {
        "users": user_bytes(graph.nodes.users),
        "user_vectors": apps.everybody,
        "app_vectors": apps.apps,
        "app_popularity": popularity(graph.uses),
        "product_vectors": products.apps,
        "product_user_vectors": products.everybody,
        "product_popularity": popularity(graph.holds),
        "user_segment": segments.of,
        "segment_app_scores": segment_shares(graph.uses, segments),
        "segment_product_scores": segment_shares(graph.holds, segments),
        **_neighbour_arrays(graph, apps),
    }


def _neighbour_arrays(graph: Graph, apps: Vectors) -> dict[str, np.ndarray]:
    near, uses = apps.near, graph.uses.matrix()
    if near is None:
        return {}
    return {
        "use_starts": uses.indptr.astype(np.int64),
        "use_apps": uses.indices.astype(np.int32),
        "near_starts": near.weights.indptr.astype(np.int64),
        "near_apps": near.weights.indices.astype(np.int32),
        "near_weights": near.weights.data.astype(np.float32),
        "user_pull": near.pull,
        "app_fold": near.fold,
    }


def _tables(lake: Lake, graph: Graph, segments: Segments, acceptance: Acceptance) -> dict[str, pa.Table]:
    return {
        "apps": pa.table({"app": graph.nodes.apps}),
        "products": pa.table({"product": graph.nodes.products}),
        "segments": pa.table({"segment": segments.names}),
        **offer_tables(lake, graph.nodes, segments, acceptance.facts),
        "channels": with_log_odds(channel_table(lake), acceptance),
    }


def inputs(lake: Lake) -> dict[str, str]:
    """Digest of each table that a snapshot is made from, over its files' bytes in order of path."""
    found = {}
    for name in TABLES:
        total = hashlib.sha256()
        for path in lake.files(name):
            with open(path, "rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        if lake.has(name):
            found[name] = total.hexdigest()
    return found


def versions() -> dict[str, str]:
    """Versions that decide about the bytes of a snapshot."""
    names = ("dumbbell", "numpy", "scipy", "torch", "torch-geometric")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
