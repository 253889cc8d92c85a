"""The loss of the trained scorer, chosen on a graph whose customers begin to use what is common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from embeddings import losses
from embeddings.batches import Loss
from embeddings.catalogue import Catalogue
from embeddings.filter import GraphFilter
from embeddings.gnn_training import GNNScorer
from embeddings.graph import Edges, Graph, no_edges
from embeddings.popularity import EVERYBODY, Segments
from embeddings.split import Split
from embeddings.trial import Trial

USERS, APPS = 120, 40


@pytest.fixture
def trial() -> Trial:
    """Everybody uses three rare apps of their own and some of the first four, and begins to use the rest of those."""
    rng = np.random.default_rng(0)
    pairs = {(u, int(a)) for u in range(USERS) for a in rng.choice(np.arange(4, APPS), 3, replace=False)}
    common = {(u, a) for u in range(USERS) for a in range(4)}
    later = {(u, (u + i) % 4) for u in range(USERS) for i in range(2)}

    def edges(some: set[tuple[int, int]]) -> Edges:
        users, items = np.array(sorted(some), np.int32).T
        day = np.zeros(len(users), np.int32)
        return Edges(users, items, np.ones(len(users), np.float32), day, day, (USERS, APPS))

    users = pa.array([u.to_bytes(16, "big") for u in range(USERS)], pa.binary())
    nothing = pa.array([], pa.string())
    nodes = Catalogue(users, pa.array([str(a) for a in range(APPS)]), nothing, nothing)
    train = Graph(nodes, edges((pairs | common) - later), no_edges(USERS, 0))
    held = Split(train, edges(later), no_edges(USERS, 0), "two common apps", None)
    return Trial(held, Segments(pa.array([EVERYBODY]), np.zeros(USERS, np.int32)), 0)


@pytest.mark.parametrize(
    ("tried", "chosen"),
    [((Loss(0.08, 3.0), Loss(0.08, 1.0)), 1.0), ((Loss(0.08, 1.0), Loss(0.08, 3.0)), 1.0)],
)
def test_the_loss_whose_blend_ranks_best_is_taken(trial, monkeypatch, tried, chosen):
    monkeypatch.setattr(losses, "LOSSES", tried)
    filtered = GraphFilter(8).fit(trial.held.train)
    scorer, trained, weight, blend = losses.best_loss(GNNScorer(dimensions=8), trial, filtered)
    assert scorer.loss.sharpness == scorer.parameters()["sharpness"] == chosen
    alone = GNNScorer(dimensions=8, loss=scorer.loss).fit_all(trial.held.train, cold=False)
    np.testing.assert_array_equal(np.asarray(trained.apps.users), np.asarray(alone.apps.users))
    assert trial.best_blend(filtered, alone.apps)[0] == weight
    np.testing.assert_array_equal(blend.apps, trial.best_blend(filtered, alone.apps)[1].apps)


def test_where_nothing_was_held_out_the_first_is_taken(trial):
    empty = replace(trial.held, held=trial.held.held.keep(np.zeros(len(trial.held.held), bool)))
    nothing = Trial(empty, trial.segments, 0)
    scorer, *_ = losses.best_loss(GNNScorer(dimensions=8), nothing, GraphFilter(8).fit(empty.train))
    assert scorer.loss == losses.LOSSES[0]


def test_an_operator_that_is_too_large_to_try_takes_the_first(trial, monkeypatch):
    monkeypatch.setattr(losses, "LARGEST", USERS - 1)
    monkeypatch.setattr(losses, "LOSSES", (Loss(0.08, 3.0), Loss(0.08, 1.0)))
    scorer, *_ = losses.best_loss(GNNScorer(dimensions=8), trial, GraphFilter(8).fit(trial.held.train))
    assert scorer.loss == Loss(0.08, 3.0)
