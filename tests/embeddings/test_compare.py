"""A new snapshot against the current one: one trained in January, and scores made by hand for what came later."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace

import numpy as np
import pytest

from embeddings.compare import against_current, as_current, of_lifts
from embeddings.popularity import read_segments
from embeddings.snapshot import Snapshot
from embeddings.split import split
from embeddings.train import read_graph, train
from embeddings.trial import Trial
from lake.home import Home
from lake.settings import load_settings
from lake.tables import Lake
from tests.embeddings.conftest import write_two_tastes, write_usage

USERS, APPS = 220, 40
ALIKE = {"lift": 2.0, "lift_interval": [1.9, 2.1], "cut": "time", "users": 200}


@pytest.fixture(scope="module")
def january(tmp_path_factory) -> tuple[Home, Lake, dict]:
    """A home whose current snapshot was trained on January; even users like even apps."""
    settings = load_settings(home=tmp_path_factory.mktemp("compared") / "home")
    home = Home.open(settings, create=True)
    lake = Lake(home.lake)
    write_two_tastes(lake, users=USERS, apps=APPS)
    return home, lake, train(lake, home, settings)


def _later(lake: Lake, until: int) -> Trial:
    """What is known after more days: everybody takes up one new app of their taste in February, at the end of it."""
    rows = [(u, f"new{u % 2}", until - 31 - u % 2) for u in range(USERS)]
    write_usage(lake, [(*row[:2], 31 + row[2]) for row in rows], month="2026-02")
    graph = read_graph(lake)
    return Trial(split(lake, graph, 0), read_segments(lake, graph.nodes), 0)


def _ideal(trial: Trial, sign: float):
    """Scores of whoever knows what is held out (1), or puts it last (-1)."""
    wanted = trial.held.held.matrix()
    return lambda rows: sign * wanted[rows].toarray()


def test_the_first_snapshot_has_nothing_to_be_worse_than(home, january):
    trial = _later(january[1], 58)
    assert not against_current(home, ALIKE, trial, _ideal(trial, -1)).worse


def test_better_for_the_same_customers_is_taken_whatever_the_lift(january):
    home, lake, _ = january
    trial = _later(lake, 58)
    verdict = against_current(home, {**ALIKE, "lift": 0.1, "lift_interval": [0.0, 0.2]}, trial, _ideal(trial, 1))
    assert not verdict.worse
    assert "ranks better than the current one for the same 220 customers" in verdict.why
    assert verdict.figures["new"] == 1
    assert verdict.figures["current"] == 0  # new0 and new1 came after it
    assert verdict.figures["knew_as_much"]


def test_worse_for_the_same_customers_is_not_taken_whatever_the_lift(january):
    home, lake, _ = january
    trial = _later(lake, 58)
    # Everybody took up what the current one would have put first.
    current = as_current(Snapshot.current(home), trial.held.train.nodes)(np.arange(USERS))
    first = np.where(trial.known.toarray() > 0, -np.inf, current).argmax(axis=1).astype(np.int32)
    held = replace(trial.held, held=replace(trial.held.held, items=first))
    trial = Trial(held, trial.segments, 0)
    verdict = against_current(home, {**ALIKE, "lift": 99.0, "lift_interval": [98.0, 99.9]}, trial, _ideal(trial, -1))
    assert verdict.worse
    assert "ranks worse than the current one" in verdict.why


def test_a_few_days_more_leave_it_to_the_lifts(january):
    """Fitted for measuring on less than the current one knew: being worse for the same customers may be just that."""
    home, lake, result = january
    trial = _later(lake, 33)
    assert trial.held.cutoff is not None
    assert trial.held.cutoff <= dt.date(2026, 1, 31)
    low = {**ALIKE, "lift": 1.0, "lift_interval": [0.9, 1.1]}
    assert result["lift"] > 1.1
    assert against_current(home, low, trial, _ideal(trial, -1)).worse
    high = {**ALIKE, "lift": 9.0, "lift_interval": [8.0, 9.5]}
    verdict = against_current(home, high, trial, _ideal(trial, -1))
    assert not verdict.worse
    assert "does not lie below" in verdict.why


def test_a_damaged_snapshot_is_replaced(january, tmp_path):
    home, lake, result = january
    copy = Home(tmp_path / "copy")
    shutil.copytree(home.snapshots, copy.snapshots)
    (copy.snapshots / result["snapshot"] / "app_vectors.npy").write_bytes(b"")
    trial = _later(lake, 33)
    verdict = against_current(copy, {**ALIKE, "lift": 0.1, "lift_interval": [0.0, 0.2]}, trial, _ideal(trial, -1))
    assert not verdict.worse
    assert "cannot be read" in verdict.why


def test_lifts_of_different_cuts_are_not_compared():
    verdict = of_lifts({**ALIKE, "lift": 1.0, "lift_interval": [0.9, 1.1]}, {**ALIKE, "cut": "random", "lift": 9.0})
    assert not verdict.worse
    assert "random cut" in verdict.why


def test_a_lift_within_its_interval_is_not_worse():
    current = {**ALIKE, "lift": 3.0}
    assert not of_lifts({**ALIKE, "lift": 2.95, "lift_interval": [2.85, 3.05]}, current).worse
    assert of_lifts({**ALIKE, "lift": 2.85, "lift_interval": [2.75, 2.95]}, current).worse


@pytest.mark.parametrize("few", [{"users": 9}, {"lift": None, "lift_interval": None}])
def test_a_lift_of_few_customers_or_over_nothing_tells_nothing(few):
    """One customer's interval is a point: the next snapshot of a tiny home would be 'worse' by chance, for good."""
    high, low = {**ALIKE, "lift": 58.0, "lift_interval": [58.0, 58.0]}, ALIKE
    assert of_lifts(low, high).worse
    assert not of_lifts(low, {**high, **few}).worse
    assert not of_lifts({**low, **few}, high).worse


def test_the_current_one_ranks_apps_it_does_not_know_below_all(january):
    home, lake, _ = january
    trial = _later(lake, 58)
    nodes = trial.held.train.nodes
    scores = as_current(Snapshot.current(home), nodes)(np.arange(4))
    unknown = np.array([app.startswith("new") for app in nodes.apps.to_pylist()])
    assert np.isneginf(scores[:, unknown]).all()
    assert np.isfinite(scores[:, ~unknown]).all()
