"""The step `embed`: read the lake, measure every scorer on held-out use, serve the best, write a snapshot."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from embeddings.catalogue import read_catalogue, user_bytes
from embeddings.evaluate import K, measure, measured_users
from embeddings.filter import GraphFilter
from embeddings.graph import Graph, read_holds, read_uses
from embeddings.offers import channel_table, offer_tables
from embeddings.popularity import Segments, popularity, read_segments, segment_shares
from embeddings.publish import make_current, write_snapshot
from embeddings.scorer import Vectors, standardised
from embeddings.split import Split, split
from lake.errors import NotReady
from lake.home import Home
from lake.progress import working
from lake.settings import Settings
from lake.tables import Lake

TABLES = (
    "customers",
    "apps",
    "app_usage",
    "products",
    "subscriptions",
    "handsets",
    "user_handsets",
    "offers",
    "responses",
    "answers",
    "segments",
)
"""Lake tables that a snapshot is made from."""


def train(lake: Lake, home: Home, settings: Settings, *, force: bool = False, seed: int = 0) -> dict[str, Any]:
    """Train, measure, and write a snapshot; make it current unless it is worse than the current one.

    Returns the manifest's `metrics` with `snapshot` (its id) and `current` (whether it is in force). Raises NotReady
    where the lake holds neither apps nor products.
    """
    with working("reading use"):
        nodes = read_catalogue(lake)
        graph = Graph(nodes, read_uses(lake, nodes), read_holds(lake, nodes))
    if not len(nodes.apps) and not len(nodes.products):
        raise NotReady("there is nothing to learn from: no apps and no products", "load app_usage, apps or products")
    segments = read_segments(lake, nodes)
    scorer = GraphFilter(seed=seed)
    with working("measuring on held-out use"):
        metrics = _measure(scorer, split(lake, graph, seed), segments, seed)
    with working("training on everything"):
        vectors = standardised(scorer.fit(graph))
    arrays = _arrays(graph, vectors, segments)
    tables = {
        "apps": pa.table({"app": nodes.apps}),
        "products": pa.table({"product": nodes.products}),
        "segments": pa.table({"segment": segments.names}),
        **offer_tables(lake, nodes, segments),
        "channels": channel_table(lake),
    }
    manifest = {"inputs": inputs(lake), "versions": versions(), "seed": seed, "metrics": metrics}
    id = write_snapshot(home, arrays, tables, manifest)
    make_current(home, id)
    return {**metrics, "snapshot": id, "current": True}


def _measure(scorer: GraphFilter, held: Split, segments: Segments, seed: int) -> dict[str, Any]:
    train = held.train.uses
    known, wanted = train.matrix(), held.held.matrix()
    users = measured_users(held.held, seed)
    shares = popularity(train)
    vectors = scorer.fit(held.train)
    found = {
        "popularity": measure(lambda rows: np.broadcast_to(shares, (len(rows), len(shares))), known, wanted, users),
        "filter": measure(vectors.scores, known, wanted, users),
    }
    table = {name: quality.summary() for name, quality in found.items()}
    return {"k": K, "held_out": held.how, "users": len(users), "served": "filter", "table": table}


def _arrays(graph: Graph, vectors: Vectors, segments: Segments) -> dict[str, np.ndarray]:
    n, p = len(graph.nodes.users), len(graph.nodes.products)
    return {
        "users": user_bytes(graph.nodes.users),
        "user_vectors": vectors.users,
        "app_vectors": vectors.apps,
        "app_popularity": popularity(graph.uses),
        "product_vectors": np.zeros((p, 1), np.float32),
        "product_user_vectors": np.zeros((n, 1), np.float32),
        "product_popularity": popularity(graph.holds),
        "user_segment": segments.of,
        "segment_app_scores": segment_shares(graph.uses, segments),
        "segment_product_scores": segment_shares(graph.holds, segments),
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
